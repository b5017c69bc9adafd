package profile

import (
	"context"
	"errors"
	"fmt"
	"math"

	"headway/metric"
	"headway/record"
	"headway/workload"
)

// AggregatedOutcome is what a worker reached that takes whole requests.
type AggregatedOutcome struct {
	Mapping string `json:"mapping"`
	GPUs    int    `json:"gpus"`
	// Trials are rates of random arrivals. Throughput is generated tokens per
	// second and GPU, Concurrency the mean number of requests in flight.
	Trials  []Trial `json:"trials,omitempty"`
	Problem string  `json:"problem,omitempty"`
}

// How long a rate is held, in times that a request takes alone, and from when
// on it is measured.
const (
	aggregatedHold = 6
	aggregatedFrom = 2
)

// MeasureAggregated finds for every mapping the highest rate of whole requests,
// arriving at random (Poisson), that meets both targets on average. It opens each mapping once, in
// Phase Aggregated. Outcomes come before an error.
func (s Search) MeasureAggregated(ctx context.Context) ([]AggregatedOutcome, error) {
	s = s.withDefaults()
	list, _, err := s.Space.Candidates(Aggregated)
	if err != nil {
		return nil, err
	}
	var all []AggregatedOutcome
	for _, c := range list {
		o := AggregatedOutcome{Mapping: c.Mapping.String(), GPUs: c.Mapping.GPUs()}
		o.Trials, err = s.aggregated(ctx, c)
		var dead *DeadError
		switch {
		case ctx.Err() != nil:
			return all, context.Cause(ctx)
		case errors.As(err, &dead) || err != nil && len(o.Trials) > 0:
			o.Problem = err.Error()
		case err != nil:
			return all, fmt.Errorf("measuring %s: %w", c.Tag(), err)
		}
		all = append(all, o)
	}
	return all, nil
}

func (s Search) aggregated(ctx context.Context, c Candidate) (trials []Trial, err error) {
	e, err := s.Bench.Open(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, e.Close(context.WithoutCancel(ctx))) }()
	p := &probe{engine: e, mapping: c.Mapping, opened: Aggregated, isl: s.Space.ISL, osl: s.Space.OSL, key: s.Key.Named(c.Tag())}
	alone, _, err := p.send(ctx, prompts(p.fresh(), 0, warmups, p.isl, p.osl), 1)
	if err != nil {
		return nil, err
	}
	one := figureOf(alone.latency).Mean
	if one <= 0 {
		return nil, errors.New("no reply had tokens whose times could be told apart")
	}
	// Doubling until a target is missed, then halving the gap to an eighth. A
	// worker that misses one at a quarter of a request in flight is given up.
	lo, hi := 0.0, math.Inf(1)
	for rate := float64(p.ranks()) / one; len(trials) < aggregatedTrials && hi-lo > lo/8 && (lo > 0 || len(trials) < 3); {
		t, err := p.whole(ctx, rate, one)
		if err != nil {
			return trials, err
		}
		trials = append(trials, t)
		if t.keepsBoth(s.Target) {
			lo = rate
		} else {
			hi = rate
		}
		if rate = 2 * lo; rate >= hi || lo == 0 {
			rate = (lo + hi) / 2
		}
	}
	return trials, nil
}

// aggregatedTrials bounds the rates that are tried.
const aggregatedTrials = 16

