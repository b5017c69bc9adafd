package series

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// What comes inside the time counts, whole or in part; nothing else does.
func TestFlowConserves(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		begin, length := rapid.Float64Range(-10, 10).Draw(t, "begin"), rapid.Float64Range(0.1, 100).Draw(t, "length")
		f := NewFlow(begin, begin+length)
		want := 0.0
		for range rapid.IntRange(0, 20).Draw(t, "amounts") {
			from, took := rapid.Float64Range(-50, 150).Draw(t, "from"), rapid.Float64Range(0.001, 60).Draw(t, "took")
			amount := rapid.Float64Range(0, 1000).Draw(t, "amount")
			f.Add(from, from+took, amount)
			want += amount * max(0, min(from+took, begin+length)-max(from, begin)) / took
		}
		got := 0.0
		for _, a := range f.amounts {
			got += a
		}
		if math.Abs(got-want) > 1e-6*(1+want) {
			t.Errorf("%v counted of %v", got, want)
		}
	})
}

func TestRate(t *testing.T) {
	const runs, rate = 300, 20
	held, width := 0, 0.0
	for seed := range uint64(runs) {
		r := rand.New(rand.NewPCG(seed, 2))
		f := NewFlow(100, 200)
		for at := r.ExpFloat64() / rate; at < 300; at += r.ExpFloat64() / rate {
			f.Add(at, at+r.ExpFloat64(), 1)
		}
		e := f.Rate(1)
		if e.Low <= rate && rate <= e.High {
			held++
		}
		width += e.HalfWidth() / runs
	}
	if exact := 1.96 * math.Sqrt(rate/100.0); held < 0.9*runs || held > 0.99*runs || width > 1.4*exact {
		t.Errorf("%d of %d intervals hold the rate; %.2f wide, of %.2f", held, runs, width, exact)
	}
	for name, f := range map[string]*Flow{"no time": NewFlow(3, 3), "less than none": NewFlow(3, 2)} {
		f.Add(3, 4, 1)
		if e := f.Rate(1); e.Why != TooShort || !math.IsNaN(e.Value) {
			t.Errorf("%s: %+v", name, e)
		}
	}
	instant := NewFlow(0, 10)
	instant.Add(5, 5, 7)
	instant.Add(10, 10, 7) // ends where the time does: outside
	if e := instant.Rate(1); e.Value != 0.7 {
		t.Errorf("an instant: %+v", e)
	}
}

func TestRatio(t *testing.T) {
	// What two arms share cancels: the same requests are the same load.
	load := autoregressive(4, 2000, 0.95)
	a := changed(load, func(_ int, v float64) float64 { return 2 * (10 + v) })
	b := changed(load, func(i int, v float64) float64 { return 10 + v + 0.01*float64(i%7-3) })
	e := Ratio(a, b, 1)
	if !e.Known() || e.Low > 2 || e.High < 2 || e.HalfWidth() > 0.001 {
		t.Errorf("paired: %+v", e)
	}
	rising := func(i int, v float64) float64 { return v + float64(i)/100 }
	if e := Ratio(changed(a, rising), changed(a, rising), 1); !e.Known() || e.Value != 1 {
		t.Errorf("both rise alike: %+v", e)
	}
	for name, c := range map[string]struct{ a, b []float64 }{
		"empty": {}, "unequal": {a, b[1:]}, "of nothing": {a, make([]float64, len(a))},
		"infinite": {append([]float64{math.Inf(1)}, a...), append([]float64{1}, b...)},
	} {
		if e := Ratio(c.a, c.b, 1); e.Known() {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

func TestRuns(t *testing.T) {
	// t of 4 degrees of freedom is 2.7764; the standard error of 1 … 5 is √½.
	e := Runs([]float64{1, 2, 3, 4, 5})
	half := 2.7764451 * math.Sqrt(0.5)
	if e.Value != 3 || math.Abs(e.High-3-half) > 1e-6 || math.Abs(3-e.Low-half) > 1e-6 {
		t.Errorf("%+v", e)
	}
	for _, values := range [][]float64{nil, {4}, {4, math.Inf(1)}} {
		if e := Runs(values); e.Known() {
			t.Errorf("%v: %+v", values, e)
		}
	}
}
