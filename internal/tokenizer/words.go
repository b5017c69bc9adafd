package tokenizer

import "strings"

// wordList holds the words with a space before them and those without.
type wordList struct{ spaced, bare []string }

// Words returns pieces of the vocabulary from which prompts of exact length can
// be built: each is a space and two or more small ASCII letters, is one token,
// and any number of them joined are as many tokens. They come in the order of
// their ids. The list is made at the first call and must not be changed.
//
// It is empty for a vocabulary without such pieces, and for one that puts a
// space of its own before every text (Llama 2): see BareWords.
func (t *Tokenizer) Words() []string { return t.core.words().spaced }

// BareWords is Words for texts that start with a word: each is two or more small
// ASCII letters and is one token at the start of a text, and any number of them
// with one space between are as many tokens.
func (t *Tokenizer) BareWords() []string { return t.core.words().bare }

func (c *core) findWords() wordList {
	t := &Tokenizer{core: c}
	var l wordList
	for id := range c.pieces.vocab.size() {
		word := plainWord(c.pieces.vocab.piece(id))
		if word == "" {
			continue
		}
		if spaced := " " + word; t.joins(l.spaced, spaced, "") {
			l.spaced = append(l.spaced, spaced)
		}
		if t.joins(l.bare, word, " ") {
			l.bare = append(l.bare, word)
		}
	}
	l.spaced, l.bare = t.proven(l.spaced, ""), t.proven(l.bare, " ")
	return l
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
