package engine

import (
	"container/heap"
	"math"
	"math/rand/v2"
	"time"

	"headway/workload"
)

// solo gives every sequence its own pace: a time to the first token and a time
// between tokens that do not depend on the others.
type solo struct {
	fixed   Fixed
	speedup float64
	key     workload.Key
	queue   dueQueue
}

func newSolo(f Fixed, c Config) *solo {
	return &solo{fixed: f, speedup: c.SpeedupRatio, key: workload.Seed(c.Seed).Named("engine jitter")}
}

func (p *solo) start(e *Engine, at time.Duration) {
	for s := e.admit(at, math.MaxInt); s != nil; s = e.admit(at, math.MaxInt) {
		if s.rng == nil && p.fixed.TTFTJitterCV+p.fixed.ITLJitterCV > 0 {
			// By order of submission and not by a common stream: a request's
			// jitter must not depend on how the others' tokens interleave.
			s.rng = p.key.Index(int(s.order)).Rand()
		}
		var fetch time.Duration
		d, cv := p.fixed.TTFT, p.fixed.TTFTJitterCV
		if e.cfg.Role == DecodeOnly {
			fetch, d, cv = e.fetchTime(s, at), p.fixed.ITL, p.fixed.ITLJitterCV
		}
		fetch += e.loaded()
		e.grow(s, s.context()) // admission saw to it that there is room
		p.plan(s, at+fetch, d, cv)
	}
}

func (p *solo) plan(s *sequence, at, d time.Duration, cv float64) {
	s.due = at + sped(jittered(d, cv, s.rng), p.speedup)
	heap.Push(&p.queue, s)
}

func (p *solo) next() (time.Duration, bool) {
	if p.queue.Len() == 0 {
		return 0, false
	}
	return p.queue.sequences[0].due, true
}

func (p *solo) finish(e *Engine, at time.Duration) {
	e.stats.Steps++
	for p.queue.Len() > 0 && p.queue.sequences[0].due == at {
		s := heap.Pop(&p.queue).(*sequence)
		if e.emit(s, at) {
			e.leave(s)
			continue
		}
		if e.makeRoom(s, s.context(), at) {
			p.plan(s, at, p.fixed.ITL, p.fixed.ITLJitterCV)
		}
	}
}

func (p *solo) drop(_ *Engine, s *sequence) {
	if s.heapIndex >= 0 {
		heap.Remove(&p.queue, s.heapIndex)
	}
}

// jittered multiplies d by a lognormal factor with mean 1 and the coefficient
// of variation cv: exp(N(−σ²/2, σ²)) with σ² = ln(1+cv²).
func jittered(d time.Duration, cv float64, rng *rand.Rand) time.Duration {
	if cv == 0 || d == 0 {
		return d
	}
	variance := math.Log1p(cv * cv)
	return time.Duration(math.Round(float64(d) * math.Exp(rng.NormFloat64()*math.Sqrt(variance)-variance/2)))
}

// dueQueue is a heap of sequences by the time of their next token, then by
// order of submission.
type dueQueue struct{ sequences }

func (q *dueQueue) Less(i, j int) bool {
	a, b := q.sequences[i], q.sequences[j]
	if a.due != b.due {
		return a.due < b.due
	}
	return a.order < b.order
}
