package profile

import (
	"math"

	"headway/metric"
	"headway/report"
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
func (f Figure) HalfWidth() float64 { return metric.HalfOfRuns(f.Std, f.N) }

// Share is the half-width over the mean.
func (f Figure) Share() float64 { return f.HalfWidth() / f.Mean }

// In is the figure as tables and sentences show it, scaled to a unit.
func (f Figure) In(scale float64, unit string) report.Figure {
	made := report.Figure{Value: f.Mean * scale, Low: math.NaN(), High: math.NaN(), Unit: unit}
	if h := f.HalfWidth() * scale; !math.IsInf(h, 0) {
		if h < 1e-9*made.Value {
			h = 0 // what rounding leaves of equal repeats
		}
		made.Low, made.High = made.Value-h, made.Value+h
	}
	return made
}
