package compare

import (
	"math"
	"slices"
	"testing"

	"headway/metric"
)

// logs is a sample of runs without intervals within them.
func logs(values ...float64) sample {
	nan := slices.Repeat([]float64{math.NaN()}, len(values))
	return sample{logs: values, lows: nan, highs: nan}
}

// one is a single run with its interval.
func one(low, at, high float64) sample {
	return sample{logs: []float64{at}, lows: []float64{low}, highs: []float64{high}}
}

func near(a, b float64) bool { return math.Abs(a-b) < 5e-4 }

func TestBetweenRuns(t *testing.T) {
	// t = 3.5/√(0.4167 + 2) with 5.52 degrees of freedom by the formulas of Welch and Satterthwaite.
	c, ok := betweenRuns(logs(1, 2, 3, 4), logs(2, 4, 6, 8, 10), sample{}, false)
	if !ok || !near(c.at, 3.5) || !near(c.freedom, 5.5206) || !near(c.p(0), 0.0691) || c.by != ByRuns {
		t.Errorf("Welch: %+v, p %v", c, c.p(0))
	}
	if c.low() > 0 || c.p(c.low()) < 0.0499 || c.p(c.low()) > 0.0501 {
		t.Errorf("p at the end of the 95 %% interval is %v", c.p(c.low()))
	}
	// One run a side and a baseline: its variance for both, two degrees of freedom.
	c, ok = betweenRuns(logs(1), logs(2), logs(0, 1, 2), false)
	if !ok || !near(c.up, 4.3027*math.Sqrt2) || c.freedom != 2 {
		t.Errorf("baseline: %+v", c)
	}
	for name, base := range map[string]sample{"none": {}, "of two runs": logs(1, 2)} {
		if c, ok := betweenRuns(logs(1), logs(2), base, false); ok {
			t.Errorf("one run a side with a baseline %s: %+v", name, c)
		}
	}
	// Runs that repeat one seed have the requests of one run, however many they are.
	same := sample{logs: []float64{1, 1, 1}, lows: []float64{0, 0, 0}, highs: []float64{2, 2, 2}, seeds: 1}
	for _, repeated := range []bool{true, false} { // without a seed of their own they are copies
		if c, _ := betweenRuns(same, same, sample{}, repeated); !near(c.up, math.Sqrt2) || c.freedom != withinFreedom ||
			!near(c.single, same.within()) {
			t.Errorf("repeats of one seed: %+v", c)
		}
	}
	apart := same
	apart.seeds = 3
	if c, _ := betweenRuns(same, apart, sample{}, true); !near(c.up, math.Sqrt(4./3)) {
		t.Errorf("repeats of one seed against three seeds: %+v", c)
	}
	if c, _ := betweenRuns(logs(1, 1, 1), logs(1, 1, 1), sample{}, false); c.up != 0 || c.p(0) != 1 || c.p(0.1) != 0 {
		t.Errorf("runs that are alike: %+v", c)
	}
}

func TestWithinRuns(t *testing.T) {
	c, ok := withinRuns(one(-3, 0, 4), one(6, 10, 20), 0)
	if !ok || c.at != 10 || !near(c.down, math.Hypot(4, 4)) || !near(c.up, math.Hypot(10, 3)) {
		t.Errorf("%+v", c)
	}
	if p := c.p(c.low()); !near(p, 0.05) {
		t.Errorf("p at the lower end is %v", p)
	}
	wide, _ := withinRuns(one(0, 0, 0), one(0, 0, 0), 0.05)
	if !near(wide.up, 1.96*0.05*math.Sqrt2) || wide.assumed != 0.05 {
		t.Errorf("an assumed variation: %+v", wide)
	}
	if _, ok := withinRuns(logs(1), one(0, 1, 2), 0); ok {
		t.Error("a run without an interval has a contrast")
	}
}

func TestHolm(t *testing.T) {
	got := holm([]float64{0.01, 0.04, 0.03, 0.005})
	for i, want := range []float64{0.03, 0.06, 0.06, 0.02} {
		if !near(got[i], want) {
			t.Errorf("%v", got)
		}
	}
	if len(holm(nil)) != 0 {
		t.Error("of nothing")
	}
}

func TestWords(t *testing.T) {
	at := func(low, high float64) contrast {
		return contrast{at: (low + high) / 2, down: (high - low) / 2, up: (high - low) / 2, freedom: 20}
	}
	for _, v := range []struct {
		c      contrast
		p      float64
		better metric.Direction
		want   Word
	}{
		{at(0.06, 0.1), 0.01, metric.Lower, Worse},
		{at(0.06, 0.1), 0.01, metric.Higher, Better},
		{at(-0.1, -0.06), 0.01, metric.Lower, Better},
		{at(-0.1, -0.06), 0.01, metric.Neutral, Lower},
		{at(0.06, 0.1), 0.01, metric.Neutral, Higher},
		{at(0.06, 0.1), 0.06, metric.Lower, NotDecided}, // not after the correction
		{at(0.01, 0.04), 0.001, metric.Lower, Same},     // certain, and too small to matter
		{at(-0.04, 0.06), 0.7, metric.Lower, NotDecided},
	} {
		if got := wordOf(v.c, v.p, 0.05, v.better); got != v.want {
			t.Errorf("%+v, p %v: %q, want %q", v.c, v.p, got, v.want)
		}
	}
}

func TestNeed(t *testing.T) {
	runs := contrast{by: ByRuns, single: 0.03 * 0.03, sure: 4}
	few, sure := needOf(runs, math.Log1p(0.05), 0.05, 100), contrast{by: ByRuns, single: 0.03 * 0.03, sure: 400}
	if many := needOf(sure, math.Log1p(0.05), 0.05, 100); many.Runs < 8 || many.Runs >= few.Runs {
		t.Errorf("%+v where the variation is known, %+v where five runs told it", many, few)
	}
	// The textbook's: (1.96+1.28)²·2·(s/δ)² = 7.9, and Student's t above that.
	if n := runsFor(0.03*0.03, math.Log1p(0.05), 0.05); n != 10 {
		t.Errorf("%d runs", n)
	}
	requests := contrast{by: ByRequests, single: 0.02 * 0.02, sure: withinFreedom}
	a, b := needOf(requests, 0.05, 0.05, 1000), needOf(requests, 0.05, 0.05, 2000)
	if a.Requests == 0 || b.Requests < 18*a.Requests/10 || b.Requests > 22*a.Requests/10 {
		t.Errorf("%+v and %+v", a, b)
	}
	short := contrast{by: ByRequests, single: 0.1*0.1 + 0.05*0.05, assumed: 0.05}
	if n := needOf(short, 0.05, 0.05, 100); n.Requests < 1000 || n.Runs < 20 || n.Runs > 40 {
		t.Errorf("short runs: %+v", n)
	}
	for want, n := range map[string]Need{
		"": {}, "about 1,300 requests a side": {Requests: 1300},
		"about 7 runs a side of 200 requests each, if runs vary by 5 %": {Runs: 7, Requests: 200, Assumed: 5},
		"more than 1000 runs a side: runs vary too much":                {Runs: mostRuns},
	} {
		if got := n.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
