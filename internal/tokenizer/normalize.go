package tokenizer

import (
	"strings"
	"sync/atomic"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// unicodeForm is NFC, NFD, NFKC or NFKD.
type unicodeForm struct{ form norm.Form }

func (n unicodeForm) normalize(text string) string {
	if isASCII(text) || n.form == norm.NFC && composed(text) {
		return text
	}
	return n.form.String(text)
}

// inert are the characters that composed has found NFC to keep wherever they stand.
var inert [tabled / 64]atomic.Uint64

// composed says of a text that NFC keeps it, by its characters alone: five times as
// fast as asking the library, which answers once for each character. It is false
// where the answer takes more than that.
func composed(text string) bool {
	for at := asciiEnd(text, 0); at < len(text); at = asciiEnd(text, at) {
		r, n := utf8.DecodeRuneInString(text[at:])
		if uint32(r)/64 >= uint32(len(inert)) {
			return false
		}
		if inert[r/64].Load()>>(r%64)&1 == 0 {
			if !isInert(r) {
				return false
			}
			inert[r/64].Or(1 << (r % 64))
		}
		at += n
	}
	return true
}

// isInert says whether NFC keeps r wherever it stands: it composes with nothing
// before it, is no mark, and is composed (the "yes" of UAX 15, section 9). What
// stands for bytes that are not UTF-8 is not.
func isInert(r rune) bool {
	s := string(r)
	return r != utf8.RuneError && norm.NFC.PropertiesString(s).BoundaryBefore() && norm.NFC.IsNormalString(s)
}

func isASCII(s string) bool { return asciiEnd(s, 0) == len(s) }

// asciiEnd returns the end of the run of ASCII at s[at:]. It looks at eight bytes at
// a time: most of the text that is measured is ASCII.
func asciiEnd(s string, at int) int {
	for at+8 <= len(s) {
		if p := s[at : at+8]; (p[0]|p[1]|p[2]|p[3]|p[4]|p[5]|p[6]|p[7])&utf8.RuneSelf != 0 {
			break
		}
		at += 8
	}
	for at < len(s) && s[at] < utf8.RuneSelf {
		at++
	}
	return at
}

// lowercase maps every character by itself, so that a capital sigma at the end
// of a word becomes σ.
type lowercase struct{}

func (lowercase) normalize(text string) string {
	// The only character that becomes two without regard to language.
	const dotted = "\u0130"
	if strings.Contains(text, dotted) {
		text = strings.ReplaceAll(text, dotted, "i\u0307")
	}
	return strings.Map(unicode.ToLower, text)
}

type stripSpace struct{ left, right bool }

func (n stripSpace) normalize(text string) string {
	if n.left {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
	}
	if n.right {
		text = strings.TrimRightFunc(text, unicode.IsSpace)
	}
	return text
}

type replaceAll struct{ old, new string }

func (n replaceAll) normalize(text string) string { return strings.ReplaceAll(text, n.old, n.new) }

// replaceSpaces replaces every run of two or more spaces (the pattern ` {2,}`).
type replaceSpaces struct{ new string }

func (n replaceSpaces) normalize(text string) string {
	const two = "  "
	if !strings.Contains(text, two) {
		return text
	}
	var b strings.Builder
	for {
		i := strings.Index(text, two)
		if i < 0 {
			b.WriteString(text)
			return b.String()
		}
		b.WriteString(text[:i])
		b.WriteString(n.new)
		text = strings.TrimLeft(text[i:], " ")
	}
}

type prependText struct{ prefix string }

func (n prependText) normalize(text string) string {
	if text == "" {
		return text
	}
	return n.prefix + text
}

func unicodeForms() map[string]norm.Form {
	return map[string]norm.Form{"NFC": norm.NFC, "NFD": norm.NFD, "NFKC": norm.NFKC, "NFKD": norm.NFKD}
}
