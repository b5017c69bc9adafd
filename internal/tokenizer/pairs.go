package tokenizer

import "math/bits"

// pairTable maps a pair of ids to the rank of its merge and the id that the
// merge makes. Open addressing with numbers only: it is looked into once for
// every pair of neighbours in every new word.
type pairTable struct {
	slots []pairSlot
	shift uint
}

type pairSlot struct {
	key          uint64 // left << 32 | right, + 1; 0 is empty
	rank, joined int32
}

func newPairTable(n int) *pairTable {
	size := 8
	for size < 2*n {
		size *= 2
	}
	return tableOf(make([]pairSlot, size))
}

// tableOf is the table whose slots are given, of which there are a power of two.
func tableOf(slots []pairSlot) *pairTable {
	return &pairTable{slots: slots, shift: uint(64 - bits.TrailingZeros(uint(len(slots))))}
}

func pairKey(left, right int32) uint64 { return uint64(uint32(left))<<32 + uint64(uint32(right)) + 1 }

func (t *pairTable) place(key uint64) int { return int(key * 0x9E3779B97F4A7C15 >> t.shift) }

// put adds a merge. Of two merges of the same pair the later one counts, which
// is what a map filled from the list in order would hold.
func (t *pairTable) put(left, right, rank, joined int32) {
	key := pairKey(left, right)
	i := t.place(key)
	for t.slots[i].key != 0 && t.slots[i].key != key {
		i = (i + 1) & (len(t.slots) - 1)
	}
	t.slots[i] = pairSlot{key, rank, joined}
}

// find returns noRank when the pair does not merge.
func (t *pairTable) find(left, right int32) (rank, joined int32) {
	key := pairKey(left, right)
	i := t.place(key)
	for {
		switch slot := &t.slots[i]; slot.key {
		case key:
			return slot.rank, slot.joined
		case 0:
			return noRank, 0
		}
		i = (i + 1) & (len(t.slots) - 1)
	}
}
