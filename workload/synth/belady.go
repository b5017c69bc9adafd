package synth

import (
	"container/heap"
	"math"
)

// BestAt returns the shares of blocks and tokens that one cache of so many blocks
// would have held under Belady's rule, which knows what comes and forgets the block
// that is needed last (L. Belady, A study of replacement algorithms for a
// virtual-storage computer, IBM Systems Journal 5, 1966). No rule hits more blocks;
// the tokens are those of that rule, of which only partly filled blocks can make a
// better one. As with [Reuse.At] a prompt is looked up as a whole, and then any of its
// blocks may be kept.
//
// Whoever needs a block needs those before it, and first, so that what is kept is never
// without its prefix. It takes the time of sorting all blocks of all prompts, and
// memory for each of them.
func (r *Reuse) BestAt(blocks int) (hitBlocks, hitTokens float64) {
	if blocks >= r.Distinct {
		return r.HitBlocks, r.HitTokens
	}
	if blocks <= 0 {
		return share(0, r.Blocks), share(0, r.Tokens)
	}
	c := beladyCache{next: nextUses(r.paths, r.Distinct), due: make([]int, r.Distinct), room: blocks}
	hits, tokens, use := 0, 0, 0
	for i, path := range r.paths {
		for b, n := range path {
			if c.due[n] == 0 {
				break
			}
			hits++
			tokens += min(r.blockSize, r.inputs[i]-b*r.blockSize)
		}
		for _, n := range path {
			c.keep(n, c.next[use])
			use++
		}
		c.shrink()
	}
	return share(hits, r.Blocks), share(tokens, r.Tokens)
}

// nextUses says of every block of every prompt, counted from 1 over all prompts, where
// the same one comes again; 0 is never.
func nextUses(paths [][]int32, distinct int) []int {
	use := 0
	for _, path := range paths {
		use += len(path)
	}
	next, last := make([]int, use), make([]int, distinct)
	for i := len(paths) - 1; i >= 0; i-- {
		for b := len(paths[i]) - 1; b >= 0; b-- {
			n := paths[i][b]
			next[use-1], last[n] = last[n], use
			use--
		}
	}
	return next
}

// beladyCache is what is kept, with a heap that has the block needed last on top.
// Entries of blocks that have another next use by now are skipped when they come up.
type beladyCache struct {
	next []int // of each use
	due  []int // of each block: its next use, 0 where it is not kept
	held int
	room int
	heap neededLast
}

// keep takes in a block whose next use is at due; one that is never used again is not
// kept.
func (c *beladyCache) keep(n int32, due int) {
	if c.due[n] != 0 {
		c.held--
	}
	c.due[n] = due
	if due == 0 {
		return
	}
	c.held++
	heap.Push(&c.heap, neededAt{due: due, block: n})
}

// shrink forgets what has no room.
func (c *beladyCache) shrink() {
	for c.held > c.room {
		if x := heap.Pop(&c.heap).(neededAt); c.due[x.block] == x.due {
			c.due[x.block] = 0
			c.held--
		}
	}
}

// neededAt is a block and its next use.
type neededAt struct {
	due   int
	block int32
}

// neededLast is a heap of them, the furthest first.
type neededLast []neededAt

func (q neededLast) Len() int           { return len(q) }
func (q neededLast) Less(i, j int) bool { return q[i].due > q[j].due }
func (q neededLast) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }

// Push is heap.Interface's.
func (q *neededLast) Push(x any) { *q = append(*q, x.(neededAt)) }

// Pop is heap.Interface's.
func (q *neededLast) Pop() any {
	last := len(*q) - 1
	x := (*q)[last]
	*q = (*q)[:last]
	return x
}

// Tier is one of several caches, from the one that is looked into first.
type Tier struct {
	Name string
	// Blocks is how many it holds.
	Blocks int
	// Exclusive tiers take what those above evict, and give a block away that goes back
	// up. Others get every block that the one above gets, and hear of each use.
	Exclusive bool
}

// TierHits is what a tier adds to those above it, as shares of all blocks and tokens:
// under LRU, and by Belady's rule with the room of all tiers down to this one. Reach is
// how many different blocks these can hold.
type TierHits struct {
	Tier
	Reach                  int
	LRUBlocks, LRUTokens   float64
	BestBlocks, BestTokens float64
}

// Tiers says what each of several caches below each other would have brought. What
// they hold together is what one LRU cache of their reach holds: of exclusive tiers the
// sum, of others the largest.
func (r *Reuse) Tiers(all []Tier) []TierHits {
	var hits []TierHits
	var before, best [2]float64
	reach := 0
	for _, t := range all {
		size := min(t.Blocks, math.MaxInt-reach)
		if t.Exclusive {
			reach += size
		} else {
			reach = max(reach, size)
		}
		h := TierHits{Tier: t, Reach: reach}
		blocks, tokens := r.At(reach)
		h.LRUBlocks, h.LRUTokens = blocks-before[0], tokens-before[1]
		before = [2]float64{blocks, tokens}
		blocks, tokens = r.BestAt(reach)
		h.BestBlocks, h.BestTokens = blocks-best[0], tokens-best[1]
		best = [2]float64{blocks, tokens}
		hits = append(hits, h)
	}
	return hits
}
