package model

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// steps are the work of a usual profile: prefills, and decodes of few and many.
func steps() []Point {
	var list []Point
	for _, n := range []int{256, 1024, 2048, 4096, 8192} {
		list = append(list, Point{PrefillTokens: n, PrefillContextSum: PrefillContext(0, n)})
	}
	for _, n := range []int{1, 4, 16, 64, 256} {
		for _, context := range []int{500, 4000} {
			list = append(list, Point{DecodeSeqs: n, DecodeContextTokens: n * context})
		}
	}
	return list
}

func measured(t interface{ Fatal(...any) }, s Setup, list []Point, noise func() float64) []Point {
	r, err := s.Roofline()
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range list {
		d := r.StepTime(p.PrefillTokens, p.PrefillContextSum, p.DecodeSeqs, p.DecodeContextTokens)
		list[i].Time = time.Duration(float64(d) * noise())
	}
	return list
}

// told is how much the points differ, as a root mean square of the shares, from
// those of the setup with one factor 1 % off, the side on which it is less: what
// moves them by nothing cannot be found in them.
func told(t interface{ Fatal(...any) }, s Setup, points []Point, off func(*Efficiency, float64)) float64 {
	least := math.Inf(1)
	for _, by := range []float64{0.99, 1.01} {
		other := s
		off(&other.Efficiency, by)
		sum := 0.0
		for i, p := range measured(t, other, steps(), func() float64 { return 1 }) {
			d := float64(p.Time)/float64(points[i].Time) - 1
			sum += d * d
		}
		least = min(least, math.Sqrt(sum/float64(len(points))))
	}
	return least
}

// Whatever the factors were, the steps they made give them back, as far as the
// steps depend on them.
func TestFitFindsTheFactors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSetup(t)
		s.Efficiency = Efficiency{
			Compute:  rapid.Float64Range(0.1, 1).Draw(t, "compute"),
			Memory:   rapid.Float64Range(0.1, 1).Draw(t, "memory"),
			Overhead: time.Duration(rapid.IntRange(1, 5e6).Draw(t, "overhead")),
		}
		points := measured(t, s, steps(), func() float64 { return 1 })
		truth := s.Efficiency
		compute := told(t, s, points, func(e *Efficiency, by float64) { e.Compute = min(e.Compute*by, 1) }) > 3e-4
		memory := told(t, s, points, func(e *Efficiency, by float64) { e.Memory = min(e.Memory*by, 1) }) > 3e-4
		s.Efficiency = Efficiency{Overhead: truth.Overhead}
		fit, err := s.Fit(points)
		if err != nil {
			// A model may be bound by one side at every point.
			if !strings.Contains(err.Error(), "no point is bound by") {
				t.Fatal(err)
			}
			return
		}
		if fit.RMS > 1e-4 {
			t.Fatalf("RMS %g: %+v of %+v", fit.RMS, fit.Efficiency, truth)
		}
		if compute && math.Abs(fit.Efficiency.Compute-truth.Compute) > 0.01 ||
			memory && math.Abs(fit.Efficiency.Memory-truth.Memory) > 0.01 {
			t.Fatalf("%+v, want %+v", fit.Efficiency, truth)
		}
	})
}

func TestFitWithNoise(t *testing.T) {
	s := setup(t, "Llama-3.1-8B", "h100", "TP=1")
	s.Efficiency = Efficiency{Compute: 0.45, Memory: 0.7, Overhead: 2 * time.Millisecond}
	random := rand.New(rand.NewPCG(1, 2))
	points := measured(t, s, steps(), func() float64 { return 1 + 0.05*random.NormFloat64() })
	s.Efficiency = Efficiency{Overhead: 2 * time.Millisecond}
	fit, err := s.Fit(points)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "compute", fit.Efficiency.Compute, 0.45, 0.05)
	near(t, "memory", fit.Efficiency.Memory, 0.7, 0.05)
	if fit.RMS < 0.02 || fit.RMS > 0.08 || len(fit.Residuals) != len(points) || len(fit.Warnings) > 0 {
		t.Errorf("RMS %g, %d residuals, warnings %q", fit.RMS, len(fit.Residuals), fit.Warnings)
	}
}

func TestFitWarnings(t *testing.T) {
	s := setup(t, "Llama-3.1-8B", "h100", "TP=1")
	fit, err := s.Fit(measured(t, s, steps(), func() float64 { return 0.3 }))
	if err != nil {
		t.Fatal(err)
	}
	if all := strings.Join(fit.Warnings, "\n"); fit.Efficiency.Compute != 1 || !strings.Contains(all, "bound of 1") ||
		!strings.Contains(all, "root mean square") {
		t.Errorf("steps faster than the peak: %+v, %q", fit.Efficiency, fit.Warnings)
	}
}

func TestFitErrors(t *testing.T) {
	s := setup(t, "Llama-3.1-8B", "h100", "TP=1")
	all := measured(t, s, steps(), func() float64 { return 1 })
	for _, c := range []struct {
		points []Point
		want   string
	}{
		{nil, "0 points"},
		{all[:1], "1 points"},
		{all[2:5], "no point is bound by memory"},
		{all[5:8], "no point is bound by computing"},
		{[]Point{all[4], {DecodeSeqs: 1}}, "point 2"},
		{[]Point{all[4], {Time: time.Second}}, "point 2"},
	} {
		if _, err := s.Fit(c.points); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("want %q, got %v", c.want, err)
		}
	}
}
