package metric

import (
	"math"
	"slices"
)

// adjusted are latencies in which every failed request counts as one that
// never ended. A server that sheds load answers the rest faster; the plain
// latencies reward it for that, these do not.
func adjusted(itl measure) []Metric {
	var list []Metric
	for _, m := range []Metric{
		timeToFirstToken(), requestLatency(), decodeDuration(), interTokenLatency(itl), effectiveLatency(),
	} {
		m.Formula = m.Tag + " with +∞ for each failed or cancelled request; percentiles by nearest rank; only if " +
			"some requests failed and not all"
		m.Tag = "adj_" + m.Tag
		m.Header += " (error-adjusted)"
		m.Source = aiperf
		m.Group = GroupAdjusted
		m.Where = "adjusted.go"
		m.adjusted = true
		m.Console = true
		list = append(list, m)
	}
	return list
}

// summariseAdjusted summarises values with failed infinite ones added. Sum,
// mean and maximum are infinite, the standard deviation and intervals do not
// exist (NaN), and quantiles are values of the sample, since
// there is no interpolating towards infinity: the rank q(n−1), rounded with
// ties to even (NumPy's "nearest").
func summariseAdjusted(m Metric, values []float64, failed int) Summary {
	all := slices.Concat(values, slices.Repeat([]float64{math.Inf(1)}, failed))
	slices.Sort(all)
	s := Summary{
		Metric: m, Count: len(all),
		Sum: math.Inf(1), Mean: math.Inf(1), Min: all[0], Max: math.Inf(1),
		Std: math.NaN(), MeanLow: math.NaN(), MeanHigh: math.NaN(),
	}
	for _, p := range percents {
		at := math.RoundToEven(float64(p) / 100 * float64(len(all)-1))
		s.Quantiles = append(s.Quantiles, quantile(len(all), p, all[int(at)]))
	}
	return s
}
