package tokenizer

import (
	"flag"
	"os"
	"testing"
)

// benchText is a text that BenchmarkText counts, with the tokenizer of -tokenizer.
var benchText = flag.String("text", "", "file of text to count in BenchmarkText")

// BenchmarkText counts a file with a tokenizer that is not part of the
// repository. Every round begins with an empty
// cache: a text is counted as one that has not been seen.
func BenchmarkText(b *testing.B) {
	if *benchText == "" || *crossTokenizer == "" {
		b.Skip("give -args -tokenizer FILE -text FILE")
	}
	load := func() (*Tokenizer, error) { return Load(*crossTokenizer) }
	if *crossTokenizer == "builtin" {
		load = Builtin
	}
	tok, err := load()
	if err != nil {
		b.Fatal(err)
	}
	data, err := os.ReadFile(*benchText)
	if err != nil {
		b.Fatal(err)
	}
	text := string(data)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	tokens := 0
	for b.Loop() {
		b.StopTimer()
		tok.core.cache = newWordCache()
		b.StartTimer()
		tokens = tok.Count(text)
	}
	b.ReportMetric(float64(tokens), "tokens")
}
