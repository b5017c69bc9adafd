package tokenizer

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Rules that make a text longer without a bound are refused when the file is
// read.
func TestGrowthIsRefused(t *testing.T) {
	const model = `"model":{"type":"BPE","vocab":{"a":0},"merges":[]}`
	replace := func(from, to string) string {
		return fmt.Sprintf(`{"type":"Replace","pattern":{"String":%q},"content":%q}`, from, to)
	}
	chain := func(steps ...string) string {
		return `{"type":"Sequence","normalizers":[` + strings.Join(steps, ",") + `]}`
	}
	for _, tt := range []struct{ name, normalizer, want string }{
		{"a usual chain", chain(`{"type":"Prepend","prepend":"▁"}`, replace(" ", "▁")), ""},
		{"forms and a space", chain(`{"type":"NFKD"}`, `{"type":"NFC"}`, replace(" ", "▁")), ""},
		{"one long replacement", replace("a", strings.Repeat("a", 300)), "more than 256 times longer"},
		{"many short ones", chain(strings.Split(strings.Repeat(replace("a", "aa")+"\n", 9), "\n")[:9]...),
			"more than 256 times longer"},
		{"a long beginning", `{"type":"Prepend","prepend":"` + strings.Repeat("x", 2000) + `"}`, "adds 2000 bytes"},
		{"too many", chain(strings.Split(strings.Repeat(replace("a", "b")+"\n", 65), "\n")[:65]...), "65 steps"},
	} {
		path := filepath.Join(t.TempDir(), "tokenizer.json")
		if err := os.WriteFile(path, []byte(`{"normalizer":`+tt.normalizer+`,`+model+`}`), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := Load(path)
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := Load("/dev/zero"); err == nil || !strings.Contains(err.Error(), "device") {
		t.Errorf("/dev/zero: %v", err)
	}
}

// A word of megabytes is cut, takes no more memory than a short one, and counts
// nearly as many tokens.
func TestLongWords(t *testing.T) {
	b, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, unit := range []string{"a", "漢", "!?"} {
		one := b.Count(strings.Repeat(unit, longWord/len(unit)))
		text := strings.Repeat(unit, 4*longWord/len(unit))
		if got := b.Count(text); got < 4*one-8 || got > 4*one+8 {
			t.Errorf("%q: %d tokens, four quarters have %d", unit, got, 4*one)
		}
		if got := b.Decode(b.Encode(text)); got != text {
			t.Errorf("%q does not come back", unit)
		}
		w := b.core.walker()
		if cap(w.symbols) > 2*longWord {
			t.Errorf("%q: %d symbols are kept", unit, cap(w.symbols))
		}
	}
}

func TestCountWatched(t *testing.T) {
	b, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{strings.Repeat("word ", told), strings.Repeat("a", 5*told)} {
		want := b.Count(text)
		var seen []int
		n, whole := b.CountWatched(text, func(done int) bool { seen = append(seen, done); return true })
		if n != want || !whole || len(seen) < 4 {
			t.Errorf("%d tokens, want %d; whole %v; told %v", n, want, whole, seen)
		}
		calls := 0
		n, whole = b.CountWatched(text, func(int) bool { calls++; return calls < 2 })
		if whole || calls != 2 || n >= want {
			t.Errorf("stopped: %d tokens of %d after %d calls, whole %v", n, want, calls, whole)
		}
		if got := b.Count(text); got != want {
			t.Errorf("afterwards %d tokens, want %d", got, want)
		}
	}
}
