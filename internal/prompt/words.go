package prompt

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"headway/internal/tokenizer"
)

// fewWords is the number below which the tokenizer's list is not enough to
// keep prompts apart, and the whole vocabulary is looked through.
const fewWords = 256

// leastWords is the number below which words would make prompts alike; letters
// are tried first then. Sixteen words still leave 2^64 beginnings of 16 tokens.
const leastWords = 16

// manyWords bounds how many are used. The first of a vocabulary are its most
// frequent, so the text reads better; 4,096 of them make two equal beginnings of
// 16 tokens as unlikely as 1 in 2^191, and stay in the tokenizer's word cache.
const manyWords = 4096

// findWords returns words with a space before them: those that are one token
// after other text, and of these the ones that are also one token at the very
// beginning, where the space is left out. A prompt must not begin with a space:
// chat templates strip it, and the server would count differently.
func findWords(t *tokenizer.Tokenizer) (words, first []string) {
	words = t.FewWords(manyWords)
	if len(words) < fewWords {
		words = scanWords(t)
	}
	words = words[:min(len(words), manyWords)]
	for _, w := range words {
		if t.Count(w[1:]) == 1 {
			first = append(first, w)
		}
	}
	return words, first
}

// scanWords looks for words by decoding every id. It finds those of
// vocabularies that mark the space in their own way, where " word" alone is two
// tokens but "word word" is two as well.
func scanWords(t *tokenizer.Tokenizer) []string {
	var words []string
	last := ""
	for id := range t.VocabSize() {
		w := strings.TrimPrefix(t.Decode([]int{id}), " ")
		if !isWord(w) || t.Count(w+" "+w) != 2 || last != "" && t.Count(w+last+" "+w) != 3 {
			continue
		}
		last = " " + w
		words = append(words, last)
	}
	return dedupe(words)
}

func isWord(w string) bool {
	if w == "" {
		return false
	}
	for i := range len(w) {
		if w[i] < 'a' || w[i] > 'z' {
			return false
		}
	}
	return true
}

// findLetters returns characters that the tokenizer encodes without loss: a to
// z, or, for a vocabulary of another script, its own letters.
func findLetters(t *tokenizer.Tokenizer) []string {
	var letters []string
	for c := 'a'; c <= 'z'; c++ {
		if survives(t, string(c)) {
			letters = append(letters, string(c))
		}
	}
	if len(letters) >= 8 {
		return letters
	}
	for id := range t.VocabSize() {
		s := strings.TrimSpace(t.Decode([]int{id}))
		r, size := utf8.DecodeRuneInString(s)
		if size == len(s) && unicode.IsLetter(r) && survives(t, s) {
			letters = append(letters, s)
		}
	}
	return dedupe(letters)
}

func survives(t *tokenizer.Tokenizer, s string) bool {
	return strings.TrimSpace(t.Decode(t.Encode(s))) == s
}

// dedupe keeps the first of equal strings: two ids may decode to the same text.
func dedupe(all []string) []string {
	seen := make(map[string]bool, len(all))
	kept := all[:0]
	for _, s := range all {
		if !seen[s] {
			seen[s] = true
			kept = append(kept, s)
		}
	}
	return kept
}

// wordToken is a word whose ids are known: after other text with the space before
// it, which is part of the text here, and at the beginning without.
type wordToken struct {
	text         string
	spaced, bare int
}

// findTokens returns the words that are one token in both places, no two of them
// the same token.
func findTokens(t *tokenizer.Tokenizer, first []string) []wordToken {
	all := make([]wordToken, 0, len(first))
	type id struct {
		n    int
		bare bool
	}
	seen := make(map[id]bool, 2*len(first))
	var ids []int
	for _, w := range first {
		bare := t.Encode(w[1:])
		ids = t.AppendEncode(ids[:0], first[0][1:]+w)
		if len(bare) != 1 || len(ids) != 2 || seen[id{ids[1], false}] || seen[id{bare[0], true}] {
			continue
		}
		seen[id{ids[1], false}], seen[id{bare[0], true}] = true, true
		all = append(all, wordToken{w, ids[1], bare[0]})
	}
	return all
}
