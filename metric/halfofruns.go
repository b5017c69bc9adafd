package metric

import "math"

// HalfOfRuns is half of Student's 95 % interval of the mean of n values with the
// sample's standard deviation std, in its unit; infinite below two values, which say
// nothing of their own spread.
func HalfOfRuns(std float64, n int) float64 {
	if n < 2 {
		return math.Inf(1)
	}
	return tCritical(0.95, n-1) * std / math.Sqrt(float64(n))
}
