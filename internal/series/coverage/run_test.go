package coverage

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"headway/internal/series"
	"headway/metric"
	"headway/record"
)

// run is what is judged of one run: a sink that keeps the values of each
// request, and gives the Records to a collector where there is one.
type run struct {
	requests  []request
	collector *metric.Collector
}

// request is one answered request; times in seconds.
type request struct {
	index              int
	start, first, end  float64
	ttft, latency, itl float64
	tokens             float64
}

// Take adds a Record; one that failed is an error, since none of the loads has
// any.
func (r *run) Take(rec *record.Record) error {
	if rec.Outcome != record.OK {
		return fmt.Errorf("request %d: %v %v", rec.Index, rec.Outcome, rec.Failure)
	}
	q := request{index: rec.Index, tokens: float64(rec.TokensOut)}
	q.start, q.end = float64(rec.Start)/1e9, float64(rec.Done)/1e9
	q.ttft, _ = metric.TTFT(rec)
	q.latency, _ = metric.RequestLatency(rec)
	q.itl, _ = metric.ITL(rec)
	q.first = q.start + q.ttft
	r.requests = append(r.requests, q)
	if r.collector != nil {
		return r.collector.Take(rec)
	}
	return nil
}

// column is one value of each of some requests.
func column(of []request, value func(request) float64) []float64 {
	out := make([]float64, len(of))
	for i, q := range of {
		out[i] = value(q)
	}
	return out
}

func ttft(q request) float64    { return q.ttft }
func latency(q request) float64 { return q.latency }
func itl(q request) float64     { return q.itl }
func start(q request) float64   { return q.start }
func end(q request) float64     { return q.end }

// latencies are the figures of single requests.
var latencies = []struct {
	name string
	of   func(request) float64
}{{"TTFT", ttft}, {"latency", latency}, {"ITL", itl}}

// percents are the quantiles that are judged.
var percents = []int{50, 90, 99}

// part is the stationary part of a run: requests from one index to another in
// order of start, and how many are in flight at once. Not ok where none was
// found.
type part struct {
	from, to int
	together float64
	ok       bool
}

// stationary finds the part. An open loop begins with an empty server, as a
// closed one does with as many requests at once as it has slots: in both, the
// start is over when those are gone that first filled it.
func (r *run) stationary(slots int) part {
	slices.SortFunc(r.requests, func(a, b request) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.index, b.index))
	})
	starts, ends := column(r.requests, start), column(r.requests, end)
	p := part{to: len(starts) - series.Flying(starts, ends), ok: true}
	p.together = r.together(0, len(starts))
	if slots == 0 {
		slots = int(math.Ceil(p.together))
	}
	p.from = series.AfterFirst(starts, ends, slots)
	if p.to-p.from < 2 {
		return part{to: len(starts)}
	}
	p.together = r.together(p.from, p.to)
	some := r.requests[p.from:p.to]
	skip := 0
	for _, of := range []func(request) float64{ttft, latency} {
		n, ok := series.Start(column(some, of), p.together)
		skip, p.ok = max(skip, n), p.ok && ok
	}
	p.from += skip
	return p
}

// together is how many requests were in flight at once, of those from one index
// to another (Little's law).
func (r *run) together(from, to int) float64 {
	flight := 0.0
	for _, q := range r.requests[from:to] {
		flight += q.latency
	}
	return flight / (r.requests[to-1].start - r.requests[from].start)
}

// estimates are all figures of a run. A request is good that takes at most goal
// seconds.
func (r *run) estimates(p part, goal float64) map[string]series.Estimate {
	all := map[string]series.Estimate{}
	some := r.requests[p.from:p.to]
	for _, l := range latencies {
		s := series.New(column(some, l.of), p.together)
		all[l.name+" mean"] = s.Mean()
		for _, q := range percents {
			all[fmt.Sprintf("%s p%d", l.name, q)] = s.Quantile(float64(q) / 100)
		}
	}
	begin, until := some[0].start, some[len(some)-1].start
	output := series.NewFlow(begin, until)
	flight := 0.0
	for _, q := range r.requests {
		output.Add(q.first, q.end, q.tokens)
		flight += q.latency / float64(len(r.requests))
	}
	all["output tok/s mean"] = output.Rate(flight)
	all["goodput mean"] = goodput(some, p.together, goal)
	if !p.ok {
		for name, e := range all {
			e.Why = series.NotStationary
			all[name] = e
		}
	}
	return all
}

// goodput is the rate of good requests, by the time at which they started: of
// each, whether it was good, and the time to the next one.
func goodput(of []request, together, goal float64) series.Estimate {
	good, gaps := make([]float64, len(of)-1), make([]float64, len(of)-1)
	for i, q := range of[:len(of)-1] {
		if q.latency <= goal {
			good[i] = 1
		}
		gaps[i] = of[i+1].start - q.start
	}
	return series.Ratio(good, gaps, together)
}

// gains are those of another arm over this one, from the same requests under
// both. Quantiles have a value only: their interval is one of several runs.
func (r *run) gains(a part, other *run, b part) map[string]series.Estimate {
	from, to := max(a.from, b.from), min(a.to, b.to)
	all := map[string]series.Estimate{}
	for _, l := range latencies[:2] {
		x, y := column(r.requests[from:to], l.of), column(other.requests[from:to], l.of)
		name := "gain in " + l.name
		all[name+" mean"] = series.Ratio(x, y, max(a.together, b.together))
		s, t := series.New(x, 1), series.New(y, 1)
		for _, q := range percents {
			v := s.Quantile(float64(q)/100).Value / t.Quantile(float64(q)/100).Value
			all[fmt.Sprintf("%s p%d", name, q)] = series.Estimate{Value: v, Why: series.TooShort}
		}
	}
	return all
}