// whole measures whole requests with prompts of their own that arrive at so many
// per second; one is how many seconds a request takes alone.
func (p *probe) whole(ctx context.Context, rate, one float64) (Trial, error) {
	before, hold := p.spent, aggregatedHold*one
	key := p.fresh()
	total, from := max(int(rate*hold), 4*warmups), max(int(rate*aggregatedFrom*one), warmups)
	in := &middle{from: from, upto: total}
	law := workload.Arrivals{Pattern: workload.Poisson, Rate: rate}
	source := workload.Paced(prompts(key, 0, total, p.isl, p.osl), law, key.Named("arrivals"), 0)
	span, err := p.engine.Run(ctx, workload.Plan{Source: source, Requests: total, Grace: -1}, in)
	p.spent += span
	p.runs++
	if err != nil {
		return Trial{}, err
	}
	latency := figureOf(in.latency)
	if latency.N < (total-from)*9/10 || latency.Mean <= 0 || len(in.itl) == 0 {
		return Trial{}, fmt.Errorf("only %d of %d requests were answered", latency.N, total-from)
	}
	trial := Trial{
		Concurrency: max(int(math.Round(rate*latency.Mean)), 1), TTFT: figureOf(in.ttft), ITL: figureOf(in.itl),
		Throughput: Figure{Mean: rate * float64(p.osl) / p.gpus(), N: 1}, Seconds: (p.spent - before).Seconds(),
	}
	trial.lost(in.failed, total-from, in.failure)
	return trial, nil
}

// middle keeps the figures of some requests of a plan.
type middle struct {
	from, upto         int
	ttft, itl, latency []float64
	failed             int
	failure            string // of one of them
}

// Take looks at a Record.
func (m *middle) Take(r *record.Record) error {
	if r.Index < m.from || r.Index >= m.upto {
		return nil
	}
	if f, ok := metric.FailureOf(r); ok {
		m.failed, m.failure = m.failed+1, f.Message
		return nil
	}
	if !metric.Valid(r) {
		return nil // never sent
	}
	for _, x := range []struct {
		of   func(*record.Record) (float64, bool)
		into *[]float64
	}{{metric.TTFT, &m.ttft}, {metric.ITL, &m.itl}, {metric.RequestLatency, &m.latency}} {
		if v, ok := x.of(r); ok {
			*x.into = append(*x.into, v)
		}
	}
	return nil
}

// MatchAggregated is the cheapest deployment of workers that do both halves of
// a request; nil where none was measured. Where no rate meets both targets it is
// the one that misses the worse of the two by least, or nil where nothing says
// how large the pool is to be, as with [Match]. It has no ranges: a rate is
// offered in one run, and whether it meets the targets has no repeats.
func MatchAggregated(list []AggregatedOutcome, t Target, d Demand) *Deployment {
	var all []Deployment
	var nearest *Deployment
	miss := math.Inf(1)
	for _, o := range list {
		for _, trial := range o.Trials {
			off := max(trial.TTFT.Mean/t.TTFT, trial.ITL.Mean/t.ITL)
			x := d.aggregate(o, trial, trial.keepsBoth(t))
			if x == nil {
				continue
			}
			all = append(all, *x)
			if off < miss {
				nearest, miss = x, off
			}
		}
	}
	switch {
	case nearest == nil || !nearest.Met && !d.sized():
		return nil
	case !nearest.Met:
		return nearest
	}
	return d.choose(all)
}

// aggregate is a pool of equal workers for the demand.
func (d Demand) aggregate(o AggregatedOutcome, t Trial, met bool) *Deployment {
	rate := t.Throughput.Mean * float64(o.GPUs) / float64(d.OSL)
	n := 1
	if d.RequestRate > 0 {
		n = int(math.Ceil(d.RequestRate/rate - 1e-9))
	}
	if d.TotalGPUs > 0 {
		fits := d.TotalGPUs / o.GPUs
		if n = min(n, fits); d.RequestRate == 0 {
			n = fits
		}
	}
	if n < 1 {
		return nil
	}
	x := Deployment{
		Aggregated: &Pool{Mapping: o.Mapping, Workers: n, GPUs: n * o.GPUs, Concurrency: t.Concurrency,
			AlwaysBusy: float64(n) * rate, RequestRate: float64(n) * rate},
		GPUs: n * o.GPUs, RequestRate: float64(n) * rate, TTFT: t.TTFT.Mean, ITL: t.ITL.Mean, Met: met,
	}
	d.price(&x)
	return &x
}
