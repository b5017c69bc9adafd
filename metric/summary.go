package metric

import (
	"math"
	"slices"

	"headway/internal/series"
)

// enough is how many samples must lie beyond a quantile.
const enough = 5

// percents are the quantiles of a Summary. They are whole numbers so that
// whether a sample is too small is decided exactly: 50·(1−0.9) is a little
// below 5 in float64.
var percents = [...]int{1, 5, 10, 25, 50, 75, 90, 95, 99}

// Summarise describes values in base units, at least one, without intervals: a
// set of values does not say how they depend on each other. It sorts them, and
// adds them up from the least, so that the result does not depend on their
// order.
func Summarise(m Metric, values []float64) Summary {
	slices.Sort(values)
	n := float64(len(values))
	s := Summary{Metric: m, Count: len(values)}
	s.Sum = sum(values)
	s.Mean = s.Sum / n
	var squares float64
	for _, v := range values {
		squares += (v - s.Mean) * (v - s.Mean)
	}
	s.Std = math.Sqrt(squares / n)
	s.Rank(func(rank int) float64 { return values[rank] })
	return s
}

// Rank fills in the quantiles, and the ends, of a Summary that has its Count, without
// intervals. It asks for values by their ranks from 0, see [Ranks].
func (s *Summary) Rank(ranked func(rank int) float64) {
	s.Min, s.Max = ranked(0), ranked(s.Count-1)
	s.MeanLow, s.MeanHigh = math.NaN(), math.NaN()
	for _, p := range percents {
		s.Quantiles = append(s.Quantiles, quantile(s.Count, p, series.PercentileOf(s.Count, float64(p), ranked)))
	}
}

// Ranks are those of n values, at least one, that [Summary.Rank] asks for, rising.
func Ranks(n int) []int {
	var ranks []int
	s := Summary{Count: n}
	s.Rank(func(rank int) float64 { ranks = append(ranks, rank); return 0 })
	slices.Sort(ranks)
	return slices.Compact(ranks)
}

// Quantile finds one of the summary's quantiles by its percentage.
func (s Summary) Quantile(percent int) (Quantile, bool) {
	for _, q := range s.Quantiles {
		if int(math.Round(q.Q*100)) == percent {
			return q, true
		}
	}
	return Quantile{}, false
}

// Stat is a statistic by its name in files: avg, min, max, std, sum, count,
// p1 … p99. False where the name is unknown or the statistic does not exist.
func (s Summary) Stat(name string) (float64, bool) {
	v := math.NaN()
	switch name {
	case "avg":
		v = s.Mean
	case "min":
		v = s.Min
	case "max":
		v = s.Max
	case "std":
		v = s.Std
	case "sum":
		v = s.Sum
	case "count":
		if s.Metric.Kind != OverTime {
			v = float64(s.Count)
		}
	default:
		if p, ok := percentOf(name); ok {
			if q, ok := s.Quantile(p); ok {
				v = q.Value
			}
		}
	}
	return v, !math.IsNaN(v)
}

// sum is that of as many as 10⁸ values (pooled gaps), where a plain sum loses half its
// digits.
func sum(values []float64) float64 {
	var s series.Sum
	for _, v := range values {
		s.Add(v)
	}
	return s.Value()
}

// quantile is one without an interval, of n values.
func quantile(n, percent int, value float64) Quantile {
	return Quantile{
		Q: float64(percent) / 100, Value: value, Low: math.NaN(), High: math.NaN(),
		Few: n*min(percent, 100-percent) < 100*enough,
	}
}
