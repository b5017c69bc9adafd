package workload

import (
	"math"
	"slices"
	"time"
)

// Dispersion describes how regular a schedule is, as it was drawn. What so few
// arrivals do not say is NaN.
type Dispersion struct {
	Count int
	// Span is the last planned time in seconds, from the start of the phase.
	Span float64
	// Rate is in arrivals per second, between the first and the last.
	Rate float64
	// VarianceOverMean is the variance of the counts per window over their
	// mean, with windows of ten mean gaps: about 0 for constant arrivals, 1
	// for Poisson, 1/shape for gamma. A ramp counts as dispersion. 0 with
	// fewer than two full windows.
	VarianceOverMean float64
	// GapCV2 is the squared coefficient of variation of the gaps: 0 for
	// constant arrivals, 1 for Poisson, 1/shape for gamma.
	GapCV2 float64
}

// windowGaps is how many mean gaps a window has: enough that the window is
// long against the memory of gamma gaps, few enough that short runs have some.
const windowGaps = 10

// Measure describes planned times; their order does not matter.
func Measure(times []time.Duration) Dispersion {
	nan := math.NaN()
	if len(times) == 0 {
		return Dispersion{Rate: nan, VarianceOverMean: nan, GapCV2: nan}
	}
	sorted := slices.Clone(times)
	slices.Sort(sorted)
	first, last := sorted[0], sorted[len(sorted)-1]
	d := Dispersion{Count: len(sorted), Span: last.Seconds(), Rate: nan, VarianceOverMean: nan, GapCV2: nan}
	if last == first {
		return d
	}
	gaps := make([]float64, len(sorted)-1)
	for i := range gaps {
		gaps[i] = (sorted[i+1] - sorted[i]).Seconds()
	}
	mean, variance := moments(gaps)
	d.Rate = 1 / mean
	if len(gaps) > 1 {
		d.GapCV2 = variance / (mean * mean)
	}

	// Windows begin half a gap before the first arrival, so that arrivals of
	// a constant schedule lie in the middle of their share of a window and
	// rounding to nanoseconds cannot move one across an edge.
	counts := make([]float64, len(sorted)/windowGaps)
	for _, t := range sorted {
		w := int(((t-first).Seconds()/mean + 0.5) / windowGaps)
		if w < len(counts) {
			counts[w]++
		}
	}
	if len(counts) >= 2 {
		mean, variance := moments(counts)
		if mean > 0 {
			d.VarianceOverMean = variance / mean
		}
	}
	return d
}

// moments returns the mean and the population variance.
func moments(xs []float64) (mean, variance float64) {
	for _, x := range xs {
		mean += x
	}
	mean /= float64(len(xs))
	for _, x := range xs {
		variance += (x - mean) * (x - mean)
	}
	return mean, variance / float64(len(xs))
}
