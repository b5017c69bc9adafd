package series

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// Quantile estimates the stationary quantile q, above 0 and below 1.
//
// The interval reaches from one of the values to another: the ranks between
// which a proportion of q lies with 95 % confidence for as many independent
// values as the sequence is worth (Woodruff, JASA 47, 1952, takes an interval of
// the proportion to one of the quantile; Korn and Graubard, Survey Methodology
// 24, 1998, take one for independent values to dependent ones by an effective
// number, and allow for the degrees of freedom in it). So ties, discrete values
// and infinite ones need no care: the bounds lie between values that were seen, and
// the upper one may be +Inf. Only where less than one independent value lies above
// the upper bound it is drawn out beyond them, see tailScale.
func (s *Series) Quantile(q float64) Estimate {
	if len(s.values) == 0 {
		return without(math.NaN(), TooShort)
	}
	sorted := s.Sorted()
	value := Percentile(sorted, 100*q)
	if why := s.Why(); why != "" {
		return without(value, why)
	}
	n := float64(len(sorted))
	worth := n / s.clustering(q)
	shrink := normal() / student(fitted(len(sorted)))
	sure := worth * shrink * shrink
	if tail := n * min(q, 1-q); tail < seen || tail < flightsBeyond*s.together ||
		sure*(1-q) < fewAbove || sure*q < fewBelow {
		return without(value, FewInTail)
	}
	low, high := proportions(q, sure)
	e := Estimate{
		Value: value, Effective: worth,
		Low:  Percentile(sorted, 100*low),
		High: Percentile(sorted, 100*high),
	}
	if (1-high)*sure < 1 && !math.IsInf(e.High, 0) {
		e.High = max(e.High, value+tailScale(sorted, q)*math.Log((1-q)/(1-high)))
	}
	return e
}

const (
	// seen is how many values must lie beyond a quantile, and flightsBeyond how
	// many times as many as are in flight together: of fewer it cannot be told
	// how far they depend on each other, and the intervals of p99 then hold the
	// truth in 70 to 90 % of runs.
	seen, flightsBeyond = 2, 0.25
	// fewAbove is how many independent values must lie beyond a quantile: below
	// one where the tail can be drawn out, see tailScale.
	fewAbove = 0.2
	// fewBelow is the same for the lower tail, which nothing draws out.
	fewBelow = 1
	// wider is how many times the tail beyond a quantile is that of the quantile
	// beside it, and reliable is how many independent values beyond a quantile
	// make it unnecessary to look beside.
	wider, reliable = 5, 6
)

// clustering is how many requests beyond the quantile count as one, since they
// come in bursts.
//
// Bursts that reach a p99 are few in one run, and which of them it had decides
// both the quantile and what the run tells about bursts: a run with none puts
// its p99 too low and takes the values beyond for independent ones. Of a less
// extreme quantile more is known. So the figure is drawn to that of a tail five
// times as wide, the more the fewer independent values lie beyond the quantile
// itself.
func (s *Series) clustering(q float64) float64 {
	own, tail := s.inflation(q), min(q, 1-q)
	inner := min(wider*tail, 0.5)
	if q > 0.5 {
		inner = 1 - inner
	}
	ratio := s.inflation(inner) / own
	if ratio <= 1 {
		return own
	}
	beyond := float64(len(s.values)) * tail / own
	return own * math.Pow(ratio, min(1, reliable/beyond))
}

// inflation is that of "is this value below the quantile".
func (s *Series) inflation(q float64) float64 {
	if known, ok := s.beside[q]; ok {
		return known
	}
	at := Percentile(s.Sorted(), 100*q)
	below := make([]float64, len(s.values))
	for i, v := range s.values {
		switch {
		case v < at:
			below[i] = 1
		case v == at:
			below[i] = 0.5
		}
	}
	s.beside[q] = slow(below).inflation()
	return s.beside[q]
}

// proportions are those between which q lies with 95 % confidence when it was
// seen among n independent values: Jeffreys' interval (Brown, Cai and DasGupta,
// Statistical Science 16(2), 2001). Clopper and Pearson's, which is never below
// 95 %, is far above it where less than ten values lie beyond the quantile.
func proportions(q, n float64) (low, high float64) {
	const tail = (1 - Confidence) / 2
	b := distuv.Beta{Alpha: q*n + 0.5, Beta: (1-q)*n + 0.5}
	return b.Quantile(tail), b.Quantile(1 - tail)
}

// tailScale is the mean distance of values from the quantile with twice the tail
// beyond it: the scale of an exponential tail. It draws out the upper bound where
// fewer than one independent value lies beyond it, so that the greatest value of
// the run says nothing about how far the tail goes.
func tailScale(sorted []float64, q float64) float64 {
	from := int(max(0.5, 1-2*(1-q)) * float64(len(sorted)))
	beyond := sorted[from:]
	sum := 0.0
	for _, v := range beyond {
		sum += v - beyond[0]
	}
	return sum / float64(len(beyond))
}

// Percentile is that of a sorted sample, at least one value, by linear
// interpolation at the index p/100·(n−1), p from 0 to 100. Its two branches are
// NumPy's, so that the last bit agrees with it; a value may be infinite. It is
// the one definition of a percentile in the program.
func Percentile(sorted []float64, p float64) float64 {
	return PercentileOf(len(sorted), p, func(rank int) float64 { return sorted[rank] })
}

// PercentileOf is [Percentile] of n values of which it asks for at most two, by their
// ranks from 0.
func PercentileOf(n int, p float64, ranked func(rank int) float64) float64 {
	at := p / 100 * float64(n-1)
	i := int(at)
	if i+1 >= n {
		return ranked(n - 1)
	}
	a, b, t := ranked(i), ranked(i+1), at-math.Floor(at)
	if a == b || t == 0 {
		return a
	}
	if math.IsInf(b, 1) {
		return b // the branch from above would subtract it from itself
	}
	if t >= 0.5 {
		return b - (b-a)*(1-t)
	}
	return a + (b-a)*t
}
