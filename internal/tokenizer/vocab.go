package tokenizer

import (
	"fmt"
	"hash/maphash"
)

// largestID bounds the ids of a vocabulary: the table of pieces has a place
// for every id, and a file that names id 4,000,000,000 is not a vocabulary.
const largestID = 1 << 22

// vocab maps pieces (strings of bytes) to ids and back. It is built once and
// read-only after. All pieces lie in one string and the table holds numbers
// only: two hundred thousand pieces take three allocations, and the garbage
// collector has no pointers to follow, as it would in a map of strings.
type vocab struct {
	blob  string   // the pieces, by id
	ends  []uint32 // piece i is blob[ends[i]:ends[i+1]]
	slots []uint64 // hash's upper half << 32 | id + 1; 0 is empty
	mask  uint32
	seed  maphash.Seed
}

// newVocab indexes pieces laid out by id. An empty piece is an id that is not
// in use, and is never found. Two ids with the same piece are an error.
func newVocab(blob string, ends []uint32) (*vocab, error) {
	n := len(ends) - 1
	if n > largestID {
		return nil, fmt.Errorf("vocabulary has ids up to %d; at most %d are supported", n-1, largestID)
	}
	size := 8
	for size < 2*n {
		size *= 2
	}
	v := &vocab{blob: blob, ends: ends, slots: make([]uint64, size), mask: uint32(size - 1), seed: maphash.MakeSeed()}
	for id := range n {
		if ends[id] == ends[id+1] {
			continue
		}
		if old := v.insert(uint32(id)); old >= 0 {
			return nil, fmt.Errorf("vocabulary has the piece %q twice, as ids %d and %d", v.piece(id), old, id)
		}
	}
	return v, nil
}

func (v *vocab) insert(id uint32) int {
	piece := v.piece(int(id))
	h := maphash.String(v.seed, piece)
	for i := uint32(h) & v.mask; ; i = (i + 1) & v.mask {
		slot := v.slots[i]
		if slot == 0 {
			v.slots[i] = h>>32<<32 | uint64(id+1)
			return -1
		}
		if old := int(uint32(slot)) - 1; slot>>32 == h>>32 && v.piece(old) == piece {
			return old
		}
	}
}

// piece returns the bytes of id, "" for an id out of range or not in use.
func (v *vocab) piece(id int) string {
	if id < 0 || id+1 >= len(v.ends) {
		return ""
	}
	return v.blob[v.ends[id]:v.ends[id+1]]
}

// id returns the id of piece, -1 when it has none.
func (v *vocab) id(piece string) int32 {
	h := maphash.String(v.seed, piece)
	for i := uint32(h) & v.mask; ; i = (i + 1) & v.mask {
		slot := v.slots[i]
		if slot == 0 {
			return -1
		}
		if id := int(uint32(slot)) - 1; slot>>32 == h>>32 && v.piece(id) == piece {
			return int32(id)
		}
	}
}

// size returns the largest id + 1.
func (v *vocab) size() int { return len(v.ends) - 1 }
