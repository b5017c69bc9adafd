package tokenizer

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

const (
	cacheSlots = 1 << 14 // words remembered; the oldest of two with one slot goes
	cacheWord  = 64      // longest word remembered, in bytes
	cacheFirst = 24      // longest word remembered the first time it comes, in bytes
)

// wordCache remembers the ids of words. A slot holds one word, and a newer
// word with the same slot replaces it: the cache is bounded, needs no lock and
// is safe for concurrent use. A word of more than cacheFirst bytes is remembered
// when it comes again: a language without spaces makes long words that do not, and
// remembering one costs three allocations.
type wordCache struct {
	seed  maphash.Seed
	slots []atomic.Pointer[cached]
	seen  []atomic.Uint32 // of the last long word of each slot, the upper half of the hash
}

type cached struct {
	word string
	ids  []int32
}

func newWordCache() *wordCache {
	return &wordCache{
		seed:  maphash.MakeSeed(),
		slots: make([]atomic.Pointer[cached], cacheSlots),
		seen:  make([]atomic.Uint32, cacheSlots),
	}
}

// find returns the ids of word, nil when it is not remembered, and the hash that
// put takes.
func (c *wordCache) find(word string) (ids []int32, hash uint64) {
	hash = maphash.String(c.seed, word)
	if known := c.slots[hash%cacheSlots].Load(); known != nil && known.word == word {
		return known.ids, hash
	}
	return nil, hash
}

// put copies both: word may be part of a long text that must not stay in
// memory on its account, and ids is the caller's to reuse.
func (c *wordCache) put(hash uint64, word string, ids []int32) {
	if seen := uint32(hash >> 32); len(word) > cacheFirst && c.seen[hash%cacheSlots].Swap(seen) != seen {
		return
	}
	c.slots[hash%cacheSlots].Store(&cached{strings.Clone(word), append(make([]int32, 0, len(ids)), ids...)})
}

// idSet is a set of ids that only grows, safe for concurrent use.
type idSet []atomic.Uint32

func newIDSet(size int) idSet { return make(idSet, (size+31)/32) }

func (s idSet) is(id int32) bool { return s[id/32].Load()>>(id%32)&1 == 1 }

func (s idSet) set(id int32) { s[id/32].Or(1 << (id % 32)) }
