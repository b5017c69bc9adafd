package series

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

const (
	// cosines is how many of the slowest movements an interval rests on.
	cosines = 24
	// least is the number of values below which there is no interval.
	least = 30
	// blocksMost bounds the sums that cosines are taken of: the slowest
	// movements see no difference between a value's place and its block's
	// middle.
	blocksMost = 1024
)

// spread is what the slow movements of a sequence say of its mean.
type spread struct {
	n        int
	variance float64 // of single values
	longRun  float64 // n times the variance of the mean
	squares  []float64
}

// slow measures a sequence's long-run variance: its spectral density at
// frequency zero.
//
// Each of the first coefficients of the type II cosine transform, squared, is an
// estimate of the density at its own frequency, and independent of the others
// (Müller, J. Econometrics 141, 2007; Lazarus, Lewis, Stock and Watson, "HAR
// Inference: Recommendations for Practice", J. Business & Economic Statistics
// 36(4), 2018). Their plain mean is too small where values depend on each other
// over more than a hundredth of the sequence, since the density falls within the
// two dozen. So the density of a first-order process is fitted to them, with the
// likelihood of Whittle (J. Royal Statistical Society B 15, 1953), and read at
// zero. A queue is remembered about as such a process is.
//
// Batch means are the better known way to the same end. Cosines are less biased
// at equal certainty, in proportion to 1/size² and not 1/size, and the waves of a
// closed loop, which are far faster, do not disturb them, whatever their length.
func slow(values []float64) spread {
	n := len(values)
	centre := mean(values)
	s := spread{n: n, squares: make([]float64, coefficients(n))}
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
	}
	s.longRun = atZero(s.squares)
	return s
}

// bends are the frequencies, in half periods a sequence, at which a first-order
// process has half of its density at zero. The first is none at all.
var bends = [...]float64{math.Inf(1), 48, 32, 24, 16, 12, 8, 6, 4, 3, 2, 1.5, 1}

// atZero is the density at frequency zero of the first-order process that is the
// likeliest for squared coefficients.
func atZero(squares []float64) (density float64) {
	n, best := float64(len(squares)), math.Inf(1)
	for _, bend := range bends {
		at, logs := 0.0, 0.0
		for j, c := range squares {
			f := float64(j+1) / bend
			at += c * (1 + f*f) / n
			logs += math.Log1p(f * f)
		}
		// −2 log L, but for what does not depend on the bend.
		if l := n*math.Log(at) - logs; l < best {
			best, density = l, at
		}
	}
	return density
}

// coefficients is how many cosines are taken of n values.
func coefficients(n int) int { return min(cosines, n/3) }

// fitted is the degrees of freedom of the long-run variance of n values. A fit of
// two parameters to so many coefficients is about as sure as a mean of three
// fifths of them: found by trial, on autoregressive sequences and on simulated
// queues.
func fitted(n int) int { return coefficients(n) * 3 / 5 }

// margin is half the width of an interval of the mean.
func (s spread) margin() float64 {
	return student(fitted(s.n)) * math.Sqrt(s.longRun/float64(s.n))
}

// inflation is the variance of the mean over that of independent values; 1
// where all values are the same. A closed loop without any noise repeats itself
// exactly: it has a bound, so that the effective number is finite.
func (s spread) inflation() float64 {
	if s.variance == 0 {
		return 1
	}
	return max(s.longRun/s.variance, 1e-6)
}

// effective is how many independent values say as much.
func (s spread) effective() float64 { return float64(s.n) / s.inflation() }

// drifts reports whether a sequence rises or falls as a whole. The slowest
// cosine, half a period, is what a steady rise looks like: of a straight line it
// has 99 % of the movement. It is held against the next ones by an F test at the
// level of one in a thousand; overloads and ramps are beyond one in ten
// thousand. What is below the noise of independent values is no rise: the slow
// movements of a closed loop can be so small that the last, incomplete wave is
// the greatest of them.
func (s spread) drifts() bool {
	const level = 0.001
	next := s.squares[1:min(12, len(s.squares))]
	others, count := 0.0, float64(len(next))
	for _, c := range next {
		others += c
	}
	return s.squares[0] > max(s.variance, distuv.F{D1: 1, D2: count}.Quantile(1-level)*others/count)
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
