package tokenizer

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// unicodeForm is NFC, NFD, NFKC or NFKD.
type unicodeForm struct{ form norm.Form }

func (n unicodeForm) normalize(text string) string {
	if isASCII(text) {
		return text
	}
	return n.form.String(text)
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
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
