// Package prompt turns the lengths of planned requests into text, exact to the
// token.
//
// A [Maker] makes text of a key and a length with one tokenizer; the same key
// and length give the same text anywhere, so a prompt can be made late, on any
// goroutine or on another host. [Maker.Blocks] makes the prompts of traces, which
// name their blocks, so that they share what the trace says. [Maker.Fill] does
// what a request of workload needs, and [Ahead] a whole Source before the text is
// needed.
//
// The text is words drawn at random from the tokenizer's own vocabulary. It has
// no meaning on purpose: two prompts share no beginning, so none warms a prefix
// cache for the next unless the plan asks for a shared prefix. Lengths are
// counted without the special tokens and the chat template that a server adds.
package prompt

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"

	"headway/internal/tokenizer"
	"headway/workload"
)

// Maker makes text for one tokenizer. It is safe for concurrent use.
type Maker struct {
	tok *tokenizer.Tokenizer
	// words are one token each after a space, first also without one.
	words, first []string
	// tokens are those of first with their ids, for text whose tokens must be
	// known and not only counted.
	tokens []wordToken
	// letters are what text is made of when words cannot do it.
	letters []string

	shared sharedTexts
	ids    sync.Pool // of *scratch
}

// New returns a Maker for a tokenizer. Looking through the vocabulary takes a
// fraction of a second; keep the Maker.
func New(t *tokenizer.Tokenizer) *Maker {
	m := &Maker{tok: t, letters: findLetters(t)}
	m.words, m.first = findWords(t)
	m.tokens = findTokens(t, m.first)
	m.ids.New = func() any { return new(scratch) }
	return m
}

// Text returns text that encodes to exactly so many tokens; it follows from the
// key, the number and the tokenizer. The error says that the vocabulary does not
// allow it.
func (m *Maker) Text(key workload.Key, tokens int) (string, error) {
	return m.after("", 0, key, tokens)
}

// Shared is [Maker.Text] for text that many requests have in common: it is kept
// while there is room.
func (m *Maker) Shared(key workload.Key, tokens int) (string, error) {
	name := sharedName{key, tokens}
	if text, ok := m.shared.get(name); ok {
		return text, nil
	}
	text, err := m.Text(key, tokens)
	if err == nil {
		m.shared.put(name, text)
	}
	return text, err
}

// tries bounds the attempts of a kind. With the vocabularies of real models the
// first one is exact; see the benchmark and the verification test.
const tries = 8

// after returns text to follow head, which has so many tokens itself, such that
// both together are exactly as many more. A space between them is part of it.
func (m *Maker) after(head string, headTokens int, key workload.Key, tokens int) (string, error) {
	if tokens == 0 {
		return "", nil
	}
	target := headTokens + tokens
	ways := []way{m.ofWords, m.ofLetters}
	if len(m.words) < leastWords {
		ways = []way{m.ofLetters, m.ofWords}
	}
	for i, try := range ways {
		for n := range tries {
			r := key.Index(i*tries + n).Rand()
			if text, ok := try(head, r, target, tokens); ok {
				return text, nil
			}
		}
	}
	return "", fmt.Errorf("making a prompt of %d tokens: the vocabulary of tokenizer %s has no text of exactly that "+
		"length after %d tokens; choose another length or another tokenizer",
		tokens, m.tok.Name(), headTokens)
}

// way makes text after head that brings the whole to target tokens, about so
// many more; false says that this draw did not come out.
type way func(head string, r *rand.Rand, target, tokens int) (text string, ok bool)

// ofWords joins as many words as tokens are wanted, then adds or takes away
// words until the count is right. Counting the whole text every time is the
// point: a tokenizer that works across words (SentencePiece, Unigram) may find a
// better division than one token a word.
func (m *Maker) ofWords(head string, r *rand.Rand, target, tokens int) (string, bool) {
	if len(m.words) == 0 || head == "" && len(m.first) == 0 {
		return "", false
	}
	var b strings.Builder
	b.Grow(len(head) + 8*tokens)
	b.WriteString(head)
	ends := make([]int, 0, tokens)
	missing := tokens
	for range tries {
		for ; missing > 0; missing-- {
			b.WriteString(m.word(r, b.Len() == 0))
			ends = append(ends, b.Len())
		}
		if cut := len(ends) + missing; cut > 0 && missing < 0 {
			text := b.String()[:ends[cut-1]]
			b.Reset()
			b.WriteString(text)
			ends = ends[:cut]
		}
		missing = target - m.tok.Count(b.String())
		if missing == 0 {
			return b.String()[len(head):], true
		}
		if len(ends)+missing <= 0 {
			return "", false
		}
	}
	return "", false
}

// word draws a word, with the space before it unless it is the first.
func (m *Maker) word(r *rand.Rand, first bool) string {
	if first {
		return m.first[r.IntN(len(m.first))][1:]
	}
	return m.words[r.IntN(len(m.words))]
}

// reach is how far from the estimated place of a cut ofLetters looks.
const reach = 48

// ofLetters writes random letters with a space now and then, and cuts them
// where the count is right. The place is estimated from the encoding of the
// whole; a cut may change the last tokens before it, so the places around it are
// counted until one fits.
func (m *Maker) ofLetters(head string, r *rand.Rand, target, tokens int) (string, bool) {
	if len(m.letters) == 0 {
		return "", false
	}
	long := m.lettersFor(head, r, target, tokens)
	ids := m.tok.Encode(long)
	if len(ids) < target {
		return "", false
	}
	guess := len(m.tok.Decode(ids[:target]))
	for off := range 2 * reach {
		cut := guess + off/2
		if off%2 == 1 {
			cut = guess - off/2 - 1
		}
		if cut <= len(head) || cut > len(long) || long[cut-1] == ' ' {
			continue
		}
		if m.tok.Count(long[:cut]) == target {
			return long[len(head):cut], true
		}
	}
	return "", false
}

// lettersFor returns head followed by letters that are more tokens than wanted. A
// space keeps both apart in every second draw; where it is a token of its own,
// one more token after head can only be had without it.
func (m *Maker) lettersFor(head string, r *rand.Rand, target, tokens int) string {
	var b strings.Builder
	b.WriteString(head)
	if head != "" && r.IntN(2) == 0 {
		b.WriteByte(' ')
	}
	for letters := 2*tokens + reach; ; letters *= 2 {
		for range letters {
			b.WriteString(m.letters[r.IntN(len(m.letters))])
			if r.IntN(6) == 0 {
				b.WriteByte(' ')
			}
		}
		// Twenty letters a token is more than a vocabulary packs of random
		// ones; give up rather than grow without end.
		if m.tok.Count(b.String()) > target || letters > 20*tokens+reach {
			return b.String()
		}
	}
}

// sharedTexts keeps texts up to a number of bytes. What does not fit is made
// again each time, which gives the same text.
type sharedTexts struct {
	mu    sync.Mutex
	texts map[sharedName]string
	bytes int
}

type sharedName struct {
	key    workload.Key
	tokens int
}

const sharedRoom = 64 << 20

func (s *sharedTexts) get(name sharedName) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, ok := s.texts[name]
	return text, ok
}

func (s *sharedTexts) put(name sharedName, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.texts == nil {
		s.texts = make(map[sharedName]string)
	}
	if _, there := s.texts[name]; there || s.bytes+len(text) > sharedRoom {
		return
	}
	s.texts[name] = text
	s.bytes += len(text)
}
