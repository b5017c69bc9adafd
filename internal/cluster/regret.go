package cluster

import (
	"slices"
	"time"

	"headway/internal/router"
	"headway/metric"
	"headway/record"
)

// regret is how much sooner the first token of a request would have come from
// another worker than the one it was sent to.
//
// For each worker it asks [engine.Engine.Outlook] when the token would come if
// the request went there and nothing came after it, by the workers' true state
// and not what the router believes. The regret is that of the worker chosen
// less the least of all. An estimate from sums (what is left of the step in
// flight, and the time of the whole backlog after it) would count the prompt in
// flight twice, and with it be wrong by up to a whole step.
type regret struct {
	seconds []float32 // a decision each
}

// observe notes the regret of a decision.
func (r *regret) observe(now time.Duration, f *fleet, j *job, d router.Decision) {
	if len(f.front.members) == 1 {
		r.seconds = append(r.seconds, 0)
		return
	}
	q := f.request(j)
	least := time.Duration(-1)
	var own time.Duration
	for i, m := range f.front.members {
		t := m.eng.Outlook(now, q)
		if least < 0 || t < least {
			least = t
		}
		if i == d.Worker {
			own = t
		}
	}
	r.seconds = append(r.seconds, float32((own - least).Seconds()))
}

// summary gives the mean and two quantiles in seconds; without decisions there
// are none.
func (r *regret) summary() (mean, p50, p99 record.Number) {
	if r == nil || len(r.seconds) == 0 {
		return record.Unknown(), record.Unknown(), record.Unknown()
	}
	sorted := make([]float64, len(r.seconds))
	sum := 0.0
	for i, s := range r.seconds {
		sorted[i] = float64(s)
		sum += sorted[i]
	}
	slices.Sort(sorted)
	at := func(p float64) record.Number { return record.Number(metric.Percentile(sorted, p)) }
	return record.Number(sum / float64(len(sorted))), at(50), at(99)
}
