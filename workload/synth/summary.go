package synth

import (
	"math"
	"slices"

	"headway/metric"
)

// Summary describes a set of values. All but Count are NaN when there is none.
type Summary struct {
	Count int
	Mean  float64
	// SD is the sample standard deviation (divided by n-1); 0 for one value.
	SD float64
	// The quantiles are those of [metric.Percentile], as in every other table:
	// linear interpolation between neighbours, NumPy's default.
	Min, P25, Median, P75, P90, P99, Max float64
}

// Summarize describes xs.
func Summarize(xs []float64) Summary {
	nan := math.NaN()
	s := Summary{Count: len(xs), Mean: nan, SD: nan, Min: nan, P25: nan, Median: nan, P75: nan, P90: nan,
		P99: nan, Max: nan}
	if len(xs) == 0 {
		return s
	}
	s.Mean, s.SD = meanAndSD(xs)
	sorted := slices.Clone(xs)
	slices.Sort(sorted)
	s.Min, s.Max = sorted[0], sorted[len(sorted)-1]
	s.P25, s.Median, s.P75 = metric.Percentile(sorted, 25), metric.Percentile(sorted, 50), metric.Percentile(sorted, 75)
	s.P90, s.P99 = metric.Percentile(sorted, 90), metric.Percentile(sorted, 99)
	return s
}

func meanAndSD(xs []float64) (mean, sd float64) {
	for _, x := range xs {
		mean += x
	}
	mean /= float64(len(xs))
	if len(xs) == 1 {
		return mean, 0
	}
	for _, x := range xs {
		sd += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(sd / float64(len(xs)-1))
}
