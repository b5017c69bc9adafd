package series

import (
	"math"
	"math/rand/v2"
	"testing"
)

// Of a thousand autoregressive sequences, whose true mean and quantiles are
// known, the intervals hold the truth about as often as they say.
func TestIntervalsHoldTheTruth(t *testing.T) {
	for _, c := range []struct {
		name        string
		correlation float64
		n           int
	}{
		{"independent", 0, 200}, {"dependent", 0.9, 2000}, {"alternating", -0.7, 500},
	} {
		t.Run(c.name, func(t *testing.T) {
			const runs = 1000
			held := map[string]int{}
			for seed := range uint64(runs) {
				s := New(autoregressive(seed, c.n, c.correlation), 1)
				for name, e := range map[string]Estimate{"mean": s.Mean(), "p50": s.Quantile(0.5), "p90": s.Quantile(0.9)} {
					truth := map[string]float64{"p90": 1.2815515655446004}[name]
					if e.Low <= truth && truth <= e.High {
						held[name]++
					}
				}
			}
			for name, n := range held {
				if n < 920 || n > 985 {
					t.Errorf("%s: %d of %d intervals hold the truth", name, n, runs)
				}
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
