package workload

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const arrivals = 10_000

// gammaCDF is the distribution of gaps of mean 1 for the shapes that have a
// closed form: one half, and whole numbers (Erlang).
func gammaCDF(shape, x float64) float64 {
	y := shape * x
	if shape == 0.5 {
		return math.Erf(math.Sqrt(y))
	}
	sum, term := 0.0, 1.0
	for i := range int(shape) {
		sum += term
		term *= y / float64(i+1)
	}
	return 1 - math.Exp(-y)*sum
}

func gapsOf(times []time.Duration) []float64 {
	gaps := make([]float64, len(times))
	last := time.Duration(0)
	for i, t := range times {
		gaps[i] = (t - last).Seconds()
		last = t
	}
	return gaps
}

func TestGapLaws(t *testing.T) {
	const rate = 37.5
	for _, c := range []struct {
		law   Arrivals
		shape float64
	}{
		{Arrivals{Pattern: Poisson, Rate: rate}, 1},
		{Arrivals{Pattern: Gamma, Rate: rate, Shape: 0.5}, 0.5},
		{Arrivals{Pattern: Gamma, Rate: rate, Shape: 1}, 1},
		{Arrivals{Pattern: Gamma, Rate: rate, Shape: 2}, 2},
		{Arrivals{Pattern: Gamma, Rate: rate, Shape: 4}, 4},
	} {
		t.Run(fmt.Sprint(c.law.Pattern, c.law.Shape), func(t *testing.T) {
			times := c.law.First(Seed(11), arrivals)
			gaps := gapsOf(times)
			if d := kolmogorov(gaps, func(x float64) float64 { return gammaCDF(c.shape, x*rate) }); d > 1.95/
				math.Sqrt(arrivals) {
				t.Errorf("Kolmogorov distance %v from the exact law: beyond the 0.1 %% bound", d)
			}
			if r := lagOne(gaps); math.Abs(r) > 4/math.Sqrt(arrivals) {
				t.Errorf("successive gaps are correlated: %v", r)
			}
			m := Measure(times)
			if math.Abs(m.VarianceOverMean-1/c.shape) > 0.25/c.shape+0.02 ||
				math.Abs(m.GapCV2-1/c.shape) > 0.15/c.shape {
				t.Errorf("dispersion %+v, want about %v", m, 1/c.shape)
			}
			if math.Abs(m.Rate-rate) > rate*5/math.Sqrt(arrivals*c.shape) {
				t.Errorf("rate %v, want %v", m.Rate, rate)
			}
		})
	}
}

// kolmogorov is the largest distance between the empirical law and the exact.
func kolmogorov(xs []float64, cdf func(float64) float64) float64 {
	xs = slices.Sorted(slices.Values(xs))
	d, n := 0.0, float64(len(xs))
	for i, x := range xs {
		f := cdf(x)
		d = max(d, math.Abs(f-float64(i)/n), math.Abs(f-float64(i+1)/n))
	}
	return d
}

func lagOne(xs []float64) float64 {
	mean, variance := moments(xs)
	var sum float64
	for i := 1; i < len(xs); i++ {
		sum += (xs[i] - mean) * (xs[i-1] - mean)
	}
	return sum / float64(len(xs)-1) / variance
}

func TestConstant(t *testing.T) {
	times := Arrivals{Pattern: Constant, Rate: 3}.First(Seed(1), arrivals)
	for i, at := range times {
		if want := time.Duration(math.Round(float64(i+1) / 3 * 1e9)); at != want {
			t.Fatalf("arrival %d at %v, want %v: gaps drift", i, at, want)
		}
	}
	if m := Measure(times); m.VarianceOverMean != 0 || m.GapCV2 > 1e-12 || m.Count != arrivals {
		t.Errorf("dispersion of a constant schedule: %+v", m)
	}
	if n := len((Arrivals{Pattern: Constant, Rate: 10}).Until(Seed(1), time.Second)); n != 9 {
		t.Errorf("%d arrivals of 10 a second before 1 s, want 9: the end is not part of it", n)
	}
}

