package prompt

import (
	"fmt"
	"slices"
	"strings"

	"headway/workload"
)

// part is a piece of a prompt: so many tokens that follow from a key. When full
// is more than tokens, it is the beginning of a block of that many.
type part struct {
	key    workload.Key
	tokens int
	full   int
}

// Blocks returns the text of a prompt that is named by block ids: exactly
// p.Tokens tokens, the last block partly filled if need be, and text of p.Key
// alone where the ids do not reach. Text follows from the ids, the keys and the
// tokenizer. Prompts of one world (p.BlockKey) have the tokens of the blocks
// that they begin with in common, and no block more.
//
// Making each block for itself and joining them would not do: tokens may merge
// across a seam, and what comes after may change the tokens before it. So every
// part is held to the rule that all tokens before it stay as they are, and what
// is decided about a part depends on what stands before it alone. Then prompts
// that begin with the same blocks decide alike, whatever follows.
func (m *Maker) Blocks(p workload.Prompt) (string, error) {
	switch reach := len(p.Blocks) * p.BlockSize; {
	case p.BlockSize < 1 || p.Tokens < 1:
		return "", fmt.Errorf("making a prompt of block ids: %d tokens in blocks of %d: both must be at least 1",
			p.Tokens, p.BlockSize)
	case p.Tokens <= reach-p.BlockSize:
		return "", fmt.Errorf("making a prompt of block ids: %d ids of %d tokens each are too many for %d tokens",
			len(p.Blocks), p.BlockSize, p.Tokens)
	case p.Prefix.Tokens > 0:
		return "", fmt.Errorf("making a prompt of block ids: a prefix of %d tokens would move every block",
			p.Prefix.Tokens)
	}
	all := parts(p)
	if text, ok := m.plain(all, p.Tokens); ok {
		return text, nil
	}
	return m.grown(all)
}

// parts lists the pieces of a prompt of block ids.
func parts(p workload.Prompt) []part {
	all := make([]part, 0, len(p.Blocks)+1)
	rest := p.Tokens
	for _, id := range p.Blocks {
		n := min(p.BlockSize, rest)
		all = append(all, part{p.BlockKeyOf(id), n, p.BlockSize})
		rest -= n
	}
	if rest > 0 {
		all = append(all, part{p.Key, rest, rest})
	}
	return all
}

// plain writes one word for every token and checks that the text encodes to just
// these tokens. With the vocabularies of real models it always does.
func (m *Maker) plain(all []part, tokens int) (string, bool) {
	if len(m.tokens) < leastWords {
		return "", false
	}
	s := m.ids.Get().(*scratch)
	defer m.ids.Put(s)
	var b strings.Builder
	b.Grow(8 * tokens)
	s.want = s.want[:0]
	for _, p := range all {
		s.want = m.wordsOf(&b, s.want, p.key, p.tokens)
	}
	text := b.String()
	s.got = m.tok.AppendEncode(s.got[:0], text)
	return text, slices.Equal(s.got, s.want)
}

// scratch is memory for the ids of one prompt.
type scratch struct{ want, got []int }

// wordsOf writes n words that follow from the key, and appends their ids. The key
// itself is spelled out first, a digit a word, so that two keys never give the
// same words, and not only almost never.
func (m *Maker) wordsOf(b *strings.Builder, ids []int, key workload.Key, n int) []int {
	base := uint64(len(m.tokens))
	rest, left := uint64(key), ^uint64(0)
	r := key.Rand()
	for range n {
		var pick uint64
		if left > 0 {
			pick, rest, left = rest%base, rest/base, left/base
		} else {
			pick = r.Uint64N(base)
		}
		w := &m.tokens[pick]
		if b.Len() == 0 {
			b.WriteString(w.text[1:])
			ids = append(ids, w.bare)
		} else {
			b.WriteString(w.text)
			ids = append(ids, w.spaced)
		}
	}
	return ids
}

