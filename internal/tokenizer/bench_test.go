package tokenizer

import (
	"os"
	"strings"
	"testing"
)

// corpora are texts of about 1 MB: prose of 47 thousand different words, this
// package's own source, Chinese and Japanese.
func corpora(b *testing.B) map[string]string {
	words := mustBuiltin(b).Words()
	var prose strings.Builder
	for i := 0; prose.Len() < 1<<20; i++ {
		// Squares favour low ids, which are the frequent words.
		n := i * 7919 % len(words)
		prose.WriteString(words[n*n/len(words)])
		if i%13 == 12 {
			prose.WriteString(". It's ")
		}
	}
	var code strings.Builder
	files, err := os.ReadDir(".")
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range files {
		if data, err := os.ReadFile(f.Name()); err == nil && strings.HasSuffix(f.Name(), ".go") {
			code.Write(data)
		}
	}
	const cjk = "今天的天气很好，我们一起去公园散步吧。服务器每秒处理很多请求。東京の夜はとても明るいです。カタカナとひらがなが混ざっています。"
	runes := []rune(cjk)
	var mixed strings.Builder
	for i := 0; mixed.Len() < 1<<20; i++ {
		from := i * 31 % len(runes)
		mixed.WriteString(string(runes[from:min(len(runes), from+2+i%9)]))
	}
	return map[string]string{"prose": prose.String(), "code": code.String(), "cjk": mixed.String()}
}

func BenchmarkBuiltinCount(b *testing.B) {
	tok := mustBuiltin(b)
	for name, text := range corpora(b) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				tok.Count(text)
			}
		})
	}
}

func BenchmarkBuiltinEncode(b *testing.B) {
	tok := mustBuiltin(b)
	for name, text := range corpora(b) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			ids := make([]int, 0, len(text))
			for b.Loop() {
				ids = tok.AppendEncode(ids[:0], text)
			}
		})
	}
}

func BenchmarkBuiltinLoad(b *testing.B) {
	for b.Loop() {
		if _, err := newBuiltin(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLongWord is a text without a space, which goes through the heap.
func BenchmarkLongWord(b *testing.B) {
	tok := mustBuiltin(b)
	text := strings.Repeat("abcdefghijklmnopqrstuvwxyz", 4000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		tok.Count(text)
	}
}
