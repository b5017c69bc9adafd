package tokenizer

import (
	"os"
	"testing"
	"unicode/utf8"
)

// FuzzLoad: no file, and no text put through what a file describes, panics.
func FuzzLoad(f *testing.F) {
	for _, file := range fixtures(f) {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, "Hello, wörld 123 <s>\n")
	}
	for _, part := range [][2]string{
		{"normalizer", `{"type":"Sequence","normalizers":[{"type":"NFKC"},{"type":"Strip"},{"type":"Prepend",` +
			`"prepend":"▁"}]}`},
		{"pre_tokenizer", `{"type":"Split","pattern":{"String":"a"},"behavior":"MergedWithNext"}`},
		{"decoder", `{"type":"Strip","content":" ","start":3,"stop":3}`},
		{"added_tokens", `[{"id":3,"content":"b","lstrip":true,"rstrip":true,"single_word":true}]`},
		{"model", `{"type":"Unigram","unk_id":0,"vocab":[["u",0],["<0x61>",-1],["aa",-2]],"byte_fallback":true}`},
	} {
		f.Add([]byte(smallFile(part[0], part[1])), "ab \xff ba")
	}
	f.Fuzz(func(t *testing.T, data []byte, text string) {
		c, err := parse(data)
		if err != nil {
			return
		}
		tok := &Tokenizer{"", c}
		ids := tok.Encode(text)
		if n := tok.Count(text); n != len(ids) {
			t.Errorf("Count = %d, Encode gives %d", n, len(ids))
		}
		for _, id := range ids {
			if id < 0 || id >= tok.VocabSize() {
				t.Errorf("id %d is not below %d", id, tok.VocabSize())
			}
		}
		tok.Decode(ids)
	})
}

// FuzzRoundTrip: a byte-level vocabulary without normalisation loses nothing.
func FuzzRoundTrip(f *testing.F) {
	toks := []*Tokenizer{mustBuiltin(f)}
	for _, name := range []string{"gpt2", "llama3", "qwen35", "o200k", "tekken", "deepseek", "digits", "punctuation"} {
		tok := mustLoad(f, name)
		tok.core.normalizers = nil
		tok.core.added = nil // tokens that take white space along lose it
		tok.core.addedNormal = nil
		toks = append(toks, tok)
	}
	for _, s := range []string{"", "Hello world", "don't DON'T", " \r\n\t x", "中文ABCабв", "e\u0301🙂\u200d", "a\xffb",
		"12345 ½", "\u2028\ufeff\u00a0", "'ſ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, tok := range toks {
			ids := tok.Encode(s)
			if n := tok.Count(s); n != len(ids) {
				t.Errorf("%s: Count(%q) = %d, Encode gives %d", tok.Name(), s, n, len(ids))
			}
			if got := tok.Decode(ids); got != validText(s) {
				t.Errorf("%s: Decode(Encode(%q)) = %q", tok.Name(), s, got)
			}
			if utf8.ValidString(s) && validText(s) != s {
				t.Errorf("validText changes %q", s)
			}
		}
	})
}

// FuzzCharsmap: no character map panics or makes a loop.
func FuzzCharsmap(f *testing.F) {
	f.Add("", "text")
	f.Add("BAAAAAAAAABhAA==", "aé\u0301 ")
	f.Fuzz(func(t *testing.T, encoded, text string) {
		if m, err := parseCharsmap(encoded); err == nil {
			m.normalize(text)
		}
	})
}
