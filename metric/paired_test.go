package metric

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The same requests on two servers, of which one takes 1.2 times as long: what
// requests differ in is far more than that, and cancels out.
func TestPairedRatio(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	fast, slow := NewCollector(Options{Streaming: true, Samples: true}),
		NewCollector(Options{Streaming: true, Samples: true})
	for i := range 400 {
		ttft, start := 10+90*random.Float64(), 1000*float64(i+1)
		for c, f := range map[*Collector]float64{fast: 1, slow: 1.2 + 0.02*random.NormFloat64()} {
			r := reply(start, start+f*ttft, start+f*ttft+100)
			r.Index = i
			if c == slow && i%100 == 0 {
				cancelled(r) // only one of them answered it
			}
			if err := c.Take(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	a, b := slow.Result(), fast.Result()
	ratio, low, high, why := Paired(a, b, "time_to_first_token")
	if why != "" || low > 1.2 || high < 1.2 || high-low > 0.02 || math.Abs(ratio-1.2) > 0.01 {
		t.Errorf("%v in %v to %v, %q", ratio, low, high, why)
	}
	s, _ := a.Whole.Summary("time_to_first_token")
	if s.MeanHigh-s.MeanLow < 5*(high-low)*s.Mean {
		t.Errorf("pairing did not pay: %v to %v by itself", s.MeanLow, s.MeanHigh)
	}
	if _, _, _, why := Paired(a, b, "no_such_metric"); why == "" {
		t.Error("an interval of nothing")
	}
}

func TestRatioOfRuns(t *testing.T) {
	// By hand: the logarithms 0, ln 2, ln 4 have the mean ln 2, a standard error
	// of ln 2/√3, and t = 4.302653 with two degrees of freedom.
	ratio, low, high := RatioOfRuns([]float64{1, 2, 4})
	half := math.Exp(4.302653 * math.Ln2 / math.Sqrt(3))
	if !within(ratio, 2, 1e-12) || !within(low, 2/half, 1e-6) || !within(high, 2*half, 1e-6) {
		t.Errorf("%v in %v to %v", ratio, low, high)
	}
	if _, low, _ := RatioOfRuns([]float64{2}); !math.IsNaN(low) {
		t.Errorf("one pair of runs has an interval from %v", low)
	}
}
