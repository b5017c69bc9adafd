package engine

import "container/heap"

// decoding is the sequences that get one token with every tick. Nothing of
// theirs is touched by a tick: a sequence that joins notes how many tokens it
// had and how many ticks there were, and what it has later follows from the
// ticks since. What has to be known about all of them together is kept as
// sums: when the next one ends, how many need a block in the next step, how
// long their contexts are.
//
// A sequence's context grows by one with each tick, so it needs a new block
// every blockSize ticks, always at the same remainder; cross counts the
// sequences by that remainder.
type decoding struct {
	blockSize, ahead int
	drafted          bool // ticks bring several tokens: see speculation.go

	n       int   // sequences
	context int   // sum of their contexts
	ticks   int64 // decode steps that ended
	started int64 // decode steps that started: ticks or ticks+1
	cross   []int
	ends    endQueue
	fresh   int // sequences that had no token since their admission
}

func newDecoding(blockSize, ahead int) decoding {
	return decoding{blockSize: blockSize, ahead: ahead, cross: make([]int, blockSize)}
}

// join adds s with the tokens it has. It holds the blocks of all it needs up
// to the next step that starts, or up to the present one while that is being
// planned.
func (d *decoding) join(s *sequence) {
	s.phase = decodes
	s.base = s.generated - int(d.ticks)
	s.lastTick = d.ticks + int64(s.req.MaxTokens-s.generated)
	d.n++
	d.context += s.context()
	if !s.quiet {
		d.fresh++
	}
	if d.drafted {
		return
	}
	d.cross[d.remainder(s)]++
	heap.Push(&d.ends, s)
}

// leave takes s out, and its tokens are counted in s again.
func (d *decoding) leave(s *sequence) {
	s.generated = s.base + int(d.ticks)
	if s.heapIndex >= 0 {
		heap.Remove(&d.ends, s.heapIndex)
	}
	d.n--
	d.context -= s.context()
	if !d.drafted {
		d.cross[d.remainder(s)]--
	}
	if !s.quiet {
		d.fresh--
	}
}

// remainder is that of the ticks at whose start s needs a block: those at
// which prompt + base + ticks − 1 + ahead, the tokens it has blocks for, fill
// their blocks exactly.
func (d *decoding) remainder(s *sequence) int {
	r := (1 - d.ahead - s.req.PromptTokens - s.base) % d.blockSize
	if r < 0 {
		r += d.blockSize
	}
	return r
}

// crossings is how many sequences need a block for the next tick.
func (d *decoding) crossings() int { return d.cross[d.started%int64(d.blockSize)] }

// tick gives a token to everybody.
func (d *decoding) tick() {
	d.ticks++
	d.context += d.n
}

// measure adds the decoding to a step's load.
func (d *decoding) measure(l *load) { l.decodeSeqs, l.decodeContext = d.n, d.context }

// finished returns one after the other those who have all their tokens, in
// order of admission, then nil. They have to leave.
func (d *decoding) finished() *sequence {
	if d.ends.Len() == 0 || d.ends.sequences[0].lastTick > d.ticks {
		return nil
	}
	return d.ends.sequences[0]
}

// endQueue is a heap of sequences by their last tick, then by admission.
type endQueue struct{ sequences }

func (q *endQueue) Less(i, j int) bool {
	a, b := q.sequences[i], q.sequences[j]
	if a.lastTick != b.lastTick {
		return a.lastTick < b.lastTick
	}
	return a.admitted < b.admitted
}
