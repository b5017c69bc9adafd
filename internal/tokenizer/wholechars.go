package tokenizer

import (
	"sync/atomic"
	"unicode/utf8"
)

// wholeChars lets merging begin with characters in place of bytes, and merges a
// word in stretches between which no merge reaches. A word of Chinese then has a
// third of the symbols, in stretches of one to three characters.
//
// Two characters side by side end a stretch where no piece of the vocabulary has
// them side by side, and no merge joins a part of the one to a part of the other:
// what comes before never meets what comes after.
//
// In a stretch, beginning with characters gives the same ids where no merge across
// the border of two characters can come before the merges within them. Two kinds
// can: one that joins a part of a character to its neighbour, and one whose rank is
// not above the ranks of the merges that make a character beside it. The borders of
// these are noted in apart, and a stretch with such a border begins with bytes. In
// every other stretch a pair across a border has a rank above all merges that make
// its sides, so the least rank that merging from bytes finds is never one that
// merging from characters has passed over; and the merges within a character touch
// no other.
//
// It is made when the first word with such characters comes: tables of 550 KB, and
// a pass over the vocabulary.
type wholeChars struct {
	gate  [256][256 / 64]uint64     // the last and the first byte of the borders in apart
	apart pairBits                  // of what stands before and after a border
	joins pairBits                  // of characters that a merge has side by side
	ids   [wholeTabled]atomic.Int32 // id + 1 of a character; 0: not looked for; severalIDs
}

// pairBits is a set of pairs of numbers that may hold more than was added: a bit is
// set for the hash of each. One too many in apart or joins costs time only.
type pairBits []uint64

func (p pairBits) place(a, b uint32) (word int, bit uint) {
	hash := (uint64(a)<<32 | uint64(b)) * 0x9E3779B97F4A7C15
	return int(hash >> 32 & uint64(len(p)-1)), uint(hash >> 58)
}

func (p pairBits) add(a, b uint32) {
	word, bit := p.place(a, b)
	p[word] |= 1 << bit
}

func (p pairBits) has(a, b uint32) bool {
	word, bit := p.place(a, b)
	return p[word]>>bit&1 == 1
}

const (
	apartWords  = 1 << 12 // 32 KB: of a thousand borders
	joinWords   = 1 << 15 // 256 KB: of a hundred thousand pairs
	wholeTabled = 0x10000 // the first code point that has no place in ids
	severalIDs  = -1      // the merges within the character leave several symbols
	neverMerged = -1      // the highest rank within a character of one byte
)

// newWholeChars returns nil for a vocabulary that lacks bytes.
func newWholeChars(b *bpe) *wholeChars {
	for _, id := range b.bytes {
		if id < 0 {
			return nil
		}
	}
	t := &wholeChars{apart: make(pairBits, apartWords), joins: make(pairBits, joinWords)}
	if b.merges == nil {
		t.noteRanks(b)
	} else {
		t.noteMerges(b)
	}
	return t
}

// noteMerges notes the borders of a list of merges.
func (t *wholeChars) noteMerges(b *bpe) {
	for _, s := range b.merges.slots {
		if s.key == 0 {
			continue
		}
		left, right := b.vocab.piece(int((s.key-1)>>32)), b.vocab.piece(int(uint32(s.key-1)))
		if left == "" || right == "" || !utf8.RuneStart(right[0]) || isASCII(left) && isASCII(right) {
			continue
		}
		if !utf8.RuneStart(left[0]) || cutOff(right) || s.rank <= max(b.within(left), b.within(right)) {
			t.note(left, right)
		} else {
			t.join(left, right)
		}
	}
}

// noteRanks notes the borders of a list of ranks, in which every pair whose
// bytes are a piece merges.
func (t *wholeChars) noteRanks(b *bpe) {
	for id := range b.vocab.size() {
		piece := b.vocab.piece(id)
		if len(piece) < 2 || isASCII(piece) {
			continue
		}
		partial := !utf8.RuneStart(piece[0]) || cutOff(piece)
		for at := 1; at < len(piece); at++ {
			if !utf8.RuneStart(piece[at]) {
				continue
			}
			if partial || int32(id) <= max(b.within(piece[:at]), b.within(piece[at:])) {
				t.note(piece[:at], piece[at:])
			} else {
				t.join(piece[:at], piece[at:])
			}
		}
	}
}

// packed holds up to three bytes as a number that tells them from fewer.
func packed(s string) uint32 {
	n := uint32(1)
	for i := range len(s) {
		n = n<<8 | uint32(s[i])
	}
	return n
}

// note notes a merge by what it needs around the border: the last character of its
// left side, or the part of one that this side is, and the first bytes of its right.
func (t *wholeChars) note(left, right string) {
	from := len(left) - 1
	for from > 0 && !utf8.RuneStart(left[from]) {
		from--
	}
	t.apart.add(packed(left[from:]), packed(right[:min(2, len(right))]))
	before, after := left[len(left)-1], right[0]
	t.gate[before][after/64] |= 1 << (after % 64)
}

