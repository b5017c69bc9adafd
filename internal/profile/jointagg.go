package profile

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

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
	// GPUMinutes is what it cost; absent in files of earlier versions.
	GPUMinutes float64 `json:"gpu_minutes,omitempty"`
}

// How long a rate is held, in times that a request takes, and from when on it is
// measured.
const (
	aggregatedHold = 6
	aggregatedFrom = 2
)

// aggregatedPatience is how many TTFT targets a rate is held at least. Where more
// arrives than is served, by a share x, prompts wait x·t after t seconds, over the
// last two thirds of a hold h on average x·2h/3. With 12 targets that is beyond the
// target where x is more than an eighth, which is how fine rates are looked for. A
// shorter hold would find that a target of seconds is met at any rate.
const aggregatedPatience = 12

// longerHold is by how much longer a rate has to be held before it is held again, and
// aggregatedAgain how often at most.
const longerHold, aggregatedAgain = 1.25, 3

// held is how long a rate is held, and from when on it is measured, in seconds, of
// requests that take one.
func held(one float64, t SLO) (hold, from float64) {
	if long := aggregatedPatience * t.TTFT; long > aggregatedHold*one {
		return long, long / 3
	}
	return aggregatedHold * one, aggregatedFrom * one
}

// MeasureAggregated finds for every mapping the highest rate of whole requests,
// arriving at random (Poisson), that meets both targets on average. It opens each
// mapping once, in Phase Aggregated, one after the other, and keeps its outcome in
// the folder, which has to be the search's ([Search.Run] sees to that). Outcomes
// come before an error, which is one with which the search cannot go on.
func (s Search) MeasureAggregated(ctx context.Context) ([]AggregatedOutcome, error) {
	s = s.withDefaults()
	list, rejected, err := s.Space.Candidates(Aggregated)
	if err != nil {
		return nil, err
	}
	s.place = &place{folder: folder{s.Dir}, ours: true}
	b := newBoard(s, Aggregated, list, rejected)
	var all []AggregatedOutcome
	for _, c := range list {
		o, recalled, err := s.aggregatedOutcome(ctx, b, c)
		if err != nil {
			return all, err
		}
		b.settle(c, o)
		s.tell(b, Progress{Ended: &o, Recalled: recalled})
		all = append(all, AggregatedOutcome{Mapping: o.Mapping, GPUs: o.GPUs, Trials: o.Trials,
			Problem: o.trouble(), GPUMinutes: o.GPUMinutes})
	}
	return all, nil
}

// trouble is why there are no figures, or not all; empty where nothing is missing.
func (o Outcome) trouble() string {
	if o.Status == Measured {
		return strings.Join(o.Warnings, "; ")
	}
	return o.Reason()
}

// aggregatedOutcome is what a candidate comes to, or came to in an earlier call.
func (s Search) aggregatedOutcome(ctx context.Context, b *board, c Candidate) (o Outcome, recalled bool, err error) {
	if s.Resume {
		if o, found, err := (folder{s.Dir}).recall(c); found || err != nil {
			return o, true, err
		}
	}
	j, on := job{open: c, measure: []Phase{Aggregated}}, boards{Aggregated: b}
	on.start(j)
	s.tell(b, Progress{Started: &c})
	list, err := s.one(ctx, j, bothHalves{s})
	on.stop(j)
	if err != nil {
		return o, false, err
	}
	return list[0], false, nil
}

// bothHalves is the strategy of workers that do both halves of a request.
type bothHalves struct{ Search }

func (bothHalves) next() (job, bool)    { return job{}, false }
func (bothHalves) notes(Phase) []string { return nil }

