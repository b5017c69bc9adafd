// Package plain writes text for people. What a server, a file or a model's name
// says may hold characters that steer a terminal: escape sequences that move the
// cursor or set the clipboard, a return that writes over what stands there, and
// marks that turn the direction of reading round. None of them is shown as it
// is.
//
// Text passes here twice. [Line] makes one value fit for a cell, a note or a
// line, so that it cannot add lines of its own. [NewWriter] is the fence around
// a terminal, a pipe or a file, through which everything goes; nothing that was
// forgotten gets past it.
package plain

import (
	"strings"
	"unicode/utf8"
)

// steers reports whether a character is not to be shown as it is: the control
// characters C0, DEL and C1, line separators, and the marks and overrides of
// bidirectional text (Unicode Standard Annex 9, sections 2.1 to 2.6).
func steers(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r < 0xa0:
		return true
	case r < 0x61c:
		return false
	case r == 0x61c, r == 0x200e, r == 0x200f:
		return true
	}
	return r >= 0x2028 && r <= 0x202e || r >= 0x2066 && r <= 0x2069
}

// Line makes text one line without anything that steers: such characters, line
// ends among them, become spaces, and several spaces then become one. A sequence
// loses its escape and is then mere text. What is not UTF-8 becomes U+FFFD. A
// text without such characters stays as it is.
func Line(s string) string {
	if oneLine(s) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if steers(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.Join(strings.Fields(s), " ")
}

func oneLine(s string) bool {
	for _, r := range s {
		if r == utf8.RuneError || steers(r) {
			return false
		}
	}
	return true
}

// Args makes every text, error and Stringer among the arguments of a format one
// line; newlines of the format stay.
func Args(args []any) []any {
	out := make([]any, len(args))
	for i, a := range args {
		switch a := a.(type) {
		case string:
			out[i] = Line(a)
		case error:
			out[i] = Line(a.Error())
		case interface{ String() string }:
			out[i] = Line(a.String())
		default:
			out[i] = a
		}
	}
	return out
}
