package deploy

import (
	"context"
	"fmt"
	"math"
	"strings"

	"headway/internal/cluster"
	"headway/internal/profile"
	"headway/metric"
	"headway/record"
	"headway/workload"
)

// Basis implements [profile.Grounded].
func (e *simEngine) Basis(ctx context.Context, p profile.Phase, t profile.Trial, isl, osl int) *profile.Basis {
	if e.fitted == nil {
		return &profile.Basis{Grounds: profile.OnRoofline}
	}
	b := &profile.Basis{Grounds: profile.OnTwin}
	l := load{phase: p, isl: isl, osl: osl, inFlight: t.Concurrency,
		rate: t.Throughput.Mean * float64(e.facts.GPUs) / float64(osl)}
	extent := e.fitted.extent(l)
	b.Why = e.config.Calibration.Beyond(extent)
	changed := e.fitted.File.Changed(&e.config)
	if len(changed) > 0 {
		b.Why = append(b.Why, "other than on its server: "+strings.Join(changed, ", "))
	}
	if len(b.Why) > 0 {
		b.Grounds = profile.BeyondTwin
	}
	if len(changed) > 0 {
		return b
	}
	spread, err := e.spread(ctx, l)
	if err != nil {
		b.Why = append(b.Why, "no interval: "+err.Error())
		return b
	}
	if p != profile.Decode { // whose prompts were in the cache
		b.TTFT = e.expected(b, "time_to_first_token", t.TTFT.Mean, spread.ttft, extent)
	}
	if p != profile.Prefill { // whose few tokens nobody asks for
		b.ITL = e.expected(b, "inter_token_latency", t.ITL.Mean, spread.itl, extent)
	}
	return b
}

// expected is where a mean is expected; nil, with the reason, where that is not known.
func (e *simEngine) expected(
	b *profile.Basis, figure string, v, spread float64, of cluster.Extent,
) *profile.Expected {
	f := record.ForetoldFigure{Metric: figure, Stat: "avg", Value: v}
	e.config.Calibration.Interval(&f, spread, of, e.config)
	if f.Why != "" {
		b.Why = append(b.Why, figure+": "+f.Why)
		return nil
	}
	return &profile.Expected{Low: f.Low, High: f.High, Level: f.Level}
}

// load is what a trial puts on a worker: prompts alone one at a time, requests in flight
// of which only replies are computed, or a rate of whole requests.
type load struct {
	phase    profile.Phase
	isl, osl int
	inFlight int
	rate     float64 // requests per second
}

// extent is a load as the range of a twin has it. How long replies are does not matter
// to the first token of a prompt alone, and prompts in the cache do not to the tokens of
// a reply. How many requests random arrivals have in flight is about Poisson, three
// standard deviations above its mean at the most.
func (f *Fitted) extent(l load) cluster.Extent {
	of := cluster.Extent{ISL: [2]int{l.isl, l.isl}, OSL: [2]int{l.osl, l.osl}, InFlight: l.inFlight}
	switch l.phase {
	case profile.Prefill:
		of.OSL = f.File.Range.OSL
	case profile.Aggregated:
		of.InFlight = int(math.Ceil(float64(l.inFlight) + 3*math.Sqrt(float64(l.inFlight))))
	}
	return of
}

// latencies are two means in seconds, or how far those of drawn models scatter, as
// standard deviations of logarithms.
type latencies struct{ ttft, itl float64 }

// spread is how far models that the server may as well be scatter at a load.
func (e *simEngine) spread(ctx context.Context, l load) (latencies, error) {
	own := e.config
	own.Calibration = nil
	base, err := means(ctx, own, l)
	if err != nil {
		return latencies{}, err
	}
	var off latencies
	drawn := e.config.Calibration.Draws(e.config)
	for _, c := range drawn {
		m, err := means(ctx, c, l)
		if err != nil {
			return latencies{}, err
		}
		off.ttft += squared(m.ttft, base.ttft)
		off.itl += squared(m.itl, base.itl)
	}
	n := float64(len(drawn))
	return latencies{math.Sqrt(off.ttft / n), math.Sqrt(off.itl / n)}, nil
}

// squared is the square of how far a is from b, in logarithms; 0 where one has none.
func squared(a, b float64) float64 {
	if !(a > 0 && b > 0) {
		return 0
	}
	off := math.Log(a / b)
	return off * off
}

// A load is repeated with every model in short: so many tokens of a reply where only
// those are of interest, and so many requests at random times.
const (
	shortReply  = 24
	fewArrivals = 64
	mostArrival = 256
)

// means simulates a load in short. That of replies is sent twice, so that its prompts are
// in the cache.
func means(ctx context.Context, c cluster.Config, l load) (latencies, error) {
	standing, err := cluster.Start(c)
	if err != nil {
		return latencies{}, fmt.Errorf("simulating a model around the twin: %w", err)
	}
	var m meansOf
	for i := range l.times() {
		m = meansOf{}
		if _, _, err := standing.Replay(ctx, l.plan(i), &m); err != nil {
			return latencies{}, fmt.Errorf("simulating a model around the twin: %w", err)
		}
	}
	return latencies{m.ttft.mean(), m.itl.mean()}, nil
}

func (l load) times() int {
	if l.phase == profile.Decode {
		return 2
	}
	return 1
}

// plan is the load in short; the first of two only fills the cache.
func (l load) plan(i int) workload.Plan {
	n, osl := l.inFlight, min(l.osl, shortReply)
	s := workload.Synthetic{Key: workload.Seed(0).Named("models around a twin")}
	switch l.phase {
	case profile.Prefill:
		n = 1
	case profile.Aggregated:
		n, osl = min(max(2*n, fewArrivals), mostArrival), l.osl
		s.Arrivals = workload.Arrivals{Pattern: workload.Poisson, Rate: l.rate}
	case profile.Decode:
		if i == 0 {
			osl = 1
		}
	}
	s.Requests, s.ISL, s.OSL = n, workload.Length{Mean: float64(l.isl)}, workload.Length{Mean: float64(osl)}
	plan := workload.Plan{Source: s.Source(), Requests: n, Grace: -1}
	if l.phase != profile.Aggregated {
		plan.Concurrency = n
	}
	return plan
}

// meansOf is a sink of the means of records.
type meansOf struct{ ttft, itl sum }

type sum struct {
	total float64
	n     int
}

func (s *sum) add(v float64, known bool) {
	if known {
		s.total, s.n = s.total+v, s.n+1
	}
}

func (s sum) mean() float64 { return s.total / float64(max(s.n, 1)) }

// Take adds a Record.
func (m *meansOf) Take(r *record.Record) error {
	if !metric.Valid(r) {
		return nil
	}
	m.ttft.add(metric.TTFT(r))
	m.itl.add(metric.ITL(r))
	return nil
}
