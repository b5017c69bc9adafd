package tokenizer

import (
	"math"
	"sync"
)

// linearLimit is the number of symbols up to which a word is merged by looking
// at all of them for the best merge, and above which by a heap. The ids are the
// same either way: a test compares them.
const linearLimit = 48

const noRank = math.MaxInt32

// bpe merges neighbouring symbols, best rank first, leftmost first among
// equals, until no pair of neighbours has a rank. Two kinds of vocabulary say
// what a pair's rank is: a list of merges (tokenizer.json), or the rank of the
// joined bytes (tiktoken), when merges is nil.
type bpe struct {
	vocab        *vocab // pieces as bytes for a byte-level vocabulary, as text otherwise
	merges       *pairTable
	start        func(b *bpe, word string, syms []symbol) []symbol
	bytes        [256]int32 // id of each byte: a byte-level symbol, or the byte fallback
	unk          int32      // -1: none, and a character that has no id is left out
	fuseUnk      bool
	byteFallback bool
	ignoreMerges bool // a word that is in the vocabulary is that token, merges or not
	byteLevel    bool // start is startBytes
	whole        *wholeChars
	makeWhole    sync.Once
}

// symbol is a stretch of the word, and the pair that it makes with its right
// neighbour.
type symbol struct {
	start, end int32
	id         int32
	rank       int32 // of the pair; noRank: cannot merge
	joined     int32 // id of the pair merged
	prev, next int32 // neighbours, used by the heap only; -1: none
}

// tokens appends the ids of word to dst.
func (b *bpe) tokens(dst []int32, word string, w *walker) []int32 {
	if b.ignoreMerges {
		if id := b.vocab.id(word); id >= 0 {
			return append(dst, id)
		}
	}
	if whole := b.characters(word); whole != nil {
		return whole.tokens(dst, b, word, w)
	}
	return b.merge(dst, word, b.start(b, word, w.symbols[:0]), w)
}

// merge merges the symbols of word and appends what is left of them to dst.
func (b *bpe) merge(dst []int32, word string, syms []symbol, w *walker) []int32 {
	w.symbols = syms
	if len(syms) == 1 {
		return append(dst, syms[0].id)
	}
	b.rateAll(word, syms)
	if len(syms) <= linearLimit {
		for _, s := range b.mergeLinear(word, syms) {
			dst = append(dst, s.id)
		}
		return dst
	}
	b.mergeHeap(word, syms, w)
	for i := int32(0); i >= 0; i = syms[i].next {
		dst = append(dst, syms[i].id)
	}
	return dst
}

// characters is how word is merged from characters; nil where it is merged from
// what start makes.
func (b *bpe) characters(word string) *wholeChars {
	if !b.byteLevel || isASCII(word) {
		return nil
	}
	b.makeWhole.Do(func() { b.whole = newWholeChars(b) })
	return b.whole
}

// rateAll sets the ranks of all pairs of neighbours.
func (b *bpe) rateAll(word string, syms []symbol) {
	for i := range syms {
		syms[i].rank = noRank
		if i+1 < len(syms) {
			b.rate(word, &syms[i], &syms[i+1])
		}
	}
}

// rate sets the rank of the pair that left makes with right.
func (b *bpe) rate(word string, left, right *symbol) {
	if b.merges != nil {
		left.rank, left.joined = b.merges.find(left.id, right.id)
		return
	}
	left.rank = noRank
	if id := b.vocab.id(word[left.start:right.end]); id >= 0 {
		left.rank, left.joined = id, id
	}
}

func (b *bpe) mergeLinear(word string, syms []symbol) []symbol {
	for at := leastRank(syms); at >= 0; at = leastRank(syms) {
		syms = b.mergeAt(word, syms, at)
	}
	return syms
}

// mergeAt merges symbol at with its right neighbour.
func (b *bpe) mergeAt(word string, syms []symbol, at int) []symbol {
	left := &syms[at]
	left.id, left.end = left.joined, syms[at+1].end
	copy(syms[at+1:], syms[at+2:])
	syms = syms[:len(syms)-1]
	left.rank = noRank
	if at+1 < len(syms) {
		b.rate(word, left, &syms[at+1])
	}
	if at > 0 {
		b.rate(word, &syms[at-1], left)
	}
	return syms
}

