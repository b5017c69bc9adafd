package cluster

import "headway/record"

// ideal is what caches without workers would have found, on the same prompts
// in the order of arrival: one that never forgets, and one LRU cache of a
// given number of blocks. Hits are counted as a worker counts them: leading
// blocks, and at least the last token of a prompt is computed.
//
// A block is forgotten before those that stand before it in its prompt, as in
// a worker, so that what is left can still be found.
//
// The blocks that a prompt is the first to have lie next to each other, as one
// run, and only the first of a run is in the map: a prompt that has one of the
// others has all before it too and comes to it from there. A map of all blocks
// would spend its time on misses of the processor's cache.
type ideal struct {
	block int

	blocks []*[chunkSize]seen // all that were ever seen, in chunks: growing copies nothing
	count  int32
	heads  map[uint64]int32 // the first blocks of runs

	lru   []resident // as many as the cache has blocks; the list runs through them
	first int32      // the one to be forgotten next, -1 with none
	last  int32
	found []int32 // scratch space

	prompt, unlimited, sized int64 // tokens
}

const chunkSize = 1 << 12

// seen is a block that was ever seen.
type seen struct {
	hash uint64
	slot int32 // its place in lru; -1 when it was forgotten
	head bool  // of a run
}

// resident is a block in the LRU cache.
type resident struct{ block, prev, next int32 }

func newIdeal(block, capacity int) *ideal {
	return &ideal{block: block, heads: map[uint64]int32{}, lru: make([]resident, 0, capacity), first: -1, last: -1}
}

func (d *ideal) at(n int32) *seen { return &d.blocks[n/chunkSize][n%chunkSize] }

// see takes in a prompt.
func (d *ideal) see(tokens int, blocks []uint64) {
	d.prompt += int64(tokens)
	d.walk(blocks)
	known := d.found[:min(len(d.found), (tokens-1)/d.block)]
	d.unlimited += int64(len(known) * d.block)
	for _, n := range known {
		if d.at(n).slot < 0 {
			break
		}
		d.sized += int64(d.block)
	}
	d.store(blocks)
}

// reply takes in what a request leaves behind: the blocks of its prompt and of its
// reply.
func (d *ideal) reply(blocks []uint64) {
	d.walk(blocks)
	d.store(blocks)
}

// walk finds the nodes of the blocks that were ever seen.
func (d *ideal) walk(blocks []uint64) {
	d.found = d.found[:0]
	for len(d.found) < len(blocks) {
		n := d.find(blocks[len(d.found)])
		if n < 0 {
			break
		}
		d.found = append(d.found, n)
	}
}

// store adds those that walk did not find, and makes all of them the youngest.
func (d *ideal) store(blocks []uint64) {
	d.add(blocks[len(d.found):])
	for i := len(d.found) - 1; i >= 0; i-- {
		d.touch(d.found[i])
	}
}

// find is the node of a block whose predecessor is the last one found, or -1.
func (d *ideal) find(h uint64) int32 {
	if i := len(d.found); i > 0 {
		n := d.found[i-1] + 1
		if n < d.count && !d.at(n).head && d.at(n).hash == h {
			return n
		}
	}
	if n, ok := d.heads[h]; ok {
		return n
	}
	return -1
}

// add makes a run of blocks that were not seen before.
func (d *ideal) add(blocks []uint64) {
	for i, h := range blocks {
		n := d.count
		if n%chunkSize == 0 {
			d.blocks = append(d.blocks, new([chunkSize]seen))
		}
		*d.at(n) = seen{hash: h, slot: -1, head: i == 0}
		if i == 0 {
			d.heads[h] = n
		}
		d.found = append(d.found, n)
		d.count++
	}
}

// touch makes a block the youngest, and forgets the oldest when there is no
// room for it.
func (d *ideal) touch(n int32) {
	b := d.at(n)
	switch {
	case b.slot == d.last && b.slot >= 0:
		return
	case b.slot >= 0:
		d.unlink(b.slot)
	case len(d.lru) < cap(d.lru):
		b.slot = int32(len(d.lru))
		d.lru = append(d.lru, resident{})
	default:
		b.slot = d.first
		d.at(d.lru[b.slot].block).slot = -1
		d.unlink(b.slot)
	}
	d.lru[b.slot] = resident{block: n, prev: d.last, next: -1}
	if d.last >= 0 {
		d.lru[d.last].next = b.slot
	} else {
		d.first = b.slot
	}
	d.last = b.slot
}

func (d *ideal) unlink(slot int32) {
	r := d.lru[slot]
	if r.prev >= 0 {
		d.lru[r.prev].next = r.next
	} else {
		d.first = r.next
	}
	if r.next >= 0 {
		d.lru[r.next].prev = r.prev
	} else {
		d.last = r.prev
	}
}

// rates are the shares of prompt tokens found, without a limit and at size.
func (d *ideal) rates() (unlimited, sized record.Number) {
	if d.prompt == 0 {
		return record.Unknown(), record.Unknown()
	}
	share := func(n int64) record.Number { return record.Number(float64(n) / float64(d.prompt)) }
	return share(d.unlimited), share(d.sized)
}
