package tokenizer

import (
	"unicode/utf8"
)

// A scanner matches one alternative list of a pre-tokenizer's regular
// expression: it returns the length in bytes of the match that starts at
// s[at:], or 0 when none starts there. The text around s[at:] that it may look
// at is s alone: its end is the end of the text for a look-ahead.
//
// Scanners are written by hand because Go's regexp has no look-ahead. They
// reproduce a backtracking engine: the first alternative that can match wins,
// even where a later one would match more.
type scanner func(s string, at int) int

// wordRules are the parts that differ between the patterns of one family.
type wordRules struct {
	letters  class // what \p{L}+ is in this pattern: letters, or letters and marks
	digits   int   // most digits of one piece; < 0 is no limit
	trailing byte  // what may follow a run of punctuation besides \r and \n
	suffix   bool  // contractions are part of the word before (o200k)
}

// scanGPT2 is 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
func scanGPT2(t *classes) scanner {
	return func(s string, at int) int {
		c, r, w := t.next(s, at)
		if r == '\'' {
			if n := contraction(s, at, false); n > 0 {
				return n
			}
		}
		from := at
		if r == ' ' {
			if c, _, w = t.next(s, at+1); w == 0 || c&classSpace != 0 {
				return t.space(s, at)
			}
			from++
		}
		switch {
		case c&classLetter != 0:
			return t.run(s, from+w, classLetter, -1) - at
		case c&classNumber != 0:
			return t.run(s, from+w, classNumber, -1) - at
		case c&classSpace != 0:
			return t.space(s, at)
		}
		return t.others(s, from+w, classSpace|classLetter|classNumber) - at
	}
}

// scanCL100K is the family of cl100k, Llama 3, GLM 4 and Qwen:
//
//	(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
//	 ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
func scanCL100K(t *classes, rules wordRules) scanner {
	return func(s string, at int) int {
		c, r, w := t.next(s, at)
		if r == '\'' {
			if n := contraction(s, at, true); n > 0 {
				return n
			}
		}
		if n := t.word(s, at, rules.letters); n > 0 {
			return n
		}
		if c&classNumber != 0 {
			return t.run(s, at+w, classNumber, rules.digits-1) - at
		}
		return t.rest(s, at, classSpace|rules.letters|classNumber, rules.trailing)
	}
}

// scanO200K is the family of o200k, Llama 4, gpt-oss and Mistral's Tekken, in
// which a word is capitals followed by small letters:
//
//	[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|…)?|
//	[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|…)?|
//	\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
func scanO200K(t *classes, rules wordRules) scanner {
	return func(s string, at int) int {
		c, r, w := t.next(s, at)
		if end := t.casedWord(s, at, c, r, w); end > at {
			if rules.suffix && end < len(s) && s[end] == '\'' {
				end += contraction(s, end, true)
			}
			return end - at
		}
		if c&classNumber != 0 {
			return t.run(s, at+w, classNumber, rules.digits-1) - at
		}
		return t.rest(s, at, classSpace|classLetter|classNumber, rules.trailing)
	}
}

const (
	capitals = classUpper | classCaseless | classMark
	smalls   = classLower | classCaseless | classMark
)

// casedWord matches the first two alternatives of scanO200K but for the
// contraction, and returns the end of the match, or at when there is none.
// c, r and w describe the character at s[at:].
func (t *classes) casedWord(s string, at int, c class, r rune, w int) int {
	prefix := w > 0 && r != '\r' && r != '\n' && c&(classLetter|classNumber) == 0
	if prefix {
		if end := t.small(s, at+w); end > 0 {
			return end
		}
	}
	if end := t.small(s, at); end > 0 {
		return end
	}
	if prefix {
		if end := t.run(s, at+w, capitals, -1); end > at+w {
			return t.run(s, end, smalls, -1)
		}
	}
	if end := t.run(s, at, capitals, -1); end > at {
		return t.run(s, end, smalls, -1)
	}
	return at
}

