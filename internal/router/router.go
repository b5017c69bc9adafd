// Package router says where a request goes: round-robin, random, least
// loaded, the better of two, as the request says, or, in mode KV, to the
// worker on which it costs least, given what each worker caches and has to
// do. It follows the router of NVIDIA Dynamo in formulas, defaults and names.
//
// Requests and KV events go in, workers come out. The router sees neither
// workers nor their clocks: its view of their load is made of its own
// decisions and of what it is told of their end, and its view of their caches
// of events, or of its own decisions too. Everything follows from the
// configuration and the calls, in their order.
//
// It has no goroutines and takes no locks: one goroutine calls it. Not built:
// a cache that workers share, the credit against decode blocks of pure decode
// pools, prefill load by a model, tiers of strict priority, limits of a queue's
// length.
package router

import (
	"fmt"
	"math"
	"time"

	"headway/workload"
)

// Request is what the router has to know of a request.
type Request struct {
	// ID is unique among the requests that wait or run.
	ID uint64
	// Blocks are the sequence hashes of the prompt's full blocks, in order.
	// The slice must not change until the request is finished.
	Blocks []uint64
	// Tokens is the length of the prompt.
	Tokens int
	// ExpectedOutput is the length of the reply in tokens, 0 if not known.
	ExpectedOutput int
	// Priority is how many seconds the request jumps ahead in the queue.
	Priority float64
	// Direct is the worker in mode Direct; other modes ignore it.
	Direct int
	// Class is the policy family or class that the request asks for, if any;
	// see [Profile].
	Class string
}

// Decision is where a request goes.
type Decision struct {
	// Worker is the worker, and -1 while the request is Queued.
	Worker int
	// Queued says that every worker has too much to prefill: the request is
	// kept, and Release gives its worker later.
	Queued bool
	// Overlap is what of the prompt the worker has, by the router's index.
	Overlap Overlap
	// Costs are those of all workers, in mode KV. The slice is valid until
	// the next call of Route or Release.
	Costs []Cost
}

// Load is the router's view of the load of a worker.
type Load struct {
	// Requests run there.
	Requests int
	// PrefillTokens are prompt tokens still to be computed; mode KV with
	// TrackPrefillTokens.
	PrefillTokens int
	// Blocks are those of the running requests; mode KV with
	// TrackActiveBlocks.
	Blocks float64
}

// Router routes requests to workers. It is not safe for concurrent use.
type Router struct {
	cfg     Config
	key     workload.Key
	turn    int // of RoundRobin
	workers []worker
	index   *index
	active  *active
	leases  *leases // nil with UseKVEvents
	queue   queue
	applied int64

	// known finds the sequence of a running request; a waiting one has -1.
	known     map[uint64]int32
	sequences []sequence
	free      []int32 // sequences not in use

	// Scratch space by worker, so that a decision allocates nothing.
	overlaps []Overlap
	found    []int
	costs    []Cost
	weights  []float64
}

type worker struct{ requests, prefill int }

// New returns a router, or an error that names every fault of the
// configuration.
func New(c Config) (*Router, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	n := c.Workers
	r := &Router{
		cfg: c, key: c.Seed.Named("router"), workers: make([]worker, n), index: newIndex(n), active: newActive(n),
		queue: newQueue(c), known: map[uint64]int32{},
		overlaps: make([]Overlap, n), found: make([]int, n), costs: make([]Cost, n), weights: make([]float64, n),
	}
	if !c.UseKVEvents && c.Mode == KV {
		r.leases = newLeases(c)
	}
	return r, nil
}

// Route decides for a request that arrives now, or keeps it in the queue. Time
// must not go back. An error means that the request was not accepted.
func (r *Router) Route(now time.Duration, q Request) (Decision, error) {
	if err := r.check(&q); err != nil {
		return Decision{Worker: -1}, fmt.Errorf("routing request %d: %w", q.ID, err)
	}
	if r.cfg.queues() && r.hold(now, &q) {
		return Decision{Worker: -1, Queued: true}, nil
	}
	return r.decide(now, q), nil
}

