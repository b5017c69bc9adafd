package tokenizer

import (
	"hash/maphash"
	"strings"
	"sync/atomic"
)

const (
	cacheSlots = 1 << 14 // words remembered; the oldest of two with one slot goes
	cacheWord  = 64      // longest word remembered, in bytes
)

// wordCache remembers the ids of words. A slot holds one word, and a newer
// word with the same slot replaces it: the cache is bounded, needs no lock and
// is safe for concurrent use.
type wordCache struct {
	seed  maphash.Seed
	slots []atomic.Pointer[cached]
}

type cached struct {
	word string
	ids  []int32
}

func newWordCache() *wordCache {
	return &wordCache{seed: maphash.MakeSeed(), slots: make([]atomic.Pointer[cached], cacheSlots)}
}

// slot returns the place of word.
func (c *wordCache) slot(word string) *atomic.Pointer[cached] {
	return &c.slots[maphash.String(c.seed, word)%cacheSlots]
}

// put copies both: word may be part of a long text that must not stay in
// memory on its account, and ids is the caller's to reuse.
func (c *wordCache) put(slot *atomic.Pointer[cached], word string, ids []int32) {
	slot.Store(&cached{strings.Clone(word), append([]int32(nil), ids...)})
}

// idSet is a set of ids that only grows, safe for concurrent use.
type idSet []atomic.Uint32

func newIDSet(size int) idSet { return make(idSet, (size+31)/32) }

func (s idSet) is(id int32) bool { return s[id/32].Load()>>(id%32)&1 == 1 }

func (s idSet) set(id int32) { s[id/32].Or(1 << (id % 32)) }