// small matches [capitals]*[smalls]+ at s[at:] and returns its end, or 0. When
// no small letter follows the capitals, the engine gives capitals back one by
// one until one of them (a mark or a caseless letter is both) can be the small
// one; the match ends there, before the capitals that were given back.
func (t *classes) small(s string, at int) int {
	both, end := 0, at
	for {
		c, _, w := t.next(s, end)
		if w == 0 || c&capitals == 0 {
			break
		}
		end += w
		if c&smalls != 0 {
			both = end
		}
	}
	if full := t.run(s, end, smalls, -1); full > end {
		return full
	}
	return both
}

// word matches [^\r\n\p{L}\p{N}]?letters+ and returns its length. A mark may be
// the optional first character even where marks count as letters.
func (t *classes) word(s string, at int, letters class) int {
	c, r, w := t.next(s, at)
	if w == 0 {
		return 0
	}
	if r != '\r' && r != '\n' && c&(classLetter|classNumber) == 0 {
		if end := t.run(s, at+w, letters, -1); end > at+w {
			return end - at
		}
	}
	return t.run(s, at, letters, -1) - at
}

// rest matches the tail that the newer patterns share:
// ` ?[^excluded]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`, with trailing added to the
// characters that may follow.
func (t *classes) rest(s string, at int, excluded class, trailing byte) int {
	from := at
	if from < len(s) && s[from] == ' ' {
		from++
	}
	if end := t.others(s, from, excluded); end > from {
		return t.trail(s, end, trailing) - at
	}
	return t.lines(s, at)
}

// trail skips \r, \n and the ASCII character more, unless 0.
func (t *classes) trail(s string, at int, more byte) int {
	for at < len(s) {
		b := s[at]
		if b != '\r' && b != '\n' && (more == 0 || b != more) {
			break
		}
		at++
	}
	return at
}

// others returns the end of the run at s[at:] of characters in no class of
// excluded.
func (t *classes) others(s string, at int, excluded class) int {
	for at < len(s) {
		c, _, w := t.next(s, at)
		if c&excluded != 0 {
			return at
		}
		at += w
	}
	return at
}

// lines matches \s*[\r\n]+|\s+(?!\S)|\s+ and returns its length: white space up
// to its last line end where it has one.
func (t *classes) lines(s string, at int) int {
	end, line := at, 0
	for {
		c, r, w := t.next(s, end)
		if w == 0 || c&classSpace == 0 {
			break
		}
		end += w
		if r == '\r' || r == '\n' {
			line = end
		}
	}
	if line > 0 {
		return line - at
	}
	return t.space(s, at)
}

// space matches \s+(?!\S)|\s+ and returns its length: white space but for its
// last character, which belongs to the word that follows, unless that is all
// there is or the text ends.
func (t *classes) space(s string, at int) int {
	end := t.run(s, at, classSpace, -1)
	if end == len(s) || end == at {
		return end - at
	}
	_, w := utf8.DecodeLastRuneInString(s[at:end])
	if end-w > at {
		end -= w
	}
	return end - at
}

// contraction returns the length of the English contraction ('s 't 're 've 'm
// 'll 'd) at s[at:], which starts with an apostrophe, or 0. With fold, case is
// ignored the way Unicode has it: ſ (U+017F) is an s.
func contraction(s string, at int, fold bool) int {
	lower := func(i int) byte {
		if i >= len(s) {
			return 0
		}
		if b := s[i]; !fold || b < 'A' || b > 'Z' {
			return b
		}
		return s[i] + 'a' - 'A'
	}
	switch lower(at + 1) {
	case 's', 't', 'm', 'd':
		return 2
	case 'r', 'v':
		if lower(at+2) == 'e' {
			return 3
		}
	case 'l':
		if lower(at+2) == 'l' {
			return 3
		}
	case "ſ"[0]:
		if fold && at+2 < len(s) && s[at+2] == "ſ"[1] {
			return 3
		}
	}
	return 0
}
