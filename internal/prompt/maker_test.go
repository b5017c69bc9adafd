package prompt

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/tokenizer"
	"headway/workload"
)

func builtin(t testing.TB) *tokenizer.Tokenizer {
	t.Helper()
	tok, err := tokenizer.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// tokenizers returns the built-in one and every fixture.
func tokenizers(t testing.TB) []*tokenizer.Tokenizer {
	t.Helper()
	all := []*tokenizer.Tokenizer{builtin(t)}
	paths, err := filepath.Glob("../tokenizer/testdata/*.tokenizer.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no fixtures of internal/tokenizer: %v", err)
	}
	for _, path := range paths {
		tok, err := tokenizer.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if name := filepath.Base(path); name != encodesNothing {
			all = append(all, tok.Named(name))
		}
	}
	return all
}

// encodesNothing is a fixture that keeps the digits of a text and of these the
// letters a: no text has a token, so none can be made.
const encodesNothing = "split_removed_invert.tokenizer.json"

func TestNoTextAtAll(t *testing.T) {
	tok, err := tokenizer.Load("../tokenizer/testdata/" + encodesNothing)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := New(tok).Text(workload.Seed(1), 1); err == nil {
		t.Errorf("made %q of a token where no text has one", text)
	}
}

// TestExact makes prompts of each length with each tokenizer and counts them. A
// small part runs by default; HEADWAY_VERIFY_TOKENS=1 runs all of it.
func TestExact(t *testing.T) {
	numbers := map[int]int{1: 30, 2: 5, 100: 10, 2000: 2}
	if os.Getenv("HEADWAY_VERIFY_TOKENS") != "" {
		numbers = map[int]int{1: 1000, 2: 1000, 100: 1000, 2000: 1000, 32_000: 100}
	}
	for _, tok := range tokenizers(t) {
		t.Run(tok.Name(), func(t *testing.T) {
			t.Parallel()
			m := New(tok)
			for tokens, n := range numbers {
				key := workload.Seed(1).Index(tokens)
				for i := range n {
					text, err := m.Text(key.Index(i), tokens)
					if err != nil {
						t.Fatal(err)
					}
					if got := len(tok.Encode(text)); got != tokens {
						t.Fatalf("prompt %d of %d tokens encodes to %d: %.200q", i, tokens, got, text)
					}
					if strings.TrimSpace(text) != text {
						t.Fatalf("prompt %d begins or ends with white space, which chat templates "+
							"strip: %.200q", i, text)
					}
				}
			}
		})
	}
}

// TestPrefixExact checks lengths on both sides of the seam, and of the whole.
func TestPrefixExact(t *testing.T) {
	for _, tok := range tokenizers(t) {
		t.Run(tok.Name(), func(t *testing.T) {
			t.Parallel()
			m := New(tok)
			for i, c := range [][2]int{{1, 1}, {1, 50}, {64, 1}, {128, 200}, {50, 0}} {
				r := workload.Request{Prompt: workload.Prompt{
					Key: workload.Seed(2).Index(i), Tokens: c[1],
					Prefix: workload.Prefix{Key: workload.Seed(3).Index(i), Tokens: c[0]},
				}}
				got, err := m.Fill(r)
				if err != nil {
					t.Fatal(err)
				}
				if n := tok.Count(got.Prompt.Text); n != c[0]+c[1] {
					t.Errorf("%d and %d tokens joined are %d", c[0], c[1], n)
				}
				prefix, err := m.Shared(r.Prompt.Prefix.Key, c[0])
				if err != nil {
					t.Fatal(err)
				}
				if n := tok.Count(prefix); n != c[0] || !strings.HasPrefix(got.Prompt.Text, prefix) {
					t.Errorf("the prefix of %d tokens is %d, %q in %q", c[0], n, prefix, got.Prompt.Text)
				}
			}
		})
	}
}

// TestOwnBeginnings checks that no two prompts share their first 16 tokens, and
// that those with the same prefix share it to the token.
func TestOwnBeginnings(t *testing.T) {
	tok := builtin(t)
	m := New(tok)
	seen := map[string]string{}
	for _, level := range []string{"1", "10", "100"} {
		key := workload.Stream{Run: "r", Level: level}.Key(42)
		for i := range 500 {
			text, err := m.Text(key.Index(i), 60)
			if err != nil {
				t.Fatal(err)
			}
			begin := fmt.Sprint(tok.Encode(text)[:16])
			if other := seen[begin]; other != "" {
				t.Fatalf("%q and %q begin alike", text, other)
			}
			seen[begin] = text
		}
	}
}

