package tokenizer

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func (p piece) part(from, to int) piece { return piece{p.text[from:to], p.first && from == 0} }

// behavior says what becomes of the matches of a pattern that text is split by.
type behavior int

const (
	isolated           behavior = iota // each match is a piece, and so is each gap between two
	removed                            // matches are left out
	contiguous                         // matches side by side are one piece
	mergedWithPrevious                 // a match belongs to the gap before it
	mergedWithNext                     // a match belongs to the gap after it
)

// patternSplitter splits by the matches of a scanner. With invert the matches
// and the gaps change places.
type patternSplitter struct {
	scan     scanner
	behavior behavior
	invert   bool
}

func (x patternSplitter) split(p piece, w *walker, next int) {
	j := joiner{behavior: x.behavior, piece: p, walker: w, next: next}
	gap := 0
	for at := 0; at < len(p.text); {
		n := x.scan(p.text, at)
		if n == 0 {
			at += charLen(p.text, at)
			continue
		}
		if gap < at {
			j.add(gap, at, x.invert)
		}
		j.add(at, at+n, !x.invert)
		at += n
		gap = at
	}
	if gap < len(p.text) {
		j.add(gap, len(p.text), x.invert)
	}
	j.flush()
}

// joiner puts matches and gaps together as its behavior says and hands the
// results on. It holds back one part, which the next may join.
type joiner struct {
	behavior
	piece
	walker   *walker
	next     int
	from, to int
	match    bool // whether the last part was a match
}

func (j *joiner) add(from, to int, match bool) {
	join := false
	switch j.behavior {
	case removed:
		if !match {
			j.walker.split(j.part(from, to), j.next)
		}
		return
	case contiguous:
		join = match == j.match
	case mergedWithPrevious:
		join = match && !j.match
	case mergedWithNext:
		join = !match && j.match
	}
	j.match = match
	if join && j.to > j.from {
		j.to = to
		return
	}
	j.flush()
	j.from, j.to = from, to
}

func (j *joiner) flush() {
	if j.to > j.from {
		j.walker.split(j.part(j.from, j.to), j.next)
	}
}

// scanSplitter isolates the matches of a scanner that matches everywhere, which
// the patterns of the large models do: what patternSplitter does, with nothing
// to join.
type scanSplitter struct{ scan scanner }

func (x scanSplitter) split(p piece, w *walker, next int) {
	for at := 0; at < len(p.text); {
		n := x.scan(p.text, at)
		w.split(p.part(at, at+n), next)
		at += n
	}
}

// prefixSplitter puts a space before a text that has none.
type prefixSplitter struct{}

func (prefixSplitter) split(p piece, w *walker, next int) {
	if p.text[0] != ' ' {
		p.text = " " + p.text
	}
	w.split(p, next)
}

// prepend says which pieces Metaspace puts a mark before.
type prepend int

const (
	prependAlways prepend = iota
	prependFirst          // the piece at the start of the text
	prependNever
)

// metaspaceSplitter makes spaces visible: each becomes the mark, and with cut a
// piece starts at every mark.
type metaspaceSplitter struct {
	mark    string // one character
	prepend prepend
	cut     bool
}

func (x metaspaceSplitter) split(p piece, w *walker, next int) {
	p.text = strings.ReplaceAll(p.text, " ", x.mark)
	if x.prepend == prependAlways || x.prepend == prependFirst && p.first {
		if !strings.HasPrefix(p.text, x.mark) {
			p.text = x.mark + p.text
		}
	}
	if !x.cut {
		w.split(p, next)
		return
	}
	for at := 0; at < len(p.text); {
		end, from := len(p.text), at
		if strings.HasPrefix(p.text[at:], x.mark) {
			from += len(x.mark)
		}
		if i := strings.Index(p.text[from:], x.mark); i >= 0 {
			end = from + i
		}
		w.split(p.part(at, end), next)
		at = end
	}
}

// scanLiteral matches one string.
func scanLiteral(literal string) scanner {
	return func(s string, at int) int {
		if strings.HasPrefix(s[at:], literal) {
			return len(literal)
		}
		return 0
	}
}

// scanChar matches one character that is.
func scanChar(is func(rune) bool) scanner {
	return func(s string, at int) int {
		r, n := utf8.DecodeRuneInString(s[at:])
		if r == utf8.RuneError && n == 1 || !is(r) {
			return 0
		}
		return n
	}
}

// scanClass matches up to limit characters (limit < 0: any number) of a set of
// classes.
func scanClass(t *classes, set class, limit int) scanner {
	return func(s string, at int) int { return t.run(s, at, set, limit) - at }
}

// scanWords is \w+|[^\w\s]+.
func scanWords(s string, at int) int {
	end := at
	word := false
	for end < len(s) {
		r, n := utf8.DecodeRuneInString(s[end:])
		if unicode.IsSpace(r) || end > at && isWord(r) != word {
			break
		}
		word = isWord(r)
		end += n
	}
	return end - at
}

// isPunctuation is ASCII's punctuation, symbols among them, and Unicode's.
func isPunctuation(r rune) bool {
	return r < utf8.RuneSelf && unicode.In(r, unicode.P, unicode.S) || unicode.Is(unicode.P, r)
}
