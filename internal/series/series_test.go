package series

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Of many autoregressive sequences, whose true mean and quantiles are known,
// the intervals hold the truth about as often as they say, and are about as wide
// as they must be.
func TestIntervalsHoldTheTruth(t *testing.T) {
	const runs = 400
	truth := map[string]float64{"mean": 0, "p50": 0, "p90": 1.2815515655446004, "p99": 2.3263478740408408}
	for _, c := range []struct {
		name        string
		correlation float64
		n           int
	}{
		{"independent", 0, 400}, {"dependent", 0.9, 2000}, {"long", 0.98, 5000}, {"alternating", -0.7, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			held, given := map[string]int{}, map[string]int{}
			width, exact := 0.0, math.Sqrt((1+c.correlation)/(1-c.correlation)/float64(c.n))
			for seed := range uint64(runs) {
				s := New(autoregressive(seed, c.n, c.correlation), 1)
				for name, e := range map[string]Estimate{
					"mean": s.Mean(), "p50": s.Quantile(0.5), "p90": s.Quantile(0.9), "p99": s.Quantile(0.99),
				} {
					if !e.Known() {
						continue
					}
					given[name]++
					if e.Low <= truth[name] && truth[name] <= e.High {
						held[name]++
					}
					if name == "mean" {
						width += e.HalfWidth() / runs / (1.96 * exact)
					}
				}
			}
			for name, n := range held {
				share := float64(n) / float64(given[name])
				if share < 0.90 || share > 0.995 || given[name] < 0.95*runs {
					t.Errorf("%s: %d of %d intervals hold the truth", name, n, given[name])
				}
			}
			if len(held) != 4 || width < 1 || width > 1.35 {
				t.Errorf("%d figures; intervals of the mean are %.2f times as wide as they must be", len(held), width)
			}
		})
	}
}

// autoregressive is a stationary sequence of standard normal values, each of
// which remembers the one before.
func autoregressive(seed uint64, n int, correlation float64) []float64 {
	r := rand.New(rand.NewPCG(seed, 1))
	values := make([]float64, n)
	last := r.NormFloat64()
	for i := range values {
		values[i] = last
		last = correlation*last + r.NormFloat64()*math.Sqrt(1-correlation*correlation)
	}
	return values
}

func changed(values []float64, change func(i int, v float64) float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = change(i, v)
	}
	return out
}

func TestWhyThereIsNoInterval(t *testing.T) {
	noise := autoregressive(1, 1000, 0.5)
	add := func(more func(float64) float64) []float64 {
		return changed(noise, func(i int, v float64) float64 { return v + more(float64(i)) })
	}
	for _, c := range []struct {
		name     string
		values   []float64
		together float64
		mean     Reason
		p99      Reason
	}{
		{"all is well", noise, 1, "", ""},
		{"nothing", nil, 1, TooShort, TooShort},
		{"one", []float64{3}, 1, TooShort, TooShort},
		{"few", noise[:29], 1, TooShort, TooShort},
		{"four waves", noise, 250, TooShort, TooShort},
		{"tail of one", noise[:150], 1, "", FewInTail},
		{"tail of few flights", noise, 45, "", FewInTail},
		{"rise", add(func(i float64) float64 { return i / 200 }), 1, NotStationary, NotStationary},
		{"fall", add(func(i float64) float64 { return -i / 200 }), 1, NotStationary, NotStationary},
		{"queue that grows", add(math.Sqrt), 1, NotStationary, NotStationary},
		{"rise under one stall", changed(noise, func(i int, v float64) float64 {
			if i == 200 {
				return 1e6
			}
			return v + float64(i)/200
		}), 1, NotStationary, NotStationary},
		{"failures", changed(noise, func(i int, v float64) float64 {
			if i%300 == 7 {
				return math.Inf(1)
			}
			return v
		}), 1, Infinite, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := New(c.values, c.together)
			for figure, e := range map[Reason]Estimate{c.mean: s.Mean(), c.p99: s.Quantile(0.99)} {
				if e.Why != figure || e.Known() != (figure == "") || e.Known() == math.IsNaN(e.Low) {
					t.Errorf("%+v, not %q", e, figure)
				}
			}
			if c.mean != "" && (c.mean.String() == string(c.mean) || c.mean.Remedy() == "") {
				t.Errorf("%q has no words", c.mean)
			}
		})
	}
}