// measure tries rates.
func (s bothHalves) measure(ctx context.Context, p *probe, phase Phase) (trials []Trial, err error) {
	p.key = s.Key.Named(Candidate{phase, p.mapping}.Tag()) // there is one phase: a seed gives what it always gave
	p.begin("alone")
	alone, err := uncut(func() (*tally, error) {
		t, _, err := p.repeat(ctx, closed(prompts(p.fresh(), 0, warmups, p.isl, p.osl), warmups, 1), false)
		return t, err
	})
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
	for rate := float64(p.ranks()) / one; len(trials) < aggregatedTrials && hi-lo > lo/8 &&
		(lo > 0 || len(trials) < 3); {
		t, err := uncut(func() (Trial, error) { return p.settled(ctx, rate, one, s.SLO) })
		if err != nil {
			return trials, err
		}
		trials = append(trials, t)
		if t.keepsBoth(s.SLO) {
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

// settled measures a rate for as long as its requests take to fill the engine. What a
// request takes alone says how long that is at low rates only: above what an engine can
// carry more and more requests share its steps, and for the first seconds all of them
// are within both targets. So a rate that keeps them is held again where its requests
// took longer than it was held for.
func (p *probe) settled(ctx context.Context, rate, one float64, slo SLO) (t Trial, err error) {
	spent := 0.0
	for range 1 + aggregatedAgain {
		var latency float64
		if t, latency, err = p.whole(ctx, rate, one, slo); err != nil {
			return t, err
		}
		spent += t.Seconds
		t.Seconds = spent
		was, _ := held(one, slo)
		if need, _ := held(latency, slo); !t.keepsBoth(slo) || need <= longerHold*was {
			break
		}
		one = latency
	}
	return t, nil
}

// whole measures whole requests with prompts of their own that arrive at so many
// per second; one is how many seconds a request takes, took what it was.
func (p *probe) whole(ctx context.Context, rate, one float64, t SLO) (trial Trial, took float64, err error) {
	before, key := p.spent, p.fresh()
	hold, since := held(one, t)
	total, from := max(int(rate*hold), 4*warmups), max(int(rate*since), warmups)
	law := workload.Arrivals{Pattern: workload.Poisson, Rate: rate}
	source := workload.Paced(prompts(key, 0, total, p.isl, p.osl), law, key.Named("arrivals"), 0)
	p.begin(fmt.Sprintf("rate_%.4g", rate))
	in, said, err := p.arrive(ctx, workload.Plan{Source: source, Requests: total, Grace: -1}, from, total)
	if err != nil {
		return trial, 0, err
	}
	if in.pace.Unread > 0 && !in.pace.Known() {
		return trial, 0, heldBack(in.pace)
	}
	latency := figureOf(in.latency)
	if latency.N < (total-from)*9/10 || latency.Mean <= 0 || len(in.itl) == 0 {
		return trial, 0, fmt.Errorf("only %d of %d requests were answered", latency.N, total-from)
	}
	trial = Trial{
		Concurrency: max(int(math.Round(rate*latency.Mean)), 1), TTFT: figureOf(in.ttft), ITL: figureOf(in.itl),
		Throughput: Figure{Mean: rate * float64(p.osl) / p.gpus(), N: 1}, Seconds: (p.spent - before).Seconds(),
	}
	trial.lost(in.failed, total-from, in.failure)
	for _, text := range said {
		trial.warn("%s", text)
	}
	trial.Invalid, trial.CountedBy = p.said.invalid, p.countedBy()
	trial.Observed = p.said.observed.sum()
	return trial, latency.Mean, nil
}

// arrive makes a run of which the requests from one to before another count, and
// gives what was said of it.
func (p *probe) arrive(ctx context.Context, plan workload.Plan, from, upto int) (*middle, []string, error) {
	part := Part{Plan: plan, Section: loads, Point: p.point, Run: repeatName(0), Anew: true,
		Tokens: p.whose.source(metric.TokensAuto, p.engine.Facts())}
	sink := metric.NewCounted(part.Tokens, func(metric.TokenSource) *middle { return &middle{from: from, upto: upto} })
	ran, err := p.engine.Run(ctx, part, sink)
	in, source := sink.Chosen()
	p.whose.note(source, len(in.latency))
	p.spent += ran.Span
	p.runs++
	if err == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return in, p.said.add(part.Run, ran), err
}

// middle keeps the figures of some requests of a plan.
type middle struct {
	from, upto         int
	ttft, itl, latency []float64
	failed             int
	failure            string // of one of them
	pace               metric.ReadPace
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
	m.pace.Add(r, 1)
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
func MatchAggregated(list []AggregatedOutcome, t SLO, d Demand) *Deployment {
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
