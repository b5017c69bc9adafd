package tokenizer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

func mustLoad(t testing.TB, name string) *Tokenizer {
	t.Helper()
	tok, err := Load(filepath.Join("testdata", name+".tokenizer.json"))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func mustBuiltin(t testing.TB) *Tokenizer {
	t.Helper()
	tok, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

func TestBuiltinFacts(t *testing.T) {
	tok := mustBuiltin(t)
	if tok.Name() != "builtin (o200k_base)" || tok.VocabSize() != 200019 || tok.Fingerprint() != "446a9538cb6c348e" {
		t.Errorf("name %q, size %d, fingerprint %s", tok.Name(), tok.VocabSize(), tok.Fingerprint())
	}
	if id, ok := tok.EOS(); !ok || tok.Decode([]int{id}) != "<|endoftext|>" {
		t.Errorf("EOS is %d, %v", id, ok)
	}
	if id, ok := tok.BOS(); ok {
		t.Errorf("BOS is %d, want none", id)
	}
	other := tok.Named("mine")
	if other.Name() != "mine" || tok.Name() == "mine" || other.Count("two words") != 2 {
		t.Errorf("Named gives %q and leaves %q", other.Name(), tok.Name())
	}
}

func TestLoadFolderAndEnds(t *testing.T) {
	data, err := os.ReadFile("testdata/llama2.tokenizer.json")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name, content string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	check := func(bos, eos string) {
		t.Helper()
		tok, err := Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		b, hasBOS := tok.BOS()
		e, hasEOS := tok.EOS()
		if hasBOS != (bos != "") || hasEOS != (eos != "") || hasBOS && tok.core.pieces.piece(b) != bos ||
			hasEOS && tok.core.pieces.piece(e) != eos {
			t.Errorf("BOS %d %v, EOS %d %v, want %q and %q", b, hasBOS, e, hasEOS, bos, eos)
		}
		if tok.Name() != dir {
			t.Errorf("name is %q, want %q", tok.Name(), dir)
		}
	}
	write(fileName, string(data))
	check("<s>", "</s>")
	write(configName, `{"bos_token": null, "eos_token": {"content": "<|im_end|>"}}`)
	check("", "<|im_end|>")
	if _, err := Load(filepath.Join(dir, "absent")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

func TestWords(t *testing.T) {
	toks := map[string]*Tokenizer{"builtin": mustBuiltin(t)}
	for _, name := range []string{"llama3", "qwen2", "deepseek", "gemma", "mistral", "unigram", "t5", "llama2"} {
		toks[name] = mustLoad(t, name)
	}
	for name, tok := range toks {
		words, bare := tok.Words(), tok.BareWords()
		if len(bare) < 5 || len(words) < 100 && name != "llama2" {
			t.Errorf("%s: %d words, %d bare words, want 100 and 5 or more", name, len(words), len(bare))
			continue
		}
		if name == "llama2" && len(words) != 0 {
			t.Errorf("%s: %d words, want none: it puts a space before the first", name, len(words))
		}
		if few := tok.FewWords(70); !slices.Equal(few, words[:min(70, len(words))]) {
			t.Errorf("%s: the first words are %q, of all %q", name, few, words[:min(70, len(words))])
		}
		for i := range 100 {
			if text := pick(words, i, ""); tok.Count(text) != min(i, len(words)*i) {
				t.Errorf("%s: %d words are %d tokens: %q", name, i, tok.Count(text), text)
			}
			if text := pick(bare, i, " "); tok.Count(text) != i {
				t.Errorf("%s: %d bare words are %d tokens: %q", name, i, tok.Count(text), text)
			}
		}
		for _, w := range words {
			if w[0] != ' ' || len(w) < 3 || strings.Trim(w[1:], "abcdefghijklmnopqrstuvwxyz") != "" {
				t.Errorf("%s: %q is no word", name, w)
			}
		}
	}
	if n := len(mustBuiltin(t).Words()); n < 20000 {
		t.Errorf("builtin has %d words, want 20,000 or more", n)
	}
}

// pick joins n words, each a different distance from the one before.
func pick(words []string, n int, between string) string {
	if len(words) == 0 {
		return ""
	}
	out := make([]string, n)
	for i := range out {
		out[i] = words[(n*n*31+i*i*17+i)%len(words)]
	}
	return strings.Join(out, between)
}

func TestConcurrent(t *testing.T) {
	tok := mustLoad(t, "deepseek")
	texts := make([]string, 200)
	want := make([][]int, len(texts))
	for i := range texts {
		texts[i] = strings.Repeat("word", i%9) + pick(tok.Words(), i, " 12é ")
		want[i] = mustLoad(t, "deepseek").Encode(texts[i])
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for i, text := range texts {
				if got := tok.Encode(text); !slices.Equal(got, want[i]) {
					t.Errorf("Encode(%q) = %v, want %v", text, got, want[i])
				}
			}
		})
	}
	wg.Wait()
}

func TestAppendEncode(t *testing.T) {
	tok := mustBuiltin(t)
	got := tok.AppendEncode([]int{1, 2}, "hello world")
	if want := append([]int{1, 2}, tok.Encode("hello world")...); !slices.Equal(got, want) {
		t.Errorf("AppendEncode = %v, want %v", got, want)
	}
	if n := testing.AllocsPerRun(100, func() { tok.Count("hello world, once more and again") }); n != 0 {
		t.Errorf("Count of known words allocates %v times, want 0", n)
	}
}

// The two ways of merging are one algorithm.
func TestLongWordsMergeAlike(t *testing.T) {
	for _, tok := range []*Tokenizer{mustBuiltin(t), mustLoad(t, "gpt2"), mustLoad(t, "llama2")} {
		b := tok.core.model.(*bpe)
		for _, unit := range []string{"a", "ab", "tokenization", "服务器", "éa", "xyzzy", "the"} {
			word := strings.Repeat(unit, 400/len(unit))
			w := tok.core.walker()
			heap := b.tokens(nil, word, w)
			syms := b.start(b, word, nil)
			for i := range syms {
				syms[i].rank = noRank
				if i+1 < len(syms) {
					b.rate(word, &syms[i], &syms[i+1])
				}
			}
			var linear []int32
			for _, s := range b.mergeLinear(word, syms) {
				linear = append(linear, s.id)
			}
			if !slices.Equal(heap, linear) {
				t.Errorf("%s: %q…: heap gives %v, linear %v", tok.Name(), unit, heap, linear)
			}
		}
	}
}

func TestValidText(t *testing.T) {
	for in, want := range map[string]string{
		"":                     "",
		"aé中🙂":                 "aé中🙂",
		"\xff":                 "\ufffd",
		"\xff\xfe":             "\ufffd\ufffd",
		"a\xe4\xb8":            "a\ufffd",
		"\xe4\xb8a":            "\ufffda",
		"\xf0\x9f\x99":         "\ufffd",
		"\xf0\x9f\xf0\x9f\x99": "\ufffd\ufffd",
		"\xe0\x80":             "\ufffd\ufffd",
		"\xed\xa0\x80":         "\ufffd\ufffd\ufffd",
		"\xf4\x90\x80\x80":     "\ufffd\ufffd\ufffd\ufffd",
		"\xc3(":                "\ufffd(",
		"\xef\xbf\xbd":         "\ufffd",
	} {
		if got := validText(in); got != want {
			t.Errorf("validText(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestTrie(t *testing.T) {
	keys := []string{"a", "ab", "", "abc", "b", "中", "ab", "\x00"}
	for i := range 256 {
		keys = append(keys, "w"+string([]byte{byte(i)}))
	}
	tr := newTrie(keys)
	find := func(s string) int32 {
		node := uint32(root)
		for i := range len(s) {
			if node = tr.step(node, s[i]); node == root {
				return -1
			}
		}
		return tr.values[node]
	}
	for i, k := range keys {
		want := int32(i)
		if k == "ab" {
			want = 6 // the later of two
		}
		if k == "" {
			want = -1
		}
		if got := find(k); got != want {
			t.Errorf("find(%q) = %d, want %d", k, got, want)
		}
	}
	for _, k := range []string{"c", "abd", "w", "wab", "\xe4", "\x00\x00"} {
		if got := find(k); got != -1 {
			t.Errorf("find(%q) = %d, want -1", k, got)
		}
	}
}

func TestByteAlphabet(t *testing.T) {
	seen := make(map[rune]bool)
	for i := range 256 {
		r := byteChar(byte(i))
		if b, ok := charByte(r); !ok || int(b) != i || seen[r] {
			t.Errorf("byte %#x is %q, which is byte %#x (%v)", i, r, b, ok)
		}
		seen[r] = true
	}
	for _, r := range " \x7f\u00a0\u00ad\u0144中" {
		if b, ok := charByte(r); ok {
			t.Errorf("%q stands for byte %#x, want none", r, b)
		}
	}
}
