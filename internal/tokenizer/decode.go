package tokenizer

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// pieceTable gives the string of every id: the model's and the added tokens'.
type pieceTable struct {
	vocab *vocab
	extra map[int]string // added tokens; these come first
}

func (t *pieceTable) piece(id int) string {
	if s, ok := t.extra[id]; ok {
		return s
	}
	return t.vocab.piece(id)
}

func (t *pieceTable) size() int {
	n := t.vocab.size()
	for id := range t.extra {
		n = max(n, id+1)
	}
	return n
}

// A decoder is one step from the pieces of a text to the text.
type decoder interface {
	decode(pieces []string) []string
}

func (c *core) decode(ids []int) string {
	pieces := make([]string, 0, len(ids))
	for _, id := range ids {
		if p := c.pieces.piece(id); p != "" {
			pieces = append(pieces, p)
		}
	}
	if len(c.decoders) == 0 {
		return strings.Join(pieces, " ")
	}
	for _, d := range c.decoders {
		pieces = d.decode(pieces)
	}
	return strings.Join(pieces, "")
}

// byteDecoder joins pieces that are bytes already.
type byteDecoder struct{}

func (byteDecoder) decode(pieces []string) []string {
	return []string{validText(strings.Join(pieces, ""))}
}

// fuseDecoder joins.
type fuseDecoder struct{}

func (fuseDecoder) decode(pieces []string) []string { return []string{strings.Join(pieces, "")} }

// normalDecoder rewrites every piece by itself.
type normalDecoder struct{ normalizer }

func (d normalDecoder) decode(pieces []string) []string {
	for i, p := range pieces {
		pieces[i] = d.normalize(p)
	}
	return pieces
}

// metaspaceDecoder turns the mark back into spaces, and leaves it out of the
// first piece where encoding may have put it there.
type metaspaceDecoder struct {
	mark   string
	strips bool
}

func (d metaspaceDecoder) decode(pieces []string) []string {
	for i, p := range pieces {
		space := " "
		if i == 0 && d.strips {
			space = ""
		}
		pieces[i] = strings.ReplaceAll(p, d.mark, space)
	}
	return pieces
}

// stripDecoder takes up to start of a character off the start of every piece
// and up to stop off its end.
type stripDecoder struct {
	char        string
	start, stop int
}

func (d stripDecoder) decode(pieces []string) []string {
	for i, p := range pieces {
		for n := 0; n < d.start && strings.HasPrefix(p, d.char); n++ {
			p = p[len(d.char):]
		}
		for n := 0; n < d.stop && strings.HasSuffix(p, d.char); n++ {
			p = p[:len(p)-len(d.char)]
		}
		pieces[i] = p
	}
	return pieces
}

// fallbackDecoder joins neighbouring pieces that name bytes (<0xE2>) into what
// the bytes say, or one U+FFFD for each when they are not UTF-8.
type fallbackDecoder struct{}

func (fallbackDecoder) decode(pieces []string) []string {
	out := make([]string, 0, len(pieces))
	var run []byte
	flush := func() {
		switch {
		case len(run) == 0:
		case utf8.Valid(run):
			out = append(out, string(run))
		default:
			out = append(out, strings.Repeat("\uFFFD", len(run)))
		}
		run = run[:0]
	}
	for _, p := range pieces {
		if b, ok := namedByte(p); ok {
			run = append(run, b)
			continue
		}
		flush()
		out = append(out, p)
	}
	flush()
	return out
}

func namedByte(piece string) (byte, bool) {
	if len(piece) != 6 || piece[:3] != "<0x" || piece[5] != '>' {
		return 0, false
	}
	b, err := strconv.ParseUint(piece[3:5], 16, 8)
	return byte(b), err == nil
}

// validText replaces what is not UTF-8 the way the Unicode standard recommends
// (section 3.9, substitution of maximal subparts) and Rust and Python do: one
// U+FFFD for the longest start of a character that could have been one.
// strings.ToValidUTF8 would give one for a whole run of bad bytes.
func validText(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			n = maximalSubpart(s)
		}
		b.WriteRune(r)
		s = s[n:]
	}
	return b.String()
}

// maximalSubpart returns the length of the longest prefix of s, which does not
// start with a valid character, that a valid character could start with, at
// least 1.
func maximalSubpart(s string) int {
	low, high, want := byte(0x80), byte(0xBF), 0
	switch b := s[0]; {
	case b >= 0xC2 && b <= 0xDF:
		want = 1
	case b >= 0xE0 && b <= 0xEF:
		want = 2
		if b == 0xE0 {
			low = 0xA0
		} else if b == 0xED {
			high = 0x9F
		}
	case b >= 0xF0 && b <= 0xF4:
		want = 3
		if b == 0xF0 {
			low = 0x90
		} else if b == 0xF4 {
			high = 0x8F
		}
	}
	n := 1
	for n <= want && n < len(s) && s[n] >= low && s[n] <= high {
		n++
		low, high = 0x80, 0xBF
	}
	return n
}
