package metric

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"headway/record"
)

// The histogram against the values themselves: quantiles within the stated
// error, all else the same.
func TestGapHistogram(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		n := rapid.IntRange(1, 5000).Draw(t, "n")
		draw := rapid.SampledFrom([]func() float64{
			func() float64 { return 0 },
			func() float64 { return float64(random.IntN(100)) },
			func() float64 { return 20e6 * math.Exp(random.NormFloat64()) },
			func() float64 { return 1e9 + random.NormFloat64() },
			func() float64 { return 1e3 * math.Exp(5*random.Float64()*random.Float64()) },
		}).Draw(t, "kind")
		h := newGapHistogram()
		var values []float64
		for range n {
			gap := record.Time(draw())
			h.add(gap)
			values = append(values, seconds(gap))
		}
		want, got := Summarise(Metric{}, values), h.summary(Metric{})
		if got.Count != want.Count || got.Min != want.Min || got.Max != want.Max ||
			!within(got.Sum, want.Sum, 1e-12) || !within(got.Mean, want.Mean, 1e-12) ||
			math.Abs(got.Std-want.Std) > 1e-7*want.Mean {
			t.Fatalf("got %+v\nwant %+v", got, want)
		}
		for i, q := range want.Quantiles {
			g := got.Quantiles[i]
			if !within(g.Value, q.Value, GapError) || !math.IsNaN(g.Low+g.High) || g.Few != q.Few || g.Q != q.Q {
				t.Fatalf("got %+v, want %+v", g, q)
			}
		}
	})
}

// A gap beyond the histogram's range is counted.
func TestGapOfDays(t *testing.T) {
	h := newGapHistogram()
	h.add(3 * maxGap)
	h.add(5)
	if s := h.summary(Metric{}); s.Count != 2 || s.Max != 3*maxGap/1e9 || s.Min != 5e-9 {
		t.Errorf("%+v", s)
	}
}

// A result does not depend on when the limit of gaps was passed.
func TestGapLimitAndOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOfN(rapid.Custom(drawRecord), 2, 30).Draw(t, "records")
		limit := rapid.IntRange(0, 40).Draw(t, "limit")
		run := func(list []*record.Record) *Result {
			c := NewCollector(Options{Streaming: true, Concurrency: 3})
			c.times.limit = limit
			for _, r := range list {
				if err := c.Take(r); err != nil {
					t.Fatal(err)
				}
			}
			return c.Result()
		}
		a := run(records)
		slices.Reverse(records)
		b := run(records)
		same := cmp.Comparer(func(x, y float64) bool { return math.Float64bits(x) == math.Float64bits(y) })
		ignore := cmp.Comparer(func(x, y Metric) bool { return x.Tag == y.Tag })
		if diff := cmp.Diff(a, b, same, ignore); diff != "" {
			t.Fatalf("in reverse:\n%s", diff)
		}
		if (a.Chunks.Error > 0) != slices.Contains(codes(a), "gaps_counted") {
			t.Fatalf("%+v, %v", a.Chunks, codes(a))
		}
	})
}

// Where chunks are no longer known the steady part spreads tokens evenly.
func TestSteadyWithoutChunks(t *testing.T) {
	c := NewCollector(Options{Streaming: true, Concurrency: 1})
	c.times.limit = 0
	for _, r := range []*record.Record{reply(100, 200, 300, 400), reply(400, 500, 1000)} {
		if err := c.Take(r); err != nil {
			t.Fatal(err)
		}
	}
	s := c.Result().Steady
	rate, _ := s.Rate("output_token_throughput")
	if s.Begin != 0.4 || s.Duration != 0.6 || !within(rate.Value, 2/0.6, 1e-12) {
		t.Errorf("%+v", s)
	}
}
