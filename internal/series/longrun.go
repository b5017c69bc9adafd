package series

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// freedom is the number of cosines, and so of degrees of freedom, that an
	// interval rests on.
	freedom = 12
	// least is the number of values below which there is no interval.
	least = 30
	// flights is how many times the requests in flight a sequence must have.
	flights = 10
	// blocksMost bounds the sums that cosines are taken of: the slowest dozen
	// see no difference between a value's place and its block's middle.
	blocksMost = 1024
)

// spread is what the slow movements of a sequence say of its mean.
type spread struct {
	n        int
	variance float64 // of single values
	longRun  float64 // n times the variance of the mean
	freedom  int
}

// slow measures a sequence's long-run variance by equally weighted cosine
// transforms (Müller 2004; Lazarus, Lewis, Stock and Watson, HAR Inference:
// Recommendations for Practice, J. Business & Economic Statistics 36(4), 2018):
// the first ν coefficients of the type II cosine transform each estimate it,
// and the mean over √(their mean square / n) has Student's t distribution with
// ν degrees of freedom.
//
// Batch means are the better known way to the same end. At equal degrees of
// freedom they are biased by correlation between neighbouring batches in
// proportion to 1/size, cosines only in proportion to its square.
func slow(values []float64, mean float64) (spread, [freedom]float64) {
	n := len(values)
	s := spread{n: n, freedom: freedom}
	blocks := min(n, blocksMost)
	var coefficients [freedom]float64
	for k := range blocks {
		from, to := k*n/blocks, (k+1)*n/blocks
		sum := 0.0
		for _, v := range values[from:to] {
			d := v - mean
			sum += d
			s.variance += d * d
		}
		at := math.Pi * float64(from+to) / float64(2*n)
		for j := range coefficients {
			coefficients[j] += sum * math.Cos(at*float64(j+1))
		}
	}
	s.variance /= float64(n - 1)
	for j, c := range coefficients {
		coefficients[j] = c * c * 2 / float64(n)
		s.longRun += coefficients[j] / freedom
	}
	return s, coefficients
}

// drifts reports whether a sequence rises or falls as a whole. The slowest
// cosine, half a period, is what a steady rise looks like: a straight line has
// 99 % of its movement in it. It is held against the others.
func drifts(squares [freedom]float64) bool {
	others := 0.0
	for _, c := range squares[1:] {
		others += c / (freedom - 1)
	}
	f := distuv.F{D1: 1, D2: freedom - 1}
	return squares[0] > f.Quantile(1-driftLevel)*others
}

// driftLevel is how often a stationary sequence is taken for one that drifts.
const driftLevel = 0.001

// margin is half the width of an interval of the mean.
func (s spread) margin() float64 {
	return student(s.freedom) * math.Sqrt(s.longRun/float64(s.n))
}

// effective is how many independent values say as much.
func (s spread) effective() float64 {
	if s.longRun == 0 {
		return float64(s.n)
	}
	return float64(s.n) * s.variance / s.longRun
}

// student is the two-sided critical value of Student's t distribution.
func student(freedom int) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(freedom)}.Quantile(1 - (1-Confidence)/2)
}
