package tokenizer

import (
	"sync"
	"unicode"
	"unicode/utf8"
)

// class is a set of bits saying which Unicode classes a character is in.
// The patterns of pre-tokenizers tell letters apart by case, so letters take
// three bits: upper (Lu, Lt), lower (Ll) and caseless (Lm, Lo).
type class uint8

const (
	classUpper    class = 1 << iota // Lu, Lt
	classLower                      // Ll
	classCaseless                   // Lm, Lo
	classMark                       // M
	classNumber                     // N
	classSpace                      // White_Space, which is what \s means to the regular expressions
	classPunct                      // P
	classSymbol                     // S
)

const classLetter = classUpper | classLower | classCaseless

// tabled is the first code point whose class is not tabled: the table holds
// the Basic and the Supplementary Multilingual Plane, 128 KiB.
const tabled = 0x20000

// classTable is filled once: every scanner reads it, none writes it.
var classTable = sync.OnceValue(newClassTable)

// classes answers which classes a code point is in.
type classes [tabled]class

func classRanges() map[class][]*unicode.RangeTable {
	return map[class][]*unicode.RangeTable{
		classUpper:    {unicode.Lu, unicode.Lt},
		classLower:    {unicode.Ll},
		classCaseless: {unicode.Lm, unicode.Lo},
		classMark:     {unicode.M},
		classNumber:   {unicode.N},
		classSpace:    {unicode.White_Space},
		classPunct:    {unicode.P},
		classSymbol:   {unicode.S},
	}
}

func newClassTable() *classes {
	t := new(classes)
	for c, tables := range classRanges() {
		for _, table := range tables {
			for _, r := range table.R16 {
				t.mark(c, rune(r.Lo), rune(r.Hi), rune(r.Stride))
			}
			for _, r := range table.R32 {
				t.mark(c, rune(r.Lo), rune(r.Hi), rune(r.Stride))
			}
		}
	}
	return t
}

func (t *classes) mark(c class, lo, hi, stride rune) {
	for r := lo; r <= hi && r < tabled; r += stride {
		t[r] |= c
	}
}

// of returns the classes of r.
func (t *classes) of(r rune) class {
	if uint32(r) < tabled {
		return t[r]
	}
	return beyondTable(r)
}

// beyondTable classifies the planes above the table, which hold ideographs,
// private use, tags and variation selectors.
func beyondTable(r rune) class {
	var c class
	if unicode.Is(unicode.Lo, r) {
		c |= classCaseless
	}
	if unicode.Is(unicode.M, r) {
		c |= classMark
	}
	return c
}

// next decodes the character at s[at:] and returns its classes and width.
// Past the end it returns width 0. A byte that is not UTF-8 counts as one
// character of no class, so that text from a broken stream can be counted.
func (t *classes) next(s string, at int) (c class, r rune, width int) {
	if at >= len(s) {
		return 0, 0, 0
	}
	if b := s[at]; b < utf8.RuneSelf {
		return t[b], rune(b), 1
	}
	r, width = utf8.DecodeRuneInString(s[at:])
	if r == utf8.RuneError && width == 1 {
		return 0, r, 1
	}
	return t.of(r), r, width
}

// run returns the end of the run of characters in any class of set that
// starts at s[at:], of at most limit characters (limit < 0: no limit).
func (t *classes) run(s string, at int, set class, limit int) int {
	for ; limit != 0 && at < len(s); limit-- {
		if b := s[at]; b < utf8.RuneSelf {
			if t[b]&set == 0 {
				return at
			}
			at++
			continue
		}
		c, _, w := t.next(s, at)
		if c&set == 0 {
			return at
		}
		at += w
	}
	return at
}

// charLen is the width in bytes of the character at s[at:].
func charLen(s string, at int) int {
	if s[at] < utf8.RuneSelf {
		return 1
	}
	_, n := utf8.DecodeRuneInString(s[at:])
	return n
}