// Failed requests are slower than all others; what lies below them is known.
func TestInfiniteValues(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	values := make([]float64, 2000)
	for i := range values {
		if values[i] = r.ExpFloat64(); r.Float64() < 0.04 {
			values[i] = math.Inf(1)
		}
	}
	s := New(values, 1)
	if e := s.Quantile(0.5); !e.Known() || math.IsInf(e.High, 0) {
		t.Errorf("p50: %+v", e)
	}
	if e := s.Quantile(0.96); !e.Known() || math.IsInf(e.Low, 0) || !math.IsInf(e.High, 1) {
		t.Errorf("p96, at the edge: %+v", e)
	}
	if e := s.Quantile(0.99); !math.IsInf(e.Value, 1) || !math.IsInf(e.Low, 1) || !math.IsInf(e.High, 1) {
		t.Errorf("p99: %+v", e)
	}
	if skip, ok := Start(values, 1); skip != 0 || !ok {
		t.Errorf("start %d, %v", skip, ok)
	}
}

// A percentile between a finite value and an infinite one is infinite wherever
// between them it lies.
func TestPercentileBesideInfinity(t *testing.T) {
	sorted := []float64{1, 2, math.Inf(1), math.Inf(1)}
	for p, want := range map[float64]float64{
		100.0 / 3: 2, 40: math.Inf(1), 50: math.Inf(1), 60: math.Inf(1), 90: math.Inf(1),
	} {
		if got := Percentile(sorted, p); got != want {
			t.Errorf("p%v = %v, want %v", p, got, want)
		}
	}
}

// Simulators give the same value many times.
func TestTies(t *testing.T) {
	same := New(make([]float64, 200), 1)
	for _, e := range []Estimate{same.Mean(), same.Quantile(0.5), same.Quantile(0.99)} {
		if !e.Known() || e.Low != 0 || e.High != 0 {
			t.Errorf("all the same: %+v", e)
		}
	}
	steps := New(changed(autoregressive(5, 3000, 0.8), func(_ int, v float64) float64 { return math.Floor(v) }), 1)
	if e := steps.Quantile(0.3); !e.Known() || e.Value != -1 || e.Low != -1 || e.High > 0 {
		t.Errorf("p30 of steps: %+v", e)
	}
}

// A closed loop of equal requests runs in waves, which balance: its mean is
// known better than that of independent values, and it does not drift.
func TestWaves(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	values := make([]float64, 3210)
	for i := range values {
		values[i] = float64(i%32) + 0.1*r.NormFloat64()
	}
	e := New(values, 32).Mean()
	if !e.Known() || e.HalfWidth() > 0.1 || e.Effective < 10*3210 {
		t.Errorf("%+v", e)
	}
	if e := New(values, 32).Quantile(0.9); !e.Known() || e.HalfWidth() > 1 {
		t.Errorf("p90: %+v", e)
	}
}

// Other units change nothing, and neither does any other scale for quantiles.
func TestEstimatesScale(t *testing.T) {
	values := autoregressive(9, 2500, 0.9)
	milli := New(changed(values, func(_ int, v float64) float64 { return 1000 * v }), 1)
	powers := New(changed(values, func(_ int, v float64) float64 { return math.Exp(v) }), 1)
	plain := New(values, 1)
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }
	a, b := milli.Mean(), plain.Mean()
	if !near(a.Low, 1000*b.Low) || !near(a.High, 1000*b.High) || !near(a.Effective, b.Effective) {
		t.Errorf("mean in other units: %+v, %+v", a, b)
	}
	for _, q := range []float64{0.25, 0.5, 0.9} {
		a, b := powers.Quantile(q), plain.Quantile(q)
		if math.Abs(math.Log(a.High)-b.High) > 0.01 || math.Abs(math.Log(a.Low)-b.Low) > 0.01 {
			t.Errorf("q %v on another scale: %+v, %+v", q, a, b)
		}
	}
	if !slices.IsSorted(plain.Sorted()) || len(plain.Sorted()) != len(values) {
		t.Error("not sorted")
	}
}

func ExampleSeries_Quantile() {
	values := make([]float64, 1000)
	for i := range values {
		values[i] = float64(i * 7919 % 1000) // every number below 1000, well mixed
	}
	e := New(values, 1).Quantile(0.5)
	fmt.Printf("%.1f, known: %v\n", e.Value, e.Known())
	// Output: 499.5, known: true
}
