package cluster

import (
	"slices"
	"time"

	"headway/internal/engine"
	"headway/internal/router"
	"headway/metric"
)

// regret measures how much of a request's wait for its first token the router
// could have avoided.
//
// The modelled TTFT at a worker is
//
//	what is left of its step in flight + P(backlog + uncached)
//
// where backlog is the prompt tokens that its requests without a first token
// still had to compute when they came, uncached is what of this prompt the
// worker's cache does not hold, both as they truly are and not as the router
// believes, and P(n) is the time of computing n prompt tokens on an idle
// worker, whole steps of --max-num-batched-tokens first. Decoding in the same
// steps, chunks that are done already and requests that wait for memory are
// left out on all workers alike, so the figure compares workers and is no
// forecast. The regret is that of the worker chosen less the least of all.
//
// With fixed times a prompt costs the same everywhere, and the regret is 0.
type regret struct {
	// truth follows the caches of all workers where the router itself does
	// not know them. It only ever answers for their overlap.
	truth   *router.Router
	block   int
	chunk   int
	config  engine.Config
	fixed   bool
	times   map[int]time.Duration // P by blocks, up to a chunk
	seconds []float32             // a decision each
}

func newRegret(c Config, workers int) (*regret, error) {
	r := &regret{block: c.BlockSize(), chunk: c.batched(), config: c.engineConfig(0, engine.Aggregated), times: map[int]time.Duration{}}
	r.config.StartupTime, r.config.OnKV, r.config.Seed = 0, nil, 0
	r.fixed = isFixed(c)
	rc := c.routerConfig(workers)
	if rc.Mode == router.KV && rc.UseKVEvents && c.EventDelay == 0 {
		return r, nil
	}
	rc = router.Defaults()
	rc.Mode, rc.Workers, rc.BlockSize = router.KV, workers, r.block
	rc.QueueThreshold, rc.TrackActiveBlocks, rc.TrackPrefillTokens = 0, false, false
	var err error
	r.truth, err = router.New(rc)
	return r, err
}

func (r *regret) hear(worker int, e router.Event) {
	if r.truth != nil {
		_ = r.truth.Apply(worker, e) // fails for workers that do not exist only
	}
}

// observe notes the regret of a decision, and returns how many tokens of the
// prompt the chosen worker has to compute.
func (r *regret) observe(now time.Duration, f *fleet, j *job, d router.Decision) int {
	costs := d.Costs
	if r.truth != nil {
		q := j.route
		q.Direct = 0
		t, err := r.truth.Route(now, q)
		if err != nil {
			return j.tokens
		}
		r.truth.Finished(j.id)
		costs = t.Costs
	}
	least, own, owed := time.Duration(-1), time.Duration(0), 0
	for i, m := range f.front.members {
		uncached := max(j.tokens-costs[i].Overlap.Device*r.block, 1)
		t := r.prefill(m.backlog + uncached)
		if m.heap >= 0 {
			t += max(m.at-now, 0)
		}
		if least < 0 || t < least {
			least = t
		}
		if i == d.Worker {
			own, owed = t, uncached
		}
	}
	if r.fixed {
		own = least
	}
	r.seconds = append(r.seconds, float32((own - least).Seconds()))
	return owed
}

// prefill is P(tokens).
func (r *regret) prefill(tokens int) time.Duration {
	whole, rest := tokens/r.chunk, tokens%r.chunk
	return time.Duration(whole)*r.alone(r.chunk) + r.alone(rest)
}

// alone is how long an idle worker takes for a prompt within one step, rounded
// up to blocks: found by asking one, so that it holds for every model of time.
func (r *regret) alone(tokens int) time.Duration {
	if tokens == 0 {
		return 0
	}
	blocks := (tokens + r.block - 1) / r.block
	if t, ok := r.times[blocks]; ok {
		return t
	}
	var t time.Duration
	if e, err := engine.New(r.config); err == nil {
		n := min(blocks*r.block, r.config.Capacity()-1)
		if e.Submit(0, engine.Request{ID: 1, PromptTokens: n, MaxTokens: 1}) == nil {
			for _, next, busy := e.Step(0); busy; _, next, busy = e.Step(next) {
				t = next
			}
		}
	}
	r.times[blocks] = t
	return t
}

// summary gives the mean and two quantiles in seconds, 0 without decisions.
func (r *regret) summary() (mean, p50, p99 float64) {
	if r == nil || len(r.seconds) == 0 {
		return 0, 0, 0
	}
	sorted := make([]float64, len(r.seconds))
	for i, s := range r.seconds {
		sorted[i] = float64(s)
		mean += sorted[i]
	}
	slices.Sort(sorted)
	return mean / float64(len(sorted)), metric.Percentile(sorted, 50), metric.Percentile(sorted, 99)
}
