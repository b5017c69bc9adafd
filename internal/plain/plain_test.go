package plain

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestLine(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"plain words", "plain words"},
		{"two\nlines\r\nand a tab\t.", "two lines and a tab ."},
		{"\x1b[2J\x1b]52;c;AAAA\x07now", "[2J ]52;c;AAAA now"},
		{"\u009b31mred\u009bm", "31mred m"},
		{"a\x9b31mb", "a\uFFFD31mb"},
		{"user\u202Egnp.exe", "user gnp.exe"},
		{"a\u2066b\u2069c\u200fd\u061ce", "a b c d e"},
		{"a\u2028b\x7fc\x00d", "a b c d"},
		{"日本語 é 👩‍💻", "日本語 é 👩‍💻"},
	} {
		if got := Line(c.in); got != c.want {
			t.Errorf("Line(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestWriter(t *testing.T) {
	const styled = "\x1b[1;36mbold\x1b[0m"
	for _, c := range []struct {
		in     string
		styles bool
		want   string
	}{
		{"a\tb\nc", false, "a\tb\nc"},
		{styled, true, styled},
		{styled, false, `\u001b[1;36mbold\u001b[0m`},
		{"\x1b[2J", true, `\u001b[2J`},
		{"\x1b]0;title\x07", true, `\u001b]0;title\u0007`},
		{"over\rwritten", true, `over\u000dwritten`},
		{"\u009b2J\x7f\u202e", true, `\u009b2J\u007f\u202e`},
		{"a\x9bb", false, "a\uFFFDb"},
		{"\x1b[" + strings.Repeat("1", 30) + "m", true, `\u001b[` + strings.Repeat("1", 30) + "m"},
	} {
		// However it is cut, the same comes out.
		for cut := range len(c.in) {
			var b bytes.Buffer
			w := NewWriter(&b, c.styles)
			for _, part := range []string{c.in[:cut], c.in[cut:]} {
				if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
					t.Fatal(n, err)
				}
			}
			if b.String() != c.want {
				t.Errorf("%q cut at %d: %q, want %q", c.in, cut, b.String(), c.want)
			}
		}
	}
}

// JSON means the same behind the fence.
func TestWriterKeepsJSON(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var want, got string
		want = strings.ToValidUTF8(rapid.String().Draw(t, "text")+"\u202e\u009b\x7f", "")
		var b, text bytes.Buffer
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		if err := e.Encode(want); err != nil {
			t.Fatal(err)
		}
		if _, err := NewWriter(&b, false).Write(text.Bytes()); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b.Bytes(), &got); err != nil || got != want {
			t.Fatalf("%q became %q: %v", want, got, err)
		}
	})
}

func TestArgs(t *testing.T) {
	got := Args([]any{"a\x1bb", errors.New("c\nd"), 7, nil})
	if got[0] != "a b" || got[1] != "c d" || got[2] != 7 || got[3] != nil {
		t.Errorf("%q", got)
	}
}

// FuzzWriter checks that nothing that steers gets through, in whatever pieces.
func FuzzWriter(f *testing.F) {
	f.Add([]byte("\x1b[31mx\u202e\x9b"), 3)
	f.Fuzz(func(t *testing.T, p []byte, cut int) {
		var b bytes.Buffer
		w := NewWriter(&b, false)
		cut = min(max(cut, 0), len(p))
		for _, part := range [][]byte{p[:cut], p[cut:], []byte("\n")} {
			if _, err := w.Write(part); err != nil {
				t.Fatal(err)
			}
		}
		if !utf8.Valid(b.Bytes()) {
			t.Errorf("%q is not UTF-8", b.Bytes())
		}
		for _, r := range b.String() {
			if r != '\n' && r != '\t' && steers(r) {
				t.Errorf("%U got through", r)
			}
		}
	})
}
