package series

import "math"

// Sum adds with Neumaier's compensation (Zeitschrift für Angewandte Mathematik und
// Mechanik 54, 1974); the zero value is 0.
type Sum struct{ sum, lost float64 }

// Add adds a value.
func (s *Sum) Add(v float64) {
	t := s.sum + v
	if math.Abs(s.sum) >= math.Abs(v) {
		s.lost += (s.sum - t) + v
	} else {
		s.lost += (v - t) + s.sum
	}
	s.sum = t
}

// Value is the sum; infinite where a value was.
func (s *Sum) Value() float64 {
	if math.IsInf(s.sum, 0) {
		return s.sum
	}
	return s.sum + s.lost
}
