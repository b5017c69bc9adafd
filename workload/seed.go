package workload

import (
	"hash/fnv"
	"math/rand/v2"
)

// Key names a stream of randomness. Keys are derived from one seed by name, so
// that no stream depends on how far another was read: adding a request to one
// level changes nothing in the next.
type Key uint64

// Seed is the key that all others of a run are derived from.
func Seed(seed uint64) Key { return Key(mix(seed)) }

// Named derives the key of a named part: a run, a level, a repeat, a use.
func (k Key) Named(name string) Key {
	h := fnv.New64a()
	h.Write([]byte(name))
	return Key(mix(uint64(k) ^ h.Sum64()))
}

// Index derives the key of item i, so that item i can be made without making
// those before it.
func (k Key) Index(i int) Key { return Key(mix(uint64(k) + uint64(i)*0x9e3779b97f4a7c15)) }

// Rand returns the generator of this key, always at its beginning.
func (k Key) Rand() *rand.Rand {
	return rand.New(rand.NewPCG(uint64(k), mix(uint64(k)+1)))
}

// mix is the finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): every
// input bit changes every output bit with probability one half, so keys that
// differ in one bit name unrelated streams.
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
