package plain

import (
	"io"
	"strconv"
	"sync"
	"unicode/utf8"
)

// NewWriter makes a fence before w: what steers a terminal is written as its
// code (\u001b), in the way in which JSON writes it, so that JSON means the same
// behind the fence. Newlines and tabs pass, and with styles the sequences of
// ECMA-48 that set colours and weights (ESC [ … m).
//
// A character that two writes cut in two is written with the second. It is safe
// for use by several goroutines.
func NewWriter(w io.Writer, styles bool) io.Writer { return &fence{w: w, styles: styles} }

type fence struct {
	mu     sync.Mutex
	w      io.Writer
	styles bool
	rest   []byte // the beginning of a character or a style whose end is to come
	out    []byte
}

// Write is that of an io.Writer; the count is of p's bytes.
func (f *fence) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.rest) == 0 && harmless(p) {
		return f.w.Write(p)
	}
	all := append(f.rest, p...)
	f.out = f.out[:0]
	for len(all) > 0 {
		n := f.next(all)
		if n == 0 {
			break
		}
		all = all[n:]
	}
	f.rest = append([]byte(nil), all...)
	if len(f.out) > 0 {
		if _, err := f.w.Write(f.out); err != nil {
			return 0, err
		}
	}
	return len(p), nil
}

// harmless reports whether bytes are of nothing but ASCII that may be shown.
func harmless(p []byte) bool {
	for _, c := range p {
		if (c < ' ' && c != '\n' && c != '\t') || c >= 0x7f {
			return false
		}
	}
	return true
}

// next writes the character or style at the start of p and returns its length,
// 0 where its end is not there yet.
func (f *fence) next(p []byte) int {
	if p[0] == '\n' || p[0] == '\t' || p[0] >= ' ' && p[0] < 0x7f {
		f.out = append(f.out, p[0])
		return 1
	}
	if f.styles && p[0] == 0x1b {
		if n, whole := style(p); n > 0 || !whole {
			f.out = append(f.out, p[:n]...)
			return n
		}
	}
	if !utf8.FullRune(p) {
		return 0
	}
	r, n := utf8.DecodeRune(p)
	if steers(r) {
		f.out = append(f.out, `\u`...)
		for _, c := range strconv.FormatInt(int64(r)|1<<16, 16)[1:] {
			f.out = append(f.out, byte(c))
		}
		return n
	}
	f.out = utf8.AppendRune(f.out, r)
	return n
}

// longestStyle is the length of the longest sequence that passes, in bytes.
const longestStyle = 24

// style is the length of the style at the start of p, 0 where there is none;
// whole is false where more bytes would tell.
func style(p []byte) (n int, whole bool) {
	for i := 1; i < len(p) && i < longestStyle; i++ {
		c := p[i]
		switch {
		case i == 1 && c != '[':
			return 0, true
		case i > 1 && c == 'm':
			return i + 1, true
		case i > 1 && c != ';' && (c < '0' || c > '9'):
			return 0, true
		}
	}
	return 0, len(p) >= longestStyle
}
