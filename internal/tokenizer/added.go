package tokenizer

import (
	"iter"
	"unicode"
	"unicode/utf8"
)

// addedToken is a token that is looked for in the text before anything else.
type addedToken struct {
	content                    string // as it stands in the text: normalised where the token is
	id                         int32
	singleWord, lstrip, rstrip bool
	normalized                 bool // looked for in the normalised text
}

// addedTokens finds added tokens: leftmost first, the longest of those that
// start together. A nil *addedTokens finds none.
type addedTokens struct {
	tokens []addedToken
	trie   *trie
	first  [256]bool // bytes that some token starts with
}

type addedMatch struct {
	start, end int
	id         int32
}

// newAddedTokens returns nil when there are no tokens.
func newAddedTokens(tokens []addedToken) *addedTokens {
	if len(tokens) == 0 {
		return nil
	}
	a := &addedTokens{tokens: tokens}
	keys := make([]string, len(tokens))
	for i, t := range tokens {
		keys[i] = t.content
		a.first[t.content[0]] = true
	}
	a.trie = newTrie(keys)
	return a
}

// matches yields the added tokens in text, from left to right. A token with
// lstrip or rstrip takes the white space beside it along. A token that must be
// a single word and is not is passed over whole: what it covers is not searched
// again, which is what Hugging Face's library does.
func (a *addedTokens) matches(text string) iter.Seq[addedMatch] {
	return func(yield func(addedMatch) bool) {
		if a == nil {
			return
		}
		done := 0 // end of the last match, white space included
		for at := 0; at < len(text); {
			if !a.first[text[at]] {
				at++
				continue
			}
			t, end := a.longest(text, at)
			if t == nil {
				at++
				continue
			}
			start := at
			at = end
			if t.singleWord && (endsWithWord(text[:start]) || startsWithWord(text[end:])) {
				continue
			}
			if t.lstrip {
				start = max(spaceBefore(text, start), done)
			}
			if t.rstrip {
				end = spaceAfter(text, end)
			}
			done = end
			if !yield(addedMatch{start, end, t.id}) {
				return
			}
		}
	}
}

// longest returns the longest token that starts at text[at:] and where it ends.
func (a *addedTokens) longest(text string, at int) (found *addedToken, end int) {
	node := uint32(root)
	for i := at; i < len(text); i++ {
		if node = a.trie.step(node, text[i]); node == root {
			break
		}
		if v := a.trie.values[node]; v >= 0 {
			found, end = &a.tokens[v], i+1
		}
	}
	return found, end
}

func endsWithWord(s string) bool {
	r, n := utf8.DecodeLastRuneInString(s)
	return n > 0 && isWord(r)
}

func startsWithWord(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	return n > 0 && isWord(r)
}

// isWord is \w of the Unicode Technical Standard 18, annex C: alphabetic,
// marks, decimal digits, connectors and joiners.
func isWord(r rune) bool {
	return unicode.In(r, unicode.L, unicode.Nl, unicode.Other_Alphabetic, unicode.M, unicode.Nd, unicode.Pc,
		unicode.Join_Control)
}

func spaceBefore(s string, at int) int {
	for {
		r, n := utf8.DecodeLastRuneInString(s[:at])
		if n == 0 || !unicode.IsSpace(r) {
			return at
		}
		at -= n
	}
}

func spaceAfter(s string, at int) int {
	for {
		r, n := utf8.DecodeRuneInString(s[at:])
		if n == 0 || !unicode.IsSpace(r) {
			return at
		}
		at += n
	}
}
