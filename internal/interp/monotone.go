package interp

import "math"

// NewMonotone is a cubic curve that rises and falls only where its points do: between
// two of them it never leaves the range of their values, so that what was measured
// above zero stays there. Its slopes are harmonic means (F. N. Fritsch and
// J. Butland 1984), as in SciPy's PchipInterpolator. It takes what [NewSpline] takes.
//
// The not-a-knot spline is closer to a smooth curve, and swings beyond its points
// where they bend.
func NewMonotone(x, y []float64) (Spline, error) {
	s, err := NewSpline(x, y)
	if err != nil || len(s.x) == 2 {
		return s, err
	}
	n := len(s.x)
	h, rise := make([]float64, n-1), make([]float64, n-1)
	for i := range h {
		h[i] = s.x[i+1] - s.x[i]
		rise[i] = (s.y[i+1] - s.y[i]) / h[i]
	}
	for i := 1; i < n-1; i++ {
		s.slope[i] = 0
		if rise[i-1]*rise[i] > 0 {
			a, b := 2*h[i]+h[i-1], h[i]+2*h[i-1]
			s.slope[i] = (a + b) / (a/rise[i-1] + b/rise[i])
		}
	}
	s.slope[0] = endSlope(h[0], h[1], rise[0], rise[1])
	s.slope[n-1] = endSlope(h[n-2], h[n-3], rise[n-2], rise[n-3])
	return s, nil
}

// endSlope is that of the parabola through the three outermost points, as far as the
// curve then still keeps their direction (C. Moler, Numerical Computing with MATLAB,
// section 3.6).
func endSlope(h, next, rise, riseNext float64) float64 {
	d := ((2*h+next)*rise - h*riseNext) / (h + next)
	switch {
	case d*rise <= 0:
		return 0
	case rise*riseNext <= 0 && math.Abs(d) > 3*math.Abs(rise):
		return 3 * rise
	}
	return d
}
