package synth

import (
	"math"

	"headway/workload"
)

// Reuse says how much of the prompts a prefix cache would have held already. A
// block is a hit only when all blocks before it are hits.
type Reuse struct {
	// Blocks is how many blocks all prompts have, Distinct how many different
	// ones. Repeated is how many different ones are in more than one prompt.
	Blocks, Distinct, Repeated int
	// Tokens is how many tokens the prompts with known blocks have.
	Tokens int
	// Ambiguous counts ids that appeared after different prefixes, each time as
	// a block of its own. A trace that keeps to the format has none.
	Ambiguous int
	// HitBlocks and HitTokens are the shares of blocks and tokens that a cache
	// which never forgets would have held, from 0 to 1; NaN without blocks.
	HitBlocks, HitTokens float64

	// blocksBelow[c] and tokensBelow[c] count the hits of a cache of c blocks.
	blocksBelow, tokensBelow []int

	// What the prompts were, for rules that know what comes.
	paths     [][]int32
	inputs    []int // tokens of each row
	blockSize int
}

// At returns the shares of blocks and tokens that one LRU cache of so many blocks
// would have held. The blocks of a prompt are taken to be freed together, the last
// one first, so that what is evicted is never a prefix of what stays; the prompt
// itself is looked up as a whole before it is stored.
func (r *Reuse) At(blocks int) (hitBlocks, hitTokens float64) {
	blocks = min(max(blocks, 0), len(r.blocksBelow)-1)
	return share(r.blocksBelow[blocks], r.Blocks), share(r.tokensBelow[blocks], r.Tokens)
}

// Sizes returns cache sizes in blocks for a curve over the whole range, in steps
// of 1, 2, 5; the last is the size at which nothing is forgotten any more.
func (r *Reuse) Sizes() []int {
	var sizes []int
	for decade := 1; decade <= r.Distinct; decade *= 10 {
		for _, step := range []int{1, 2, 5} {
			if size := decade * step; size < r.Distinct {
				sizes = append(sizes, size)
			}
		}
	}
	if r.Distinct > 0 {
		sizes = append(sizes, r.Distinct)
	}
	return sizes
}

func share(part, whole int) float64 {
	if whole == 0 {
		return math.NaN()
	}
	return float64(part) / float64(whole)
}

// measureReuse finds the hits at every cache size in one pass. A block is in an
// LRU cache of c blocks when fewer than c others were used since it was (Mattson
// et al., Evaluation Techniques for Storage Hierarchies, IBM Systems Journal 9,
// 1970); their number is a sum over a Fenwick tree with a one at the time of every
// block's last use.
func measureReuse(rows []workload.Row, f *forest, blockSize int) Reuse {
	r := Reuse{Blocks: f.ids, Distinct: len(f.parent), Ambiguous: f.split, paths: f.paths, blockSize: blockSize}
	for i := range rows {
		r.inputs = append(r.inputs, rows[i].InputLength)
	}
	for _, v := range f.visits {
		if v > 1 {
			r.Repeated++
		}
	}
	r.blocksBelow = make([]int, r.Distinct+1)
	r.tokensBelow = make([]int, r.Distinct+1)
	used := fenwick(make([]int32, f.ids+1))
	last := make([]int32, r.Distinct) // use of each block, from 1; 0 is never
	now, held := 0, 0
	for i, path := range f.paths {
		if len(path) > 0 {
			r.Tokens += rows[i].InputLength
		}
		for b, n := range path {
			if last[n] == 0 {
				break
			}
			distance := held - used.sum(int(last[n])) + 1
			r.blocksBelow[distance]++
			r.tokensBelow[distance] += min(blockSize, rows[i].InputLength-b*blockSize)
		}
		for b := len(path) - 1; b >= 0; b-- {
			n := path[b]
			now++
			if last[n] == 0 {
				held++
			} else {
				used.add(int(last[n]), -1)
			}
			last[n] = int32(now)
			used.add(now, 1)
		}
	}
	for c := 1; c <= r.Distinct; c++ {
		r.blocksBelow[c] += r.blocksBelow[c-1]
		r.tokensBelow[c] += r.tokensBelow[c-1]
	}
	r.HitBlocks, r.HitTokens = r.At(r.Distinct)
	return r
}

// fenwick holds counts at places from 1 and sums them from the start (P. Fenwick,
// A New Data Structure for Cumulative Frequency Tables, 1994).
type fenwick []int32

func (f fenwick) add(i int, d int32) {
	for ; i < len(f); i += i & -i {
		f[i] += d
	}
}

func (f fenwick) sum(i int) int {
	s := int32(0)
	for ; i > 0; i &= i - 1 {
		s += f[i]
	}
	return int(s)
}
