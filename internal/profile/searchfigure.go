package profile

import (
	"fmt"
	"math"
)

// Confidence is that of every interval of a search.
const Confidence = 0.95

// Figure is the mean of repeats, in base units.
type Figure struct {
	Mean float64 `json:"mean"`
	// Std is the sample's standard deviation (divided by N−1), 0 for one
	// repeat.
	Std float64 `json:"std"`
	N   int     `json:"repeats"`
}

// figureOf sums repeats up.
func figureOf(values []float64) Figure {
	f := Figure{N: len(values)}
	if f.N == 0 {
		return f
	}
	for _, v := range values {
		f.Mean += v / float64(f.N)
	}
	if f.N > 1 {
		for _, v := range values {
			f.Std += (v - f.Mean) * (v - f.Mean) / float64(f.N-1)
		}
		f.Std = math.Sqrt(f.Std)
	}
	return f
}

// HalfWidth is half of Student's interval of the mean at [Confidence]; infinite
// for a single repeat, which says nothing of its own spread.
func (f Figure) HalfWidth() float64 {
	if f.N < 2 {
		return math.Inf(1)
	}
	return student95(f.N-1) * f.Std / math.Sqrt(float64(f.N))
}

// Share is the half-width over the mean.
func (f Figure) Share() float64 { return f.HalfWidth() / f.Mean }

// text is the figure scaled, with its interval where there is one.
func (f Figure) text(scale float64, digits int) string {
	if f.N < 2 || f.Std == 0 {
		return fmt.Sprintf("%.*f", digits, f.Mean*scale)
	}
	return fmt.Sprintf("%.*f±%.*f", digits, f.Mean*scale, digits, f.HalfWidth()*scale)
}

// student95 is the two-sided 95 % quantile of Student's t. Beyond 9 degrees of
// freedom it is Cornish and Fisher's expansion about the normal quantile, which
// is then right to 0.1 %.
func student95(freedom int) float64 {
	table := [...]float64{12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622}
	if freedom <= len(table) {
		return table[freedom-1]
	}
	const z = 1.959964
	n := float64(freedom)
	return z + (z*z*z+z)/(4*n) + (5*math.Pow(z, 5)+16*z*z*z+3*z)/(96*n*n)
}
