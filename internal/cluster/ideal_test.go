package cluster

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// plainIdeal does what ideal does, by the book.
type plainIdeal struct {
	block, capacity          int
	seen                     map[uint64]bool
	lru                      []uint64 // from the oldest
	prompt, unlimited, sized int64
}

func (p *plainIdeal) see(tokens int, blocks []uint64) {
	p.prompt += int64(tokens)
	leading := func(has func(uint64) bool) int64 {
		n := 0
		for n < len(blocks) && n < (tokens-1)/p.block && has(blocks[n]) {
			n++
		}
		return int64(n * p.block)
	}
	p.unlimited += leading(func(h uint64) bool { return p.seen[h] })
	p.sized += leading(func(h uint64) bool { return slices.Contains(p.lru, h) })
	for _, h := range slices.Backward(blocks) {
		p.seen[h] = true
		p.lru = append(slices.DeleteFunc(p.lru, func(o uint64) bool { return o == h }), h)
		if len(p.lru) > p.capacity {
			p.lru = p.lru[1:]
		}
	}
}

// Random prompts over a tree of few branches, so that they share beginnings of
// every length.
func TestIdealAgainstAPlainModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const block = 4
		capacity := rapid.IntRange(1, 30).Draw(t, "capacity")
		d := newIdeal(block, capacity)
		p := &plainIdeal{block: block, capacity: capacity, seen: map[uint64]bool{}}
		for range rapid.IntRange(1, 60).Draw(t, "prompts") {
			var blocks []uint64
			h := uint64(1)
			for _, way := range rapid.SliceOfN(rapid.IntRange(0, 2), 0, 8).Draw(t, "ways") {
				h = h*31 + uint64(way) + 1
				blocks = append(blocks, h)
			}
			tokens := max(1, len(blocks)*block+rapid.IntRange(0, block-1).Draw(t, "rest"))
			d.see(tokens, blocks)
			p.see(tokens, blocks)
			if d.prompt != p.prompt || d.unlimited != p.unlimited || d.sized != p.sized {
				t.Fatalf("%v: %d of %d unlimited, %d in %d blocks; want %d and %d", blocks, d.unlimited, d.prompt,
					d.sized, capacity, p.unlimited, p.sized)
			}
		}
	})
}
