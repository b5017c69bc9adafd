package twin

import (
	"math"
	"slices"
	"testing"
)

func TestIntervals(t *testing.T) {
	few := &Uncertainty{Residuals: map[string][]float64{"a": {0.1, -0.2, 0.05}}}
	many := &Uncertainty{Residuals: map[string][]float64{"a": nil}}
	for i := range 19 {
		many.Residuals["a"] = append(many.Residuals["a"], float64(i+1)/100)
	}
	for name, c := range map[string]struct {
		of            *Uncertainty
		figure        string
		spread, widen float64
		half, level   float64
	}{
		"the largest of few":     {few, "a", 0, 1, 0.2, 0},
		"the 18th of 19":         {many, "a", 0, 1, 0.18, 0.9},
		"wider outside":          {many, "a", 0, 2, 0.36, 0.9},
		"wider by the fit":       {many, "a", 0.18 / normal90, 1, 0.18 * math.Sqrt2, 0.9},
		"nothing of this figure": {many, "b", 0, 1, 0, 0},
		"nothing at all":         {nil, "a", 0, 1, 0, 0},
	} {
		i := c.of.Interval(c.figure, 100, c.spread, c.widen)
		switch {
		case c.half == 0 && i != nil:
			t.Errorf("%s: %+v", name, i)
		case c.half > 0 && (i == nil || math.Abs(math.Log(i.High/100)-c.half) > 1e-9 || i.Level != c.level):
			t.Errorf("%s: %+v, want a half width of %v", name, i, c.half)
		}
	}
}

func TestBeyondWhatWasSeen(t *testing.T) {
	seen := Range{ISL: [2]int{100, 1000}, OSL: [2]int{10, 100}, InFlight: [2]int{1, 64}}
	if said, widen := seen.Beyond(seen); len(said) > 0 || widen != 1 {
		t.Errorf("%v, %v", said, widen)
	}
	other := seen
	other.ISL[1] = 2718
	if said, widen := seen.Beyond(other); len(said) != 1 || math.Abs(widen-2) > 0.01 {
		t.Errorf("%v, %v", said, widen)
	}
}

// What a held-out load showed to be too narrow is not stated.
func TestIntervalsCoverWhatWasHeldOut(t *testing.T) {
	u := &Uncertainty{Residuals: map[string][]float64{"a": make([]float64, 20)}}
	for i := range u.Residuals["a"] {
		u.Residuals["a"][i] = 0.01
	}
	judged := func(measured float64) []Judged {
		return []Judged{{Figures: []Compared{{Figure: "a", Measured: measured, Simulated: 100,
			Interval: u.Interval("a", 100, 0, 1)}}}}
	}
	f := &File{HeldOut: judged(100.5), Fitted: judged(99.5), Uncertainty: u}
	if u.Cover(f.HeldOut, f.Fitted); u.Least != nil || len(f.Unstated()) > 0 {
		t.Errorf("one that held: %v, %v", u.Least, f.Unstated())
	}
	if f.HeldOut = judged(120); len(f.Unstated()) != 1 {
		t.Fatalf("an error of 20 %% within 1 %%: %v", f.Unstated())
	}
	u.Cover(f.HeldOut, f.Fitted)
	if i := u.Interval("a", 100, 0, 1); len(f.Unstated()) > 0 || math.Abs(i.High-120) > 1e-3 ||
		f.Fitted[0].Figures[0].Interval.High < 119 {
		t.Errorf("%v, %+v, %+v", f.Unstated(), i, f.Fitted[0].Figures[0].Interval)
	}
	if i := u.Interval("a", 100, 0, 2); math.Abs(i.High-144) > 1e-3 {
		t.Errorf("outside: %+v", i)
	}
}

// What is drawn is as wide as the interval is.
func TestErrorsCoverWhatWasHeldOut(t *testing.T) {
	for _, c := range []struct{ residuals, want []float64 }{
		{[]float64{0.1, -0.4}, []float64{0.1, -0.4}}, {[]float64{0.05, -0.1}, []float64{0.1, -0.2}},
		{[]float64{0, 0}, []float64{-0.2, 0.2}}, {nil, nil},
	} {
		u := &Uncertainty{Residuals: map[string][]float64{"a": c.residuals}, Least: map[string]float64{"a": 0.2}}
		if got := u.Errors("a"); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.residuals, got, c.want)
		}
	}
}

// How far the error of a model may move a ratio: of errors that are alike no less than of
// two that are independent, of errors that differ the differences.
func TestApart(t *testing.T) {
	u := &Uncertainty{Residuals: map[string][]float64{}}
	for i := range 20 {
		sign := float64(1 - 2*(i%2))
		u.Residuals["alike"] = append(u.Residuals["alike"], 0.1)
		u.Residuals["either"] = append(u.Residuals["either"], sign*0.1)
	}
	u.Residuals["covered"], u.Least = []float64{0.01}, map[string]float64{"covered": 0.2}
	for figure, want := range map[string]float64{"alike": math.Sqrt2 * 0.1, "either": 0.2,
		"covered": math.Sqrt2 * 0.2} {
		if got := u.apart(figure); math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: %v, want %v", figure, got, want)
		}
	}
}