// TestRamp checks that a ramp is a change of the time axis: mapped back through
// the integrated rate, the arrivals are those without it.
func TestRamp(t *testing.T) {
	const rate, ramp = 100.0, 10.0
	for _, p := range []Pattern{Constant, Poisson, Gamma} {
		plain := Arrivals{Pattern: p, Rate: rate, Shape: 2}
		ramped := plain
		ramped.Ramp = 10 * time.Second
		a, b := plain.First(Seed(5), arrivals), ramped.First(Seed(5), arrivals)
		early := 0
		for i := range a {
			x := b[i].Seconds()
			expected := rate * x * x / (2 * ramp)
			if x > ramp {
				expected = rate * (x - ramp/2)
			}
			if math.Abs(expected-rate*a[i].Seconds()) > 1e-5 {
				t.Fatalf("%v arrival %d at %v: the integrated rate there is %v, want %v", p, i, b[i], expected,
					rate*a[i].Seconds())
			}
			if x < ramp {
				early++
			}
		}
		if want := rate * ramp / 2; math.Abs(float64(early)-want) > 5*math.Sqrt(want) {
			t.Errorf("%v: %d arrivals during the ramp, want about %v", p, early, want)
		}
	}
}

func TestSameScheduleForAnyCPUs(t *testing.T) {
	law := Arrivals{Pattern: Gamma, Rate: 50, Shape: 0.7, Ramp: time.Second}
	want := law.First(Seed(9), arrivals)
	for _, cpus := range []int{1, 2, 4} {
		old := runtime.GOMAXPROCS(cpus)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				if got := law.First(Seed(9), arrivals); !slices.Equal(got, want) {
					t.Errorf("another schedule with %d CPUs", cpus)
				}
			})
		}
		wg.Wait()
		runtime.GOMAXPROCS(old)
	}
}

func TestArrivalsValidate(t *testing.T) {
	for _, c := range []struct {
		law  Arrivals
		want []string
	}{
		{Arrivals{}, nil},
		{Arrivals{Pattern: Poisson, Rate: 1}, nil},
		{Arrivals{Pattern: Poisson, Rate: math.NaN()}, []string{"request rate NaN"}},
		{Arrivals{Pattern: Constant, Rate: math.Inf(1)}, []string{"request rate +Inf"}},
		{Arrivals{Pattern: Gamma, Rate: -1, Shape: 0, Ramp: -1},
			[]string{"request rate -1", "smoothness 0", "ramp -1ns"}},
		{Arrivals{Pattern: Gamma, Rate: 1, Shape: 1e-9}, []string{"smoothness 1e-09"}},
	} {
		err := c.law.Validate()
		if (err != nil) != (c.want != nil) {
			t.Errorf("%+v: %v", c.law, err)
		}
		for _, w := range c.want {
			if err != nil && !strings.Contains(err.Error(), w) {
				t.Errorf("%+v: %q does not say %q", c.law, err, w)
			}
		}
	}
	if _, err := ParsePattern("uniform"); err == nil {
		t.Error("pattern uniform is taken")
	}
}

func TestMeasureSmall(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		times []time.Duration
		want  Dispersion
	}{
		{nil, Dispersion{Rate: nan, VarianceOverMean: nan, GapCV2: nan}},
		{[]time.Duration{time.Second}, Dispersion{Count: 1, Span: 1, Rate: nan, VarianceOverMean: nan, GapCV2: nan}},
		{[]time.Duration{time.Second, time.Second},
			Dispersion{Count: 2, Span: 1, Rate: nan, VarianceOverMean: nan, GapCV2: nan}},
		{[]time.Duration{3 * time.Second, time.Second},
			Dispersion{Count: 2, Span: 3, Rate: 0.5, VarianceOverMean: nan, GapCV2: nan}},
		{[]time.Duration{0, time.Second, 4 * time.Second},
			Dispersion{Count: 3, Span: 4, Rate: 0.5, VarianceOverMean: nan, GapCV2: 0.25}},
	} {
		// By their text, since a NaN equals nothing.
		if got := Measure(c.times); fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", c.want) {
			t.Errorf("Measure(%v) = %+v, want %+v", c.times, got, c.want)
		}
	}
}

func TestEndlessLawEnds(t *testing.T) {
	n := 0
	for range (Arrivals{Pattern: Constant, Rate: 1e-9}).Times(Seed(1)) {
		n++
	}
	if n != 9 {
		t.Errorf("%d arrivals at one per 31 years before a Duration overflows, want 9", n)
	}
}

func BenchmarkArrivals(b *testing.B) {
	for b.Loop() {
		Arrivals{Pattern: Poisson, Rate: 1000}.First(Seed(1), arrivals)
	}
}
