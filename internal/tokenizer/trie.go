package tokenizer

import (
	"cmp"
	"slices"
)

// trie finds which keys a text starts with. The children of a node stand side
// by side, in order of their byte, so that half a million nodes are three
// arrays of numbers.
type trie struct {
	first  []uint32 // the children of node i are first[i] to first[i+1]
	bytes  []byte   // the byte that leads to a node
	values []int32  // what ends at a node, -1: nothing
}

// root is the node that every key starts from.
const root = 0

// newTrie gives every key its index as value. Of equal keys the last counts;
// empty keys are left out.
func newTrie(keys []string) *trie {
	order := make([]int32, 0, len(keys))
	for i, k := range keys {
		if k != "" {
			order = append(order, int32(i))
		}
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(keys[a], keys[b]), cmp.Compare(a, b))
	})
	// Breadth first: span i holds the keys below node i, sorted.
	type span struct{ from, to, depth int32 }
	t := &trie{bytes: []byte{0}, values: []int32{-1}}
	spans := []span{{0, int32(len(order)), 0}}
	for i := 0; i < len(spans); i++ {
		s := spans[i]
		t.first = append(t.first, uint32(len(spans)))
		for s.from < s.to && len(keys[order[s.from]]) == int(s.depth) {
			t.values[i] = order[s.from]
			s.from++
		}
		for s.from < s.to {
			b, end := keys[order[s.from]][s.depth], s.from+1
			for end < s.to && keys[order[end]][s.depth] == b {
				end++
			}
			t.bytes, t.values = append(t.bytes, b), append(t.values, -1)
			spans = append(spans, span{s.from, end, s.depth + 1})
			s.from = end
		}
	}
	t.first = append(t.first, uint32(len(spans)))
	return t
}

// step returns the child of node for b, or root when there is none.
func (t *trie) step(node uint32, b byte) uint32 {
	from, to := t.first[node], t.first[node+1]
	for to-from > 8 {
		if mid := (from + to) / 2; t.bytes[mid] > b {
			to = mid
		} else {
			from = mid
		}
	}
	for ; from < to; from++ {
		if t.bytes[from] == b {
			return from
		}
	}
	return root
}
