package engine

import "time"

// lockstep advances all running sequences together, one step after the other:
// continuous batching.
type lockstep struct {
	model   Polynomial
	speedup float64

	inFlight bool
	end      time.Duration
}

// start plans a step unless one is in flight. Sequences that run go first, in
// order of admission, and take what they need of the token budget; what is
// left goes to new ones. A sequence whose prompt is only partly computed is
// always the last of the running, since nothing is admitted past it.
func (l *lockstep) start(e *Engine, at time.Duration) {
	if l.inFlight {
		return
	}
	b := batch{budget: e.cfg.MaxNumBatchedTokens}
	preempted := e.stats.Preempted
	for i := 0; i < len(e.running) && b.budget > 0; i++ {
		s := e.running[i]
		if n := b.room(s); e.makeRoom(s, s.computed+n, at) {
			b.add(s, n)
		}
	}
	// What was just preempted would be the first to be admitted, and would
	// take the blocks again that the older ones need.
	if e.stats.Preempted == preempted {
		for b.budget > 0 {
			s := e.admit(at)
			if s == nil {
				break
			}
			b.add(s, b.room(s))
		}
	}
	if b.prefill == 0 && b.decode == 0 {
		return
	}
	d := l.model.Prefill(b.prefill)
	if b.decode > 0 {
		d += l.model.Decode(e.share())
	}
	l.inFlight, l.end = true, at+sped(d, l.speedup)
	e.stats.Steps++
}

func (l *lockstep) next() (time.Duration, bool) { return l.end, l.inFlight }

// finish ends the step: whoever's context is whole has a new token.
func (l *lockstep) finish(e *Engine, at time.Duration) {
	l.inFlight = false
	kept := e.running[:0]
	for _, s := range e.running {
		s.computed += s.chunk
		s.chunk = 0
		if s.computed == s.context() && e.emit(s, at) {
			e.release(s)
			continue
		}
		kept = append(kept, s)
	}
	clear(e.running[len(kept):])
	e.running = kept
}

// drop has nothing to forget: the work of a sequence is in the sequence, and a
// step lasts as long as it was planned.
func (l *lockstep) drop(*sequence) {}

// batch is a step while it is being planned.
type batch struct {
	budget          int // tokens that still fit
	prefill, decode int // tokens of each kind
}

// room is how many tokens of s the step can compute.
func (b *batch) room(s *sequence) int { return min(s.context()-s.computed, b.budget) }

func (b *batch) add(s *sequence, tokens int) {
	s.chunk = tokens
	b.budget -= tokens
	if s.decoding {
		b.decode += tokens
	} else {
		b.prefill += tokens
	}
}
