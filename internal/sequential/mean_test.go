package sequential

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The interval of every length up to 100 holds the mean in 95 % of sequences or more,
// looked at after every value.
func TestAlwaysHolds(t *testing.T) {
	const runs = 2000
	lost := 0
	for seed := range uint64(runs) {
		r := rand.New(rand.NewPCG(seed, 1))
		var values []float64
		for range 100 {
			values = append(values, 3+2*r.NormFloat64())
			if _, low, high := Mean(values, 0.05); low > 3 || high < 3 {
				lost++
				break
			}
		}
	}
	if lost > runs/20 || lost == 0 {
		t.Errorf("%d of %d sequences lost their mean", lost, runs)
	}
}

// The factor is where the mixture is 1/alpha: by its formula, the other way round.
func TestFactor(t *testing.T) {
	for _, n := range []int{5, 8, 30, 1000} {
		f, m := Factor(n, 0.05), float64(n)
		x := f * f / (m - 1)
		e := math.Pow(1+m*prior, -0.5) * math.Pow((1+x)/(1+x/(1+m*prior)), m/2)
		if math.Abs(e-20) > 1e-6 {
			t.Errorf("%d values: mixture of %v", n, e)
		}
	}
	for _, n := range []int{0, 1, 2} {
		if f := Factor(n, 0.05); !math.IsInf(f, 1) {
			t.Errorf("%d values: %v", n, f)
		}
	}
}
