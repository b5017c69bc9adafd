package metric

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// confidence is the level of the intervals of quantiles and means.
const confidence = 0.95

// enough is how many samples must lie beyond a quantile.
const enough = 5

// percents are the quantiles of a Summary. They are whole numbers so that
// whether a sample is too small is decided exactly: 50·(1−0.9) is a little
// below 5 in float64.
var percents = [...]int{1, 5, 10, 25, 50, 75, 90, 95, 99}

// Summarise describes values in base units, at least one. It sorts them, and
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
	if len(values) > 1 {
		half := tCritical(confidence, len(values)-1) * math.Sqrt(squares/(n-1)/n)
		s.MeanLow, s.MeanHigh = s.Mean-half, s.Mean+half
	}
	for _, p := range percents {
		s.Quantiles = append(s.Quantiles, quantile(values, p, interpolated(values, p)))
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
	return s + lost
}

// interpolated is the percentile p of a sorted sample by linear interpolation
// at the index p/100·(n−1). Its two branches are NumPy's, so that the last bit
// agrees with it.
func interpolated[P int | float64](sorted []float64, p P) float64 {
	at := float64(p) / 100 * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	a, b, t := sorted[i], sorted[i+1], at-math.Floor(at)
	if t >= 0.5 {
		return b - (b-a)*(1-t)
	}
	return a + (b-a)*t
}

// quantile adds the uncertainty to a percentile's value.
func quantile(sorted []float64, p int, value float64) Quantile {
	n := len(sorted)
	low, high := orderInterval(n, float64(p)/100)
	return Quantile{
		Q: float64(p) / 100, Value: value,
		Low: sorted[low], High: sorted[high],
		Few: n*min(p, 100-p) < 100*enough,
	}
}

// orderInterval gives the indices of the order statistics between which the
// quantile q lies with at least 95 % confidence, whatever the distribution.
// The number of samples below the quantile is binomial (n, q); the indices cut
// off at most 2.5 % of it on either side. Where the sample does not reach far
// enough for that, the index is that of its end and the confidence less.
func orderInterval(n int, q float64) (low, high int) {
	const tail = (1 - confidence) / 2
	b := distuv.Binomial{N: float64(n), P: q}
	low = sort.Search(n, func(k int) bool { return b.CDF(float64(k)) > tail }) - 1
	high = sort.Search(n, func(k int) bool { return b.CDF(float64(k)) >= 1-tail })
	return max(0, low), min(n-1, high)
}

// tCritical is the two-sided critical value of Student's t distribution.
func tCritical(level float64, freedom int) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(freedom)}.Quantile(1 - (1-level)/2)
}
