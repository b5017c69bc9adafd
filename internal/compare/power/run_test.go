package power

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"headway/internal/cluster"
	"headway/internal/compare"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// slots is the concurrency of all runs.
const slots = 8

// simulated is a run of so many requests with the randomness of a seed.
func simulated(t testing.TB, seed uint64, requests int) *report.Report {
	t.Helper()
	c := cluster.Defaults()
	c.Workers, c.TokenArrivals, c.Seed = 1, false, workload.Seed(seed)
	s := workload.Synthetic{Key: workload.Seed(seed), Requests: requests, ISL: workload.Length{Mean: 500, SD: 150},
		OSL: workload.Length{Mean: 30, SD: 9}}
	collector := metric.NewCollector(metric.Options{Streaming: true, Concurrency: slots})
	_, o, err := cluster.Replay(context.Background(), c, workload.Plan{Source: s.Source(), Concurrency: slots},
		collector)
	if err != nil {
		t.Fatal(err)
	}
	r := &report.Report{Result: collector.Result()}
	r.Run.Header = record.Header{Origin: time.Unix(0, 0), Simulated: true, Streaming: true,
		Concurrency: slots, Seed: seed}
	r.Run.Begin, r.Run.End = o.Begin, o.End
	return r
}

// slowed is a run in which everything took so many times as long: exact, since the
// clients of a closed loop wait for replies and for nothing else. A run that is live
// has a variation of its own; one that is not varies by its requests alone.
func slowed(r *report.Report, by float64, live bool) *report.Report {
	out := *r
	res := *r.Result
	out.Result = &res
	if live {
		out.Run.Simulated = false
	}
	whole := slowedPart(*res.Whole, by)
	steady := *res.Steady
	steady.Part = slowedPart(steady.Part, by)
	res.Whole, res.Steady = &whole, &steady
	res.Summaries = slices.Clone(res.Summaries)
	for i, s := range res.Summaries {
		res.Summaries[i] = slowedSummary(s, by)
	}
	return &out
}

func slowedPart(p metric.Part, by float64) metric.Part {
	p.Latencies, p.Rates = slices.Clone(p.Latencies), slices.Clone(p.Rates)
	for i, s := range p.Latencies {
		p.Latencies[i] = slowedSummary(s, by)
	}
	for i := range p.Rates {
		r := &p.Rates[i]
		r.Value /= by
		r.Low /= by
		r.High /= by
	}
	return p
}

// slowedSummary scales times; lengths stay as they are.
func slowedSummary(s metric.Summary, by float64) metric.Summary {
	if s.Metric.Unit != "ms" {
		return s
	}
	s.Mean *= by
	s.MeanLow *= by
	s.MeanHigh *= by
	s.Quantiles = slices.Clone(s.Quantiles)
	for i := range s.Quantiles {
		q := &s.Quantiles[i]
		q.Value *= by
		q.Low *= by
		q.High *= by
	}
	return s
}

// figures are those that are counted, each as if it were looked at alone.
var figures = []metric.Figure{
	{Tag: "time_to_first_token", Stat: "avg"}, {Tag: "time_to_first_token", Stat: "p99"},
	{Tag: "inter_token_latency", Stat: "avg"}, {Tag: "request_latency", Stat: "p99"},
	{Tag: "output_token_throughput"},
}

// compared are the changes of figures of b against a.
func compared(t testing.TB, a, b, base []*report.Report, of ...metric.Figure) []compare.Change {
	t.Helper()
	o := compare.Options{Figures: of, Margin: 0.05, Assumed: 0.05}
	res, err := o.Sides([]compare.Side{{Name: "a", Reports: a}, {Name: "b", Reports: b}},
		compare.Side{Name: "base", Reports: base})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(res.Versus[0].Points); n != 1 || len(res.Versus[0].Points[0].Figures) != len(of) {
		t.Fatalf("%d points of one load, %+v", n, res.Versus[0].Points)
	}
	return res.Versus[0].Points[0].Figures
}

// pool are runs to draw from, all different.
type pool struct {
	runs []*report.Report
	rng  *rand.Rand
}

// take draws n runs that no other of this pair has, each slowed by an effect of its
// own with that standard deviation (logarithm), and all of them by the change.
func (p *pool) take(order []int, n int, effect, change float64) []*report.Report {
	all := make([]*report.Report, n)
	for i, at := range order[:n] {
		all[i] = slowed(p.runs[at], change*math.Exp(effect*p.rng.NormFloat64()), true)
	}
	return all
}

// Everything takes longer by the same factor.
func TestSlowed(t *testing.T) {
	r := simulated(t, 1, 300)
	for _, c := range compared(t, []*report.Report{r}, []*report.Report{slowed(r, 1.05, false)}, nil, figures...) {
		want := 5.0
		if c.Figure.Tag == "output_token_throughput" {
			want = 100/1.05 - 100
		}
		if math.Abs(c.Percent.Value-want) > 1e-6 {
			t.Errorf("%s changed by %v %%, want %v %%", c.Figure, c.Percent.Value, want)
		}
	}
}
