package cluster

import (
	"time"

	"headway/internal/engine"
	"headway/record"
)

// facts collects what a replay's [record.Cluster] says.
type facts struct {
	ideal *ideal
	err   error // the first one that came where none could be returned

	// planned are the times of all requests with one, done those of the
	// answered ones, in seconds; what was to be cancelled, and what no worker
	// could ever run, is in neither.
	planned, done []float64
	timed         bool
	frontend      time.Duration // mean delay
}

func newFacts(c Config) *facts {
	caches := c.Workers
	if c.PrefillWorkers > 0 {
		caches = c.PrefillWorkers // only their caches spare anybody work
	}
	return &facts{ideal: newIdeal(c.BlockSize(), c.blocks()*caches)}
}

func (x *facts) keep(err error) {
	if x.err == nil {
		x.err = err
	}
}

// sent notes a request that a worker or the router's queue took.
func (x *facts) sent(c *call) {
	x.ideal.see(c.job.tokens, c.job.blocks)
	x.timed = x.timed || c.request().Timed
}

// finished notes what became of a request.
func (x *facts) finished(r *record.Record, cancel bool) {
	if cancel || r.Outcome == record.Failed {
		return
	}
	x.planned = append(x.planned, float64(r.Planned)/1e9)
	if r.Outcome == record.OK {
		x.done = append(x.done, float64(r.Done)/1e9)
	}
}

// saturated is the share of what is offered below which a cluster that
// completes less is saturated.
const saturated = 0.95

// cluster is the account of the whole replay. Busy is the time in which a
// worker has requests; a worker that has any is in a step.
//
// Offered and Completed are the [record.MiddleRate] of the planned starts and
// of the ends of replies. A closed loop offers nothing of its own and is never saturated.
func (x *facts) cluster(f *fleet, now time.Duration) record.Cluster {
	f.flush()
	c := record.Cluster{RouterMode: f.cfg.Router.Mode.String(), EventsApplied: f.front.router.AppliedEvents(),
		Frontend: x.frontend.Seconds()}
	var prompt, cached int64
	var sum, most float64
	for _, m := range f.members {
		busy := m.busy
		if m.jobs > 0 {
			busy += now - m.since
		}
		t := m.totals
		c.Workers = append(c.Workers, record.ClusterWorker{ID: m.number, Requests: t.requests, PromptTokens: t.prompt,
			CachedTokens: t.cached, OutputTokens: t.output, Busy: busy.Seconds()})
		prompt, cached = prompt+t.prompt, cached+t.cached
		c.Preemptions += m.eng.Stats().Preempted
		sum, most = sum+busy.Seconds(), max(most, busy.Seconds())
	}
	if prompt > 0 {
		c.HitRate = float64(cached) / float64(prompt)
	}
	if sum > 0 {
		c.Imbalance = most * float64(len(f.members)) / sum
	}
	c.IdealHitRate, c.IdealAtSize = x.ideal.rates()
	c.RegretMean, c.RegretP50, c.RegretP99 = f.regret.summary()
	answered := float64(len(x.done))
	c.Completed = record.MiddleRate(x.done)
	if x.timed {
		all := float64(len(x.planned))
		c.Offered = record.MiddleRate(x.planned)
		c.Saturated = c.Offered > 0 && (c.Completed < saturated*c.Offered || answered < saturated*all)
	}
	return c
}

// isFixed says whether every request has times of its own.
func isFixed(c Config) bool {
	_, fixed := c.Engine.Timing.(engine.Fixed)
	return fixed
}