// hold keeps a request if it has to wait. One that comes while others of its
// class wait goes through the queue even if a worker is free, so that it cannot
// overtake them.
func (r *Router) hold(now time.Duration, q *Request) bool {
	class, uncached := 0, q.Tokens
	if r.cfg.Profile != nil || r.cfg.QueuePolicy == WSPT {
		uncached = r.leastUncached(now, q)
	}
	if r.cfg.Profile != nil {
		class = r.cfg.Profile.class(q.Class, uncached)
	}
	c := &r.queue.classes[class]
	if len(c.pending) == 0 && r.leastPrefill() <= c.limit {
		return false
	}
	r.known[q.ID] = -1
	r.queue.push(now, class, *q, max(uncached, 1))
	return true
}

// Release decides for the next waiting request, if a worker can take it. Call
// it until ok is false, after PrefillDone and Finished and before Route.
func (r *Router) Release(now time.Duration) (id uint64, d Decision, ok bool) {
	if r.queue.n == 0 {
		return 0, Decision{Worker: -1}, false
	}
	q, ok := r.queue.pop(r.leastPrefill())
	if !ok {
		return 0, Decision{Worker: -1}, false
	}
	return q.ID, r.decide(now, q), true
}

func (r *Router) check(q *Request) error {
	if _, ok := r.known[q.ID]; ok {
		return fmt.Errorf("a request of this ID waits or runs already")
	}
	switch {
	case q.Tokens < 1 || q.Tokens > workload.MaxTokens:
		return fmt.Errorf("a prompt of %d tokens: must be from 1 to %d", q.Tokens, workload.MaxTokens)
	case len(q.Blocks) > q.Tokens/r.cfg.BlockSize:
		return fmt.Errorf("%d blocks of %d tokens do not fit a prompt of %d tokens: give full blocks only",
			len(q.Blocks), r.cfg.BlockSize, q.Tokens)
	case q.ExpectedOutput < 0:
		return fmt.Errorf("an expected output of %d tokens: must be 0 or more", q.ExpectedOutput)
	case math.IsNaN(q.Priority) || math.IsInf(q.Priority, 0):
		return fmt.Errorf("a priority of %v: must be a finite number of seconds", q.Priority)
	case r.cfg.Mode == Direct && (q.Direct < 0 || q.Direct >= r.cfg.Workers):
		return fmt.Errorf("mode direct needs a worker from 0 to %d, not %d", r.cfg.Workers-1, q.Direct)
	}
	return nil
}

// leastPrefill is what the worker with the least to prefill has, in tokens.
func (r *Router) leastPrefill() float64 {
	least := math.MaxInt
	for i := range r.workers {
		least = min(least, r.workers[i].prefill)
	}
	return float64(least)
}

// leastUncached is how much of a prompt the worker that has most of it would
// compute, in tokens.
func (r *Router) leastUncached(now time.Duration, q *Request) int {
	if r.leases != nil {
		r.leases.expire(now, r.index.tables[Device])
	}
	r.index.overlaps(q.Blocks, r.overlaps)
	least := q.Tokens
	for _, o := range r.overlaps {
		least = min(least, r.uncached(q.Tokens, o))
	}
	return least
}

func (r *Router) decide(now time.Duration, q Request) Decision {
	if r.leases != nil {
		r.leases.expire(now, r.index.tables[Device])
	}
	d := Decision{Worker: r.choose(&q)}
	if r.cfg.Mode == KV {
		d.Costs, d.Overlap = r.costs, r.costs[d.Worker].Overlap
	} else {
		d.Overlap = r.index.overlap(d.Worker, q.Blocks)
	}
	r.admit(q, d)
	if r.leases != nil {
		r.leases.renew(now, d.Worker, q.Blocks, r.index.tables[Device])
	}
	return d
}

// Waiting is how many requests are in the queue.
func (r *Router) Waiting() int { return r.queue.n }

// Load is the router's view of a worker, from 0.
func (r *Router) Load(worker int) Load {
	w := r.workers[worker]
	return Load{Requests: w.requests, PrefillTokens: w.prefill, Blocks: r.active.blocks(worker)}
}
