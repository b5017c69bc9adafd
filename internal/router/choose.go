package router

import (
	"fmt"
	"math/bits"
)

// choose picks the worker of a request that Route has accepted.
func (r *Router) choose(q *Request) int {
	switch r.cfg.Mode {
	case RoundRobin:
		w := r.turn
		r.turn = (r.turn + 1) % r.cfg.Workers
		return w
	case Random:
		return r.draw(q.ID, 0, r.cfg.Workers)
	case LeastLoaded:
		return r.lowest(q.ID, func(w int) float64 { return float64(r.workers[w].requests) })
	case PowerOfTwo:
		return r.ofTwo(q.ID)
	case Direct:
		return q.Direct
	}
	r.price(q)
	if r.cfg.Temperature > 0 {
		return r.sampled(q.ID)
	}
	return r.cheapest(q.ID)
}

func (r *Router) ofTwo(id uint64) int {
	if r.cfg.Workers == 1 {
		return 0
	}
	a := r.draw(id, 0, r.cfg.Workers)
	b := r.draw(id, 1, r.cfg.Workers-1)
	if b >= a {
		b++
	}
	if r.workers[b].requests < r.workers[a].requests {
		return b
	}
	return a
}

// lowest is the worker of which of is lowest, one drawn of several.
func (r *Router) lowest(id uint64, of func(worker int) float64) int {
	best, ties := of(0), 1
	for w := 1; w < r.cfg.Workers; w++ {
		switch v := of(w); {
		case v < best:
			best, ties = v, 1
		case v == best:
			ties++
		}
	}
	nth := r.draw(id, 0, ties)
	for w := range r.cfg.Workers {
		if of(w) != best {
			continue
		}
		if nth == 0 {
			return w
		}
		nth--
	}
	panic(fmt.Sprintf("router: no worker has the lowest cost %v: a cost is not a number", best))
}

// draw is the nth draw for a request, from 0 up to but not n. It follows from
// the seed and the ID alone.
func (r *Router) draw(id uint64, nth, n int) int {
	// The high half of the product is as even as a remainder is not (Lemire,
	// ACM TOMACS 29, 2019).
	high, _ := bits.Mul64(uint64(r.key.Index(int(id)).Index(nth)), uint64(n))
	return int(high)
}

// fraction is a draw from 0 up to but not 1.
func (r *Router) fraction(id uint64) float64 {
	return float64(uint64(r.key.Index(int(id)).Index(0))>>11) / (1 << 53)
}
