package tokenizer

import (
	"math"
	"strings"
)

// Words returns pieces of the vocabulary from which prompts of exact length can
// be built: each is a space and two or more small ASCII letters, is one token,
// and any number of them joined are as many tokens. They come in the order of
// their ids. The list is made at the first call and must not be changed.
//
// It is empty for a vocabulary without such pieces, and for one that puts a
// space of its own before every text (Llama 2): see BareWords.
func (t *Tokenizer) Words() []string { return t.core.words() }

// FewWords is Words for who needs no more than n: the first n of them. Looking
// for 4,096 takes a millisecond, and for all of o200k_base a tenth of a second.
// The list is made at each call.
func (t *Tokenizer) FewWords(n int) []string { return t.core.findWords(n, spacedWord) }

// BareWords is Words for texts that start with a word: each is two or more small
// ASCII letters and is one token at the start of a text, and any number of them
// with one space between are as many tokens.
func (t *Tokenizer) BareWords() []string { return t.core.bareWords() }

// wordForm is how words stand in a text.
type wordForm struct{ before, between string }

// The forms of Words and BareWords.
var (
	spacedWord = wordForm{before: " "}
	bareWord   = wordForm{between: " "}
)

// allWords is a number of words that no vocabulary has.
const allWords = math.MaxInt

// findWords returns the first n words that can stand side by side in a form.
func (c *core) findWords(n int, form wordForm) []string {
	t := &Tokenizer{core: c}
	var found []string
	for id := 0; id < c.pieces.vocab.size() && len(found) < n; id++ {
		word := plainWord(c.pieces.vocab.piece(id))
		if word == "" {
			continue
		}
		if word = form.before + word; t.joins(found, word, form.between) {
			found = append(found, word)
		}
	}
	return t.proven(found, form.between)
}

// joins says whether word is one token, also after itself and after the last of
// known.
func (t *Tokenizer) joins(known []string, word, between string) bool {
	if t.Count(word) != 1 || t.Count(word+between+word) != 2 {
		return false
	}
	if len(known) == 0 {
		return true
	}
	return t.Count(known[len(known)-1]+between+word) == 2
}

// proven returns words when a long text of them, in an order that puts words far
// apart in the vocabulary side by side, has a token for each; otherwise none.
func (t *Tokenizer) proven(words []string, between string) []string {
	const step = 7919
	sample := make([]string, 0, len(words))
	for i := range words {
		sample = append(sample, words[i*step%len(words)])
	}
	if t.Count(strings.Join(sample, between)) != len(sample) {
		return nil
	}
	return words
}

// plainWord returns the letters of a piece that is a space (or the mark that
// stands for one) and two or more small ASCII letters, otherwise "".
func plainWord(piece string) string {
	word, ok := strings.CutPrefix(piece, " ")
	if !ok {
		if word, ok = strings.CutPrefix(piece, "▁"); !ok {
			return ""
		}
	}
	if len(word) < 2 || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") != "" {
		return ""
	}
	return word
}
