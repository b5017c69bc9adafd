package series

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Series is the values of one figure, one a request, in order of request
// start. A request that failed has the value +Inf where it counts as
// infinitely slow.
type Series struct {
	values   []float64
	together float64
	sorted   []float64
}

// New makes a Series of values, which it keeps and does not change. Together is
// how many requests were in flight at once on average; 1 where they were sent
// one after the other. A sequence shorter than ten times that has no interval,
// since its requests met in the same few batches.
func New(values []float64, together float64) *Series {
	return &Series{values: values, together: together}
}

// short reports whether n values are too few for any interval.
func short(n int, together float64) bool {
	return n < least || float64(n) < flights*together
}

// Mean estimates the stationary mean.
func (s *Series) Mean() Estimate {
	m := mean(s.values)
	switch {
	case len(s.values) == 0:
		return without(math.NaN(), TooShort)
	case math.IsInf(m, 0):
		return without(m, Infinite)
	case short(len(s.values), s.together):
		return without(m, TooShort)
	}
	sp, squares := slow(s.values, m)
	if drifts(squares) {
		return without(m, NotStationary)
	}
	half := sp.margin()
	return Estimate{Value: m, Low: m - half, High: m + half, Effective: sp.effective()}
}

// Quantile estimates the stationary quantile q, above 0 and below 1. The
// interval reaches from one of the values to another: the ranks between which
// a proportion of q lies with 95 % confidence for as many independent values as
// the sequence is worth (Korn and Graubard, Survey Methodology 24, 1998, for
// proportions from clusters; Woodruff, JASA 47, 1952, for the step from
// proportions to quantiles). How many that is, say the slow movements of
// "is this value below the quantile".
func (s *Series) Quantile(q float64) Estimate {
	n := len(s.values)
	if n == 0 {
		return without(math.NaN(), TooShort)
	}
	if s.sorted == nil {
		s.sorted = slices.Clone(s.values)
		slices.Sort(s.sorted)
	}
	value := interpolated(s.sorted, q)
	if short(n, s.together) {
		return without(value, TooShort)
	}
	below := make([]float64, n)
	for i, v := range s.values {
		switch {
		case v < value:
			below[i] = 1
		case v == value:
			below[i] = 0.5
		}
	}
	sp, squares := slow(below, mean(below))
	if drifts(squares) {
		return without(value, NotStationary)
	}
	worth := sp.effective()
	low, high, ok := ranks(q, worth*square(student(math.MaxInt32)/student(sp.freedom)))
	if !ok {
		return without(value, FewInTail)
	}
	e := Estimate{Value: value, Low: s.sorted[int(low*float64(n))], High: s.sorted[min(n-1, int(math.Ceil(high*float64(n))))], Effective: worth}
	if math.IsInf(e.High, 0) {
		return without(value, Infinite)
	}
	return e
}

// ranks are the proportions between which q lies with 95 % confidence when it
// was seen among n independent values (Clopper and Pearson); false where the
// tail has too few of them.
func ranks(q, n float64) (low, high float64, ok bool) {
	const tail = (1 - Confidence) / 2
	x := q * n
	if x < 1 || n-x < 1 {
		return 0, 0, false
	}
	low = distuv.Beta{Alpha: x, Beta: n - x + 1}.Quantile(tail)
	high = distuv.Beta{Alpha: x + 1, Beta: n - x}.Quantile(1 - tail)
	return low, high, true
}

// Ratio estimates Σnumerators/Σdenominators of two sequences that belong
// together, in order of time: tokens and seconds of each piece of a run for a
// throughput, a figure of the same requests under two arms for a gain. It is
// the mean of (a − ratio·b)/mean(b), the first term of its Taylor series.
func Ratio(numerators, denominators []float64, together float64) Estimate {
	over, under := mean(numerators), mean(denominators)
	ratio := over / under
	switch {
	case len(numerators) == 0 || under == 0:
		return without(math.NaN(), TooShort)
	case math.IsInf(over, 0) || math.IsInf(under, 0):
		return without(ratio, Infinite)
	}
	rest := make([]float64, len(numerators))
	for i, a := range numerators {
		rest[i] = (a - ratio*denominators[i]) / under
	}
	e := New(rest, together).Mean()
	e.Value, e.Low, e.High = ratio, ratio+e.Low, ratio+e.High
	return e
}

// Runs estimates a figure from its values in runs that are independent of each
// other, as repeats with seeds of their own are: Student's t.
func Runs(values []float64) Estimate {
	m := mean(values)
	if len(values) < 2 {
		return without(m, TooShort)
	}
	squares := 0.0
	for _, v := range values {
		squares += square(v - m)
	}
	n := len(values)
	half := student(n-1) * math.Sqrt(squares/float64(n-1)/float64(n))
	return Estimate{Value: m, Low: m - half, High: m + half, Effective: float64(n)}
}

func square(v float64) float64 { return v * v }

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// interpolated is a quantile by linear interpolation at the index q·(n−1).
func interpolated(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	a, b, t := sorted[i], sorted[i+1], at-float64(i)
	if t == 0 || a == b {
		return a
	}
	return a + (b-a)*t
}
