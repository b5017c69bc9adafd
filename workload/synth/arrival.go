package synth

import (
	"math"
	"slices"

	"headway/workload"
)

// ArrivalFacts describe when the rows with a timestamp came.
type ArrivalFacts struct {
	Count int
	// Span is from the first to the last, in seconds; Rate is Count over it, per
	// second; 0 where all came at once.
	Span, Rate float64
	// Distinct is how many different timestamps there are, LargestBurst how many
	// rows the commonest has.
	Distinct, LargestBurst int
	// Step is the distance in milliseconds at which the timestamps look rounded,
	// 0 when they don't: replayed literally, rows come in bursts so far apart.
	Step float64
	// Window is a time in seconds that is long against Step and the mean gap;
	// VarianceOverMean is that of the counts in windows of it: about 1 for Poisson
	// arrivals. Both are 0 when there are fewer than two windows.
	Window, VarianceOverMean float64
	// Times are all timestamps in seconds after the first, rising.
	Times []float64
}

// windowGaps is how many mean gaps, and how many rounding steps, a window has.
const windowGaps = 10

func measureArrivals(rows []workload.Row) ArrivalFacts {
	a := ArrivalFacts{}
	for i := range rows {
		if rows[i].Timed {
			a.Times = append(a.Times, rows[i].Timestamp/1000)
		}
	}
	a.Count = len(a.Times)
	if a.Count == 0 {
		return a
	}
	slices.Sort(a.Times)
	first := a.Times[0]
	for i := range a.Times {
		a.Times[i] -= first
	}
	a.Span = a.Times[a.Count-1]
	bursts, gaps := burstsAndGaps(a.Times)
	a.Distinct = len(bursts)
	a.LargestBurst = slices.Max(bursts)
	if a.Span == 0 {
		return a
	}
	a.Rate = float64(a.Count) / a.Span
	a.Step = roundingStep(a.Count, gaps)
	a.Window = windowGaps * max(1/a.Rate, a.Step/1000)
	a.VarianceOverMean = varianceOverMean(a.Times, a.Window)
	if a.VarianceOverMean == 0 {
		a.Window = 0
	}
	return a
}

// burstsAndGaps counts the rows on each different time, and the positive times
// between them in milliseconds.
func burstsAndGaps(times []float64) (bursts []int, gaps []float64) {
	for i, t := range times {
		if i > 0 {
			// To the nanosecond: a difference of seconds is off by a few ulps.
			gap := math.Round((t-times[i-1])*1e9) / 1e6
			if gap == 0 {
				bursts[len(bursts)-1]++
				continue
			}
			gaps = append(gaps, gap)
		}
		bursts = append(bursts, 1)
	}
	return bursts, gaps
}

// roundingStep finds the step of rounded timestamps in milliseconds. They look
// rounded when at least half of the rows share their time with another and nine
// tenths of the gaps are within a hundredth of a multiple of the median gap. The
// tolerance is needed: the conversation trace of Mooncake has gaps of 2,997 to
// 3,003 ms. The median is the upper one, since a step is a gap that occurs.
func roundingStep(count int, gaps []float64) float64 {
	if len(gaps) < 10 || 2*(len(gaps)+1) > count {
		return 0
	}
	sorted := slices.Clone(gaps)
	slices.Sort(sorted)
	step := sorted[len(sorted)/2]
	near := 0
	for _, g := range gaps {
		if times := math.Round(g / step); times >= 1 && math.Abs(g-times*step) <= step/100 {
			near++
		}
	}
	if near*10 < len(gaps)*9 {
		return 0
	}
	return step
}

// varianceOverMean is the index of dispersion of the counts in full windows.
func varianceOverMean(times []float64, window float64) float64 {
	n := int(times[len(times)-1] / window)
	if n < 2 || n > len(times) {
		return 0
	}
	counts := make([]float64, n)
	for _, t := range times {
		if w := int(t / window); w < n {
			counts[w]++
		}
	}
	mean, sd := meanAndSD(counts)
	if mean == 0 {
		return 0
	}
	return sd * sd / mean
}
