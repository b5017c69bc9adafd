package cluster

import (
	"time"

	"headway/internal/engine"
	"headway/internal/router"
)

// job is a request on its way through the fleet.
type job struct {
	id       uint64
	tokens   int // of the prompt
	output   int
	blocks   []uint64 // of the prompt; must not change until the job is over
	said     []uint64 // blocks, and after them those of the reply; nil where a reply has no names
	adapter  uint64   // that it asks for, 0 is none; blocks are named apart for each
	priority int
	route    router.Request

	on       *member              // where it runs; nil in a router's queue
	prefill  *member              // where its prompt was computed, if elsewhere
	ack      time.Duration        // when the API server let its head go; 0 without one
	cached   int                  // tokens found in the prefix cache and in tiers, -1 before the first admission
	tiered   [engine.MaxTiers]int // of them, those that each tier brought
	produced int                  // tokens
}

// produced notes how many tokens a job has, and tells the router of the first
// one and of full blocks.
func (f *fleet) produced(j *job, tokens int) {
	m := j.on
	if tokens > 0 && j.produced == 0 {
		f.routerOf(m).PrefillDone(j.id)
	}
	if f.cfg.Router.TrackOutputBlocks {
		bs := f.cfg.BlockSize()
		for n := (j.tokens+tokens)/bs - (j.tokens+j.produced)/bs; n > 0; n-- {
			f.routerOf(m).OutputBlock(j.id)
		}
	}
	m.totals.output += int64(tokens - j.produced)
	j.produced = tokens
}

// routerOf is the router that sent the job to m.
func (f *fleet) routerOf(m *member) *router.Router {
	if f.back != nil && m.number < len(f.back.members) {
		return f.back.router
	}
	return f.front.router
}

// end takes a job off the books.
func (f *fleet) end(at time.Duration, j *job) {
	f.leave(at, j)
	delete(f.jobs, j.id)
}

// leave takes a job from its worker.
func (f *fleet) leave(at time.Duration, j *job) {
	m := j.on
	f.routerOf(m).Finished(j.id)
	if m.jobs--; m.jobs == 0 {
		m.busy += at - m.since
	}
}