// noted says whether a merge that was noted may apply between the character
// word[from:at] and what follows.
func (t *wholeChars) noted(word string, from, at int) bool {
	before, after := word[at-1], word[at]
	if t.gate[before][after/64]>>(after%64)&1 == 0 {
		return false
	}
	for ; from < at; from++ {
		for n := 1; n <= min(2, len(word)-at); n++ {
			if t.apart.has(packed(word[from:at]), packed(word[at:at+n])) {
				return true
			}
		}
	}
	return false
}

// join keeps that a merge has the last character of left and the first of right
// side by side.
func (t *wholeChars) join(left, right string) {
	before, _ := utf8.DecodeLastRuneInString(left)
	after, _ := utf8.DecodeRuneInString(right)
	t.joins.add(uint32(before), uint32(after))
}

// joined is false where no merge has the two characters side by side. Pieces of
// ASCII are not looked at: any two of its characters may be.
func (t *wholeChars) joined(before, after rune) bool {
	return before < utf8.RuneSelf && after < utf8.RuneSelf || t.joins.has(uint32(before), uint32(after))
}

// tokens appends the ids of word to dst.
func (t *wholeChars) tokens(dst []int32, b *bpe, word string, w *walker) []int32 {
	for len(word) > 0 {
		syms, end, ok := t.stretch(b, word, w.symbols[:0])
		if !ok {
			syms = b.start(b, word[:end], syms[:0])
		}
		dst = b.merge(dst, word[:end], syms, w)
		word = word[end:]
	}
	return dst
}

// stretch makes symbols of the characters at the start of word up to end, behind
// which no merge reaches; ok is false when merging has to begin with bytes. Bytes
// that are not UTF-8 are such a case, and characters beyond the table, which are
// rare.
func (t *wholeChars) stretch(b *bpe, word string, syms []symbol) (_ []symbol, end int, ok bool) {
	ok = true
	last, before := 0, rune(0)
	for end < len(word) {
		r, n := utf8.DecodeRuneInString(word[end:])
		if r == utf8.RuneError && n == 1 {
			return syms, len(word), false
		}
		if end > 0 {
			if t.noted(word, last, end) {
				ok = false
			} else if !t.joined(before, r) {
				return syms, end, ok
			}
		}
		if ok = ok && r < wholeTabled; ok {
			syms = t.add(b, word, end, r, n, syms)
		}
		last, before = end, r
		end += n
	}
	return syms, end, ok
}

// add adds the symbols of the character r, which is word[at:at+n].
func (t *wholeChars) add(b *bpe, word string, at int, r rune, n int, syms []symbol) []symbol {
	if r < utf8.RuneSelf {
		return append(syms, symbol{start: int32(at), end: int32(at + 1), id: b.bytes[r]})
	}
	if known := t.ids[r].Load(); known > 0 {
		return append(syms, symbol{start: int32(at), end: int32(at + n), id: known - 1})
	}
	return t.char(b, word, at, r, n, syms)
}

// char adds the symbols that the merges within the character r leave, and keeps
// the id of one that they make whole.
func (t *wholeChars) char(b *bpe, word string, at int, r rune, n int, syms []symbol) []symbol {
	var room [utf8.UTFMax]symbol
	merged, _ := b.mergeChar(word[at:at+n], room[:0])
	if len(merged) == 1 {
		t.ids[r].Store(merged[0].id + 1)
	} else {
		t.ids[r].Store(severalIDs)
	}
	for _, s := range merged {
		syms = append(syms, symbol{start: s.start + int32(at), end: s.end + int32(at), id: s.id})
	}
	return syms
}

// mergeChar merges the bytes of one character, and returns the highest rank of
// the merges.
func (b *bpe) mergeChar(char string, syms []symbol) (merged []symbol, highest int32) {
	for i := range len(char) {
		syms = append(syms, symbol{start: int32(i), end: int32(i + 1), id: b.bytes[char[i]]})
	}
	b.rateAll(char, syms)
	highest = neverMerged
	for {
		at := leastRank(syms)
		if at < 0 {
			return syms, highest
		}
		highest = max(highest, syms[at].rank)
		syms = b.mergeAt(char, syms, at)
	}
}

// within is the highest rank of the merges that make piece where it is one
// character, neverMerged otherwise.
func (b *bpe) within(piece string) int32 {
	if len(piece) < 2 || len(piece) > utf8.UTFMax {
		return neverMerged
	}
	if _, n := utf8.DecodeRuneInString(piece); n != len(piece) {
		return neverMerged
	}
	var room [utf8.UTFMax]symbol
	_, highest := b.mergeChar(piece, room[:0])
	return highest
}

// cutOff says whether a piece ends within a character.
func cutOff(piece string) bool {
	for back := 1; back <= min(len(piece), utf8.UTFMax); back++ {
		if tail := piece[len(piece)-back:]; utf8.RuneStart(tail[0]) {
			return !utf8.FullRuneInString(tail)
		}
	}
	return true
}

// leastRank is the place of the first symbol whose pair has the least rank, -1
// where none merges.
func leastRank(syms []symbol) int {
	best, at := int32(noRank), -1
	for i := range syms {
		if syms[i].rank < best {
			best, at = syms[i].rank, i
		}
	}
	return at
}
