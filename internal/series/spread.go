package series

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// most and fewest are the numbers of cosines, and so of degrees of
	// freedom, that an interval rests on. More than twelve make it hardly
	// narrower (Student's factor is 1.11 times the normal one), and less sure
	// where values depend on each other over a long time.
	most, fewest = 12, 5
	// least is the number of values below which there is no interval.
	least = 30
	// blocksMost bounds the sums that cosines are taken of: the slowest dozen
	// see no difference between a value's place and its block's middle.
	blocksMost = 1024
)

// spread is what the slow movements of a sequence say of its mean.
type spread struct {
	n        int
	variance float64 // of single values
	longRun  float64 // n times the variance of the mean
	squares  []float64
}

// slow measures a sequence's long-run variance by equally weighted cosine
// transforms (Müller, J. Econometrics 141, 2007; Lazarus, Lewis, Stock and
// Watson, "HAR Inference: Recommendations for Practice", J. Business & Economic
// Statistics 36(4), 2018): each of the first ν coefficients of the type II
// cosine transform estimates it, and the mean over √(their mean square / n) has
// Student's t distribution with ν degrees of freedom.
//
// Batch means are the better known way to the same end. At equal degrees of
// freedom they are biased by the correlation of neighbouring batches in
// proportion to 1/size, cosines only in proportion to 1/size². Waves of a closed
// loop, which are far faster than the cosines, do not disturb them, whatever
// their length.
func slow(values []float64, freedom int) spread {
	n := len(values)
	centre := mean(values)
	s := spread{n: n, squares: make([]float64, freedom)}
	blocks := min(n, blocksMost)
	for k := range blocks {
		sum := 0.0
		for _, v := range values[k*n/blocks : (k+1)*n/blocks] {
			d := v - centre
			sum += d
			s.variance += d * d
		}
		// cos jθ by Chebyshev's recurrence.
		step := math.Cos(math.Pi * (float64(k) + 0.5) / float64(blocks))
		before, at := 1.0, step
		for j := range s.squares {
			s.squares[j] += sum * at
			before, at = at, 2*step*at-before
		}
	}
	s.variance /= float64(n - 1)
	for j, c := range s.squares {
		s.squares[j] = c * c * 2 / float64(n)
		s.longRun += s.squares[j] / float64(freedom)
	}
	return s
}

// margin is half the width of an interval of the mean.
func (s spread) margin() float64 {
	return student(len(s.squares)) * math.Sqrt(s.longRun/float64(s.n))
}

// inflation is the variance of the mean over that of independent values; 1
// where all values are the same.
func (s spread) inflation() float64 {
	if s.variance == 0 {
		return 1
	}
	return s.longRun / s.variance
}

// effective is how many independent values say as much.
func (s spread) effective() float64 { return float64(s.n) / s.inflation() }

// drifts reports whether a sequence rises or falls as a whole. The slowest
// cosine, half a period, is what a steady rise looks like: of a straight line it
// has 99 % of the movement. It is held against the others by an F test at the
// level of one in a thousand; overloads and ramps are beyond one in ten
// thousand.
func (s spread) drifts() bool {
	const level = 0.001
	others := 0.0
	for _, c := range s.squares[1:] {
		others += c
	}
	rest := float64(len(s.squares) - 1)
	return s.squares[0] > distuv.F{D1: 1, D2: rest}.Quantile(1-level)*others/rest
}

// student is the two-sided critical value of Student's t distribution.
func student(freedom int) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(freedom)}.Quantile(1 - (1-Confidence)/2)
}

// normal is the same of the normal distribution.
func normal() float64 { return distuv.UnitNormal.Quantile(1 - (1-Confidence)/2) }

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}