// mergeHeap does what mergeLinear does in O(n log n): a word of a million
// letters is something a server can send. The symbols stay where they are and
// are linked; an entry of the heap is void when its symbol's pair has another
// rank by then.
func (b *bpe) mergeHeap(word string, syms []symbol, w *walker) {
	queue := w.queue[:0]
	for i := range syms {
		syms[i].prev, syms[i].next = int32(i)-1, int32(i)+1
		if syms[i].rank != noRank {
			queue = queue.push(heapEntry(syms[i].rank, int32(i)))
		}
	}
	syms[len(syms)-1].next = -1
	var top uint64
	for len(queue) > 0 {
		top, queue = queue.pop()
		at := int32(uint32(top))
		left := &syms[at]
		if left.rank != int32(top>>32) {
			continue
		}
		right := &syms[left.next]
		left.id, left.end, left.next = left.joined, right.end, right.next
		right.rank, left.rank = noRank, noRank
		if left.next >= 0 {
			syms[left.next].prev = at
			queue = b.requeue(word, syms, at, queue)
		}
		if left.prev >= 0 {
			queue = b.requeue(word, syms, left.prev, queue)
		}
	}
	w.queue = queue
}

// requeue rates the pair that starts at symbol at and puts it on the queue.
func (b *bpe) requeue(word string, syms []symbol, at int32, queue pairQueue) pairQueue {
	b.rate(word, &syms[at], &syms[syms[at].next])
	if syms[at].rank == noRank {
		return queue
	}
	return queue.push(heapEntry(syms[at].rank, at))
}

// pairQueue is a heap of rank << 32 | position, the least on top: the order
// of merges is the order of these numbers.
type pairQueue []uint64

func heapEntry(rank, at int32) uint64 { return uint64(uint32(rank))<<32 | uint64(uint32(at)) }

func (q pairQueue) push(v uint64) pairQueue {
	q = append(q, v)
	i := len(q) - 1
	for i > 0 {
		up := (i - 1) / 2
		if q[up] <= v {
			break
		}
		q[i] = q[up]
		i = up
	}
	q[i] = v
	return q
}

func (q pairQueue) pop() (uint64, pairQueue) {
	top, v := q[0], q[len(q)-1]
	q = q[:len(q)-1]
	i := 0
	for {
		down := 2*i + 1
		if down >= len(q) {
			break
		}
		if down+1 < len(q) && q[down+1] < q[down] {
			down++
		}
		if v <= q[down] {
			break
		}
		q[i] = q[down]
		i = down
	}
	if len(q) > 0 {
		q[i] = v
	}
	return top, q
}

// startBytes makes one symbol of every byte.
func startBytes(b *bpe, word string, syms []symbol) []symbol {
	pending := symbol{id: -1}
	for i := range int32(len(word)) {
		syms, pending = b.symbol(syms, pending, b.bytes[word[i]], i, i+1)
	}
	return flushUnknown(syms, pending)
}

// startChars makes one symbol of every character, and of every byte of a
// character that has no id where the vocabulary falls back to bytes.
func startChars(b *bpe, word string, syms []symbol) []symbol {
	pending := symbol{id: -1}
	for at := 0; at < len(word); {
		end := at + charLen(word, at)
		id := b.vocab.id(word[at:end])
		if id < 0 && b.byteFallback && b.hasBytes(word[at:end]) {
			// An unknown that is held back stays so: it comes after these bytes,
			// which is the order that Hugging Face's library gives.
			for ; at < end; at++ {
				syms = append(syms, symbol{start: int32(at), end: int32(at + 1), id: b.bytes[word[at]]})
			}
			continue
		}
		syms, pending = b.symbol(syms, pending, id, int32(at), int32(end))
		at = end
	}
	return flushUnknown(syms, pending)
}

func (b *bpe) hasBytes(s string) bool {
	for i := range len(s) {
		if b.bytes[s[i]] < 0 {
			return false
		}
	}
	return true
}

// symbol adds word[start:end], whose id is -1 when it is unknown. An unknown is
// held back (pending) until what follows says whether it is one with it.
func (b *bpe) symbol(syms []symbol, pending symbol, id, start, end int32) ([]symbol, symbol) {
	switch {
	case id >= 0:
		return append(flushUnknown(syms, pending), symbol{start: start, end: end, id: id}), symbol{id: -1}
	case b.unk < 0:
		return syms, pending
	case pending.id >= 0 && b.fuseUnk:
		pending.end = end
		return syms, pending
	}
	return flushUnknown(syms, pending), symbol{start: start, end: end, id: b.unk}
}

func flushUnknown(syms []symbol, pending symbol) []symbol {
	if pending.id < 0 {
		return syms
	}
	return append(syms, pending)
}