// grown makes the parts one after the other, for vocabularies in which a text of
// words is not one token a word.
func (m *Maker) grown(all []part) (string, error) {
	text, ids := "", []int(nil)
	for i, p := range all {
		more, next, ok := m.extend(text, ids, p)
		if !ok {
			return "", fmt.Errorf("making block %d of %d of a prompt: the vocabulary of tokenizer %s has no text of "+
				"%d tokens that leaves the %d before it as they are; choose another tokenizer, or replay the "+
				"lengths without hash_ids",
				i+1, len(all), m.tok.Name(), p.tokens, len(ids))
		}
		text, ids = text+more, next
	}
	return text, nil
}

// seamTries bounds the draws for one part and one strictness. Where a tokenizer
// merges letters across a seam, about half of them do not come out.
const seamTries = 24

// extend returns a part's text after head, which has the given ids, and the ids
// of both. A full part shall end in the same tokens whether more follows or not,
// since for one prompt it is the last and for another it is not. There are
// vocabularies in which no text does, those whose words end in a space; there the
// last token of a prompt is another one than inside, and only that.
func (m *Maker) extend(head string, ids []int, p part) (string, []int, bool) {
	for try := range 2 * seamTries {
		text, ok := m.draw(head, len(ids), p, try%seamTries)
		if !ok {
			continue
		}
		whole := m.tok.Encode(head + text)
		if len(whole) != len(ids)+p.full || common(whole, ids) < min(len(ids), len(whole)-1) {
			continue
		}
		inside, ok := m.inside(head+text, len(whole))
		if same := common(whole, inside); !ok || common(inside, ids) < len(ids) || same < len(whole)-1 ||
			same < len(whole) && try < seamTries {
			continue
		}
		if p.tokens == p.full {
			return text, inside, true
		}
		if text, ok := m.cut(head, text, inside[:len(ids)+p.tokens]); ok {
			return text, inside[:len(ids)+p.tokens], true
		}
	}
	if p.tokens < p.full {
		// The beginning of a block is the last part of a prompt and shared
		// with nobody who has more of it; it may have text of its own.
		return m.extend(head, ids, part{p.key, p.tokens, p.tokens})
	}
	return "", nil, false
}

// inside returns the n ids that a text has when more follows it; false says that
// it depends on what follows.
func (m *Maker) inside(text string, n int) ([]int, bool) {
	var ids []int
	for _, follow := range [2][]string{m.words, m.letters} {
		if len(follow) == 0 {
			continue
		}
		more := m.tok.Encode(text + " " + strings.TrimPrefix(follow[0], " "))
		if len(more) <= n || ids != nil && common(ids, more) < n {
			return nil, false
		}
		ids = more[:n]
	}
	return ids, ids != nil
}

// common is how many leading ids are equal.
func common(a, b []int) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// draw makes a candidate for a part, first the words that plain would write.
func (m *Maker) draw(head string, headTokens int, p part, draw int) (string, bool) {
	if draw > 0 {
		text, err := m.after(head, headTokens, p.key.Named("seam").Index(draw), p.full)
		return text, err == nil
	}
	if len(m.tokens) < leastWords {
		return "", false
	}
	var b strings.Builder
	b.WriteString(head)
	m.wordsOf(&b, nil, p.key, p.full)
	return b.String()[len(head):], true
}

// cut shortens text so that it encodes after head to the ids that are wanted. The
// place is near where these ids end when decoded.
func (m *Maker) cut(head, text string, want []int) (string, bool) {
	guess := len(m.tok.Decode(want)) - len(head)
	for off := range 2 * reach {
		at := guess + off/2
		if off%2 == 1 {
			at = guess - off/2 - 1
		}
		if at <= 0 || at > len(text) || text[at-1] == ' ' {
			continue
		}
		if slices.Equal(m.tok.Encode(head+text[:at]), want) {
			return text[:at], true
		}
	}
	return "", false
}
