package series

import (
	"math"
	"slices"
	"sort"
)

// Series is the values of one figure, one a request, in order of request
// start. A request that failed has the value +Inf where it counts as
// infinitely slow. A Series is not safe for use by several goroutines.
type Series struct {
	values   []float64
	together float64
	sorted   []float64
	moves    *bool               // whether it drifts, once that is known
	beside   map[float64]float64 // inflation of quantiles
}

// New makes a Series of values, which it keeps and does not change. Together is
// how many requests were in flight at once on average; 1 where they were sent
// one after the other. Requests that were in flight together met in the same
// few batches, so that a sequence says little that is shorter than several
// times as many.
func New(values []float64, together float64) *Series {
	return &Series{values: values, together: together, beside: map[float64]float64{}}
}

// flights is how many times as many requests as are in flight together a
// sequence must have.
const flights = 5

// short reports whether n values are too few for any interval.
func short(n int, together float64) bool {
	return n < least || float64(n) < flights*together
}

// Sorted is the values in ascending order; not to be changed.
func (s *Series) Sorted() []float64 {
	if s.sorted == nil {
		s.sorted = slices.Clone(s.values)
		slices.Sort(s.sorted)
	}
	return s.sorted
}

// Why says why no figure of the Series has an interval; empty where nothing
// stands against it.
func (s *Series) Why() Reason {
	switch {
	case short(len(s.values), s.together):
		return TooShort
	case s.drifts():
		return NotStationary
	}
	return ""
}

// grades is how many steps values are ranked in.
const grades = 32

// drifts looks at ranks and not at values. One stalled request has the weight
// of a thousand others in a mean, and hides a rise; in a tail alone a rise is
// seen as a single burst at the end. Ranks also take infinite values.
func (s *Series) drifts() bool {
	if s.moves != nil {
		return *s.moves
	}
	sorted := s.Sorted()
	steps := make([]float64, grades-1)
	for i := range steps {
		steps[i] = sorted[(i+1)*len(sorted)/grades]
	}
	ranks := make([]float64, len(s.values))
	for i, v := range s.values {
		ranks[i] = float64(sort.SearchFloat64s(steps, v))
	}
	moves := slow(ranks).drifts()
	s.moves = &moves
	return moves
}

// Mean estimates the stationary mean.
func (s *Series) Mean() Estimate {
	m := math.NaN()
	if len(s.values) > 0 {
		m = mean(s.values)
	}
	if math.IsInf(m, 0) {
		return without(m, Infinite)
	}
	if why := s.Why(); why != "" {
		return without(m, why)
	}
	sp := slow(s.values)
	half := sp.margin()
	return Estimate{Value: m, Low: m - half, High: m + half, Effective: sp.effective()}
}

// Stationary reports whether the values neither rise nor fall as a whole; false
// where there are too few to tell.
func (s *Series) Stationary() bool { return s.Why() == "" }
