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
	s := Summary{Metric: m, Count: len(values), Min: values[0], Max: values[len(values)-1]}
	s.Sum = sum(values)
	s.Mean = s.Sum / n
	var squares float64
	for _, v := range values {
		squares += (v - s.Mean) * (v - s.Mean)
	}
	s.Std = math.Sqrt(squares / n)
	s.MeanLow, s.MeanHigh = math.NaN(), math.NaN()
	for _, p := range percents {
		s.Quantiles = append(s.Quantiles, quantile(len(values), p, series.Percentile(values, float64(p))))
	}
	return s
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

// sum adds with Neumaier's compensation: pooled gaps can be 10⁸ values, where
// a plain sum loses half its digits.
func sum(values []float64) float64 {
	var s, lost float64
	for _, v := range values {
		t := s + v
		if math.Abs(s) >= math.Abs(v) {
			lost += (s - t) + v
		} else {
			lost += (v - t) + s
		}
		s = t
	}
	if math.IsInf(s, 0) {
		return s
	}
	return s + lost
}

// quantile is one without an interval, of n values.
func quantile(n, percent int, value float64) Quantile {
	return Quantile{
		Q: float64(percent) / 100, Value: value, Low: math.NaN(), High: math.NaN(),
		Few: n*min(percent, 100-percent) < 100*enough,
	}
}
