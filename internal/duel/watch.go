package duel

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"headway/record"
)

// seen is the probability below which a drift or an effect of the order is said: it is
// looked for once, at the end, in every figure.
const seen = 0.001

// longEnough is how many blocks a drift needs to be seen in.
const longEnough = 6

// Warnings are what a reader of the rulings must know: drifts, and that it mattered
// which side was first.
func (r *Referee) Warnings() (all []record.Warning) {
	for i, f := range r.Figures {
		a, b, blocks := r.pairs(i)
		diffs, bad := f.differences(a, b)
		if bad != "" || len(diffs) < longEnough {
			continue
		}
		level := make([]float64, len(diffs))
		for j := range diffs {
			level[j] = (a[j].Value + b[j].Value) / 2
		}
		if p := slope(level); p < seen {
			all = append(all, record.Warning{Code: "duel_drift", Text: fmt.Sprintf("%s: both sides drifted from "+
				"block to block (p %.1g); the pairs cancel it as far as both drift alike", f, p)})
		}
		if p := slope(diffs); p < seen {
			all = append(all, record.Warning{Code: "duel_change_drifts", Text: fmt.Sprintf("%s: the change itself "+
				"drifted from block to block (p %.1g), so that its mean depends on how long the duel went", f, p)})
		}
		if p := order(diffs, blocks); p < seen {
			all = append(all, record.Warning{Code: "duel_order", Text: fmt.Sprintf("%s: which side was first matters "+
				"(p %.1g); the drawn order cancels it on average, a longer --pause may end it", f, p)})
		}
	}
	return all
}

// slope is the p-value of a trend over the position; 1 where nothing varies.
func slope(values []float64) float64 {
	x := make([]float64, len(values))
	for i := range x {
		x[i] = float64(i)
	}
	rho := stat.Correlation(x, values, nil)
	if math.IsNaN(rho) {
		return 1
	}
	return twoSided(rho*math.Sqrt(float64(len(x)-2)/max(1e-12, 1-rho*rho)), len(x)-2)
}

// order is the p-value of the difference between blocks with A first and those with B
// first.
func order(diffs []float64, blocks []Block) float64 {
	var first, second []float64
	for i, b := range blocks {
		if b.BFirst {
			second = append(second, diffs[i])
		} else {
			first = append(first, diffs[i])
		}
	}
	n, m := len(first), len(second)
	if n < 2 || m < 2 {
		return 1
	}
	fm, fv := stat.MeanVariance(first, nil)
	sm, sv := stat.MeanVariance(second, nil)
	pooled := (float64(n-1)*fv + float64(m-1)*sv) / float64(n+m-2)
	if pooled == 0 {
		return 1
	}
	return twoSided((fm-sm)/math.Sqrt(pooled*(1/float64(n)+1/float64(m))), n+m-2)
}

func twoSided(t float64, freedom int) float64 {
	return 2 * distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(freedom)}.Survival(math.Abs(t))
}
