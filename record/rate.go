package record

import "slices"

// Rates are taken between these quantiles of the times, so that neither the
// start nor the last reply of a long request weighs on them.
const fromShare, toShare = 0.05, 0.95

// MiddleRate is how many of the times lie in one of their units between their
// 5 % and their 95 % quantile; 0 where these are one instant. It sorts them.
//
// That of planned starts against that of ends says whether a service keeps up:
// a constant latency moves all ends alike and changes nothing, a growing queue
// stretches them.
func MiddleRate(times []float64) float64 {
	n := len(times)
	if n < 2 {
		return 0
	}
	slices.Sort(times)
	a, b := int(fromShare*float64(n-1)), int(toShare*float64(n-1)+0.5)
	if times[b] <= times[a] {
		return 0
	}
	return float64(b-a) / (times[b] - times[a])
}
