package tokenizer

import (
	"flag"
	"testing"
)

// The flags of testdata/crosscheck.py, which compares many more texts with the
// reference libraries than the repository holds.
var (
	crossTokenizer = flag.String("tokenizer", "", "tokenizer to compare: a file, or builtin")
	crossGolden    = flag.String("golden", "", "what the reference library makes of texts")
)

func TestCrosscheck(t *testing.T) {
	if *crossGolden == "" {
		t.Skip("run testdata/crosscheck.py, which calls this with texts")
	}
	load := func() (*Tokenizer, error) { return Load(*crossTokenizer) }
	if *crossTokenizer == "builtin" {
		load = Builtin
	}
	tok, err := load()
	if err != nil {
		t.Fatal(err)
	}
	checkGolden(t, tok, *crossGolden)
}