func TestPure(t *testing.T) {
	tok := builtin(t)
	a, b := New(tok), New(tok)
	for i := range 20 {
		if _, err := b.Text(workload.Seed(9).Index(i), 70); err != nil {
			t.Fatal(err)
		}
		x, err1 := a.Text(workload.Seed(5), 300)
		y, err2 := b.Text(workload.Seed(5), 300)
		if x != y || err1 != nil || err2 != nil {
			t.Fatalf("the same key gives %q and %q (%v, %v)", x, y, err1, err2)
		}
	}
}

// vocabulary writes a byte-level BPE tokenizer of whole-character tokens.
func vocabulary(t *testing.T, tokens ...string) *tokenizer.Tokenizer {
	t.Helper()
	var entries []string
	for i, token := range tokens {
		entries = append(entries, fmt.Sprintf("%q:%d", token, i))
	}
	text := `{"version":"1.0","added_tokens":[],"normalizer":null,"post_processor":null,
"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":true},
"decoder":{"type":"ByteLevel","add_prefix_space":true,"trim_offsets":true,"use_regex":true},
"model":{"type":"BPE","vocab":{` + strings.Join(entries, ",") + `},"merges":[]}}`
	path := filepath.Join(t.TempDir(), "tokenizer.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tok, err := tokenizer.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return tok.Named("small")
}

// TestWithoutWords makes prompts of letters where there are no words.
func TestWithoutWords(t *testing.T) {
	letters := []string{"Ġ"}
	for c := 'a'; c <= 'z'; c++ {
		letters = append(letters, string(c))
	}
	tok := vocabulary(t, letters...)
	m := New(tok)
	for _, tokens := range []int{1, 2, 3, 17, 500, 3000} {
		text, err := m.Text(workload.Seed(1), tokens)
		if err != nil {
			t.Fatal(err)
		}
		if n := tok.Count(text); n != tokens || strings.TrimSpace(text) != text {
			t.Errorf("%d tokens encode to %d: %.100q", tokens, n, text)
		}
	}
}

func TestImpossible(t *testing.T) {
	m := New(vocabulary(t, "Ġ", "."))
	_, err := m.Text(workload.Seed(1), 10)
	if err == nil || !strings.Contains(err.Error(), "tokenizer small") || !strings.Contains(err.Error(), "10 tokens") {
		t.Errorf("error %v, want one that names the tokenizer and the length", err)
	}
}

func TestSharedIsBounded(t *testing.T) {
	var s sharedTexts
	big := strings.Repeat("x", sharedRoom-10)
	s.put(sharedName{1, 1}, big)
	s.put(sharedName{2, 1}, "more than ten bytes")
	s.put(sharedName{3, 1}, "ten")
	_, one := s.get(sharedName{1, 1})
	_, two := s.get(sharedName{2, 1})
	_, three := s.get(sharedName{3, 1})
	if !one || two || !three {
		t.Errorf("kept %v %v %v, want the second left out", one, two, three)
	}
}

func FuzzText(f *testing.F) {
	tok := builtin(f)
	m := New(tok)
	f.Add(uint64(1), uint16(1), uint16(0))
	f.Add(uint64(99), uint16(700), uint16(33))
	f.Fuzz(func(t *testing.T, key uint64, tokens, prefix uint16) {
		n, p := int(tokens%1000)+1, int(prefix%200)
		r, err := m.Fill(workload.Request{Prompt: workload.Prompt{
			Key: workload.Key(key), Tokens: n, Prefix: workload.Prefix{Key: workload.Key(key + 1), Tokens: p},
		}})
		if err != nil {
			t.Fatal(err)
		}
		if got := tok.Count(r.Prompt.Text); got != n+p {
			t.Fatalf("%d + %d tokens are %d", p, n, got)
		}
	})
}

func BenchmarkText2000(b *testing.B) {
	m := New(builtin(b))
	key := workload.Seed(1)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := m.Text(key.Index(i), 2000); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNew(b *testing.B) {
	tok := builtin(b)
	for b.Loop() {
		New(tok)
	}
}
