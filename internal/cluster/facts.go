package cluster

import (
	"slices"
	"time"

	"headway/internal/engine"
	"headway/metric"
	"headway/record"
)

// facts collects what a replay's [record.Cluster] says.
type facts struct {
	ideal *ideal
	err   error // the first one that came where none could be returned

	// planned are the times of all requests with one, done those of the ends of
	// the answered ones and took how long each of these was, in seconds; what was
	// to be cancelled, and what no worker could ever run, is in none.
	planned, done, took []float64
	timed               bool
	frontend            time.Duration // mean delay
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

// answered notes that a reply is complete, and so are its blocks. Workers that only
// compute prompts never have them.
func (x *facts) answered(c *call) {
	if c.job.said != nil && c.job.prefill == nil {
		x.ideal.reply(c.job.said)
	}
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
	if took, ok := metric.RequestLatency(r); ok {
		x.took = append(x.took, took)
	}
}

// saturated is the share of what is offered below which a cluster that
// completes less is saturated.
const saturated = 0.95

// cluster is the account of the whole replay. Busy is the time in which a
// worker has requests; a worker that has any is in a step.
func (x *facts) cluster(f *fleet, now time.Duration) record.Cluster {
	f.flush()
	unknown := record.Unknown()
	c := record.Cluster{RouterMode: f.cfg.Router.Mode.String(), EventsApplied: f.front.router.AppliedEvents(),
		HitRate: unknown, Imbalance: unknown, Frontend: x.frontend.Seconds(),
		Outside: f.cfg.Outside.Seconds()}
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
		c.HitRate = record.Number(float64(cached) / float64(prompt))
	}
	if sum > 0 {
		c.Imbalance = record.Number(most * float64(len(f.members)) / sum)
	}
	c.Tiers = f.tiers.account(f, prompt)
	c.Speculation, c.Transfers, c.Adapters = f.speculation(), f.transfers(), f.adapters()
	c.IdealHitRate, c.IdealAtSize = x.ideal.rates()
	c.RegretMean, c.RegretP50, c.RegretP99 = f.regret.summary()
	c.Offered, c.Completed, c.Saturated = x.rates()
	return c
}

// rates are the [record.MiddleRate] of the planned starts and the
// [record.CompletedRate] of the ends of replies, and whether the cluster fell behind. A closed loop offers nothing of
// its own and is never saturated; its rate is that of the whole run, since its
// replies come in waves that have no middle.
func (x *facts) rates() (offered, completed record.Number, behind bool) {
	offered, completed = record.Unknown(), record.Unknown()
	if len(x.done) == 0 {
		return offered, completed, false
	}
	if !x.timed {
		if span := slices.Max(x.done) - slices.Min(x.planned); span > 0 {
			completed = record.Number(float64(len(x.done)) / span)
		}
		return offered, completed, false
	}
	slices.Sort(x.took)
	known := false
	if v, ok := record.MiddleRate(x.planned, 0); ok {
		offered, known = record.Number(v), true
	}
	if v, ok := record.CompletedRate(x.done, slices.Max(x.planned), metric.Percentile(x.took, 50)); ok {
		completed = record.Number(v)
	}
	unanswered := float64(len(x.done)) < saturated*float64(len(x.planned))
	return offered, completed, known && (unanswered || completed < saturated*offered)
}

// isFixed says whether every request has times of its own.
func isFixed(c Config) bool {
	_, fixed := c.Engine.Timing.(engine.Fixed)
	return fixed
}
