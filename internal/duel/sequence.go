package duel

import (
	"math"

	"gonum.org/v1/gonum/stat"

	"headway/internal/sequential"
)

// fewest is the least number of blocks that give an interval: at four, a value that is
// not quite normal counts for more than it does later.
const fewest = 5

// Interval is the mean of values and how far its interval reaches to either side, at
// the level 1−alpha for all lengths of values together; see [sequential.Factor]. Values
// are independent and normal with a mean and a variance that are not known. The distance
// is +Inf where nothing is bounded yet. least is a bound from below on the variance of a
// value.
func Interval(values []float64, alpha, least float64) (mean, reach float64) {
	mean, variance := stat.MeanVariance(values, nil)
	if len(values) < fewest {
		return mean, math.Inf(1)
	}
	return mean, standardErrors(len(values), alpha) * math.Sqrt(max(variance, least)/float64(len(values)))
}

// standardErrors is how many of them an interval of n values reaches.
func standardErrors(n int, alpha float64) float64 {
	if n < fewest {
		return math.Inf(1)
	}
	return sequential.Factor(n, alpha)
}
