package interp

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// Spline is the cubic spline through points with the not-a-knot condition: the
// third derivative does not jump at the second point and the last but one. It
// is what SciPy's interp1d(kind="cubic") gives from 4 points on. Through 3
// points it is a parabola and through 2 a line, as SciPy's CubicSpline.
type Spline struct{ x, y, slope []float64 }

// NewSpline takes at least 2 points, in any order. The error names an x or y
// that is not finite, and an x that occurs twice.
func NewSpline(x, y []float64) (Spline, error) {
	if len(x) != len(y) || len(x) < 2 {
		return Spline{}, fmt.Errorf("%d places and %d values: a curve takes at least 2 of each", len(x), len(y))
	}
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(x[a], x[b]) })
	s := Spline{x: make([]float64, len(x)), y: make([]float64, len(x))}
	for i, k := range order {
		s.x[i], s.y[i] = x[k], y[k]
		if math.IsNaN(x[k]-x[k]) || math.IsNaN(y[k]-y[k]) {
			return Spline{}, fmt.Errorf("point %d at (%v, %v): must be finite", k, x[k], y[k])
		}
		if i > 0 && s.x[i] == s.x[i-1] {
			return Spline{}, fmt.Errorf("two of %d points lie at %v", len(x), x[k])
		}
	}
	switch len(x) {
	case 2:
		rise := (s.y[1] - s.y[0]) / (s.x[1] - s.x[0])
		s.slope = []float64{rise, rise}
	case 3:
		s.slope = parabola(s.x, s.y)
	default:
		s.slope = notAKnot(s.x, s.y)
	}
	return s, nil
}

// parabola is the slopes at 3 points of the parabola through them.
func parabola(x, y []float64) []float64 {
	h, k := x[1]-x[0], x[2]-x[1]
	a, b := (y[1]-y[0])/h, (y[2]-y[1])/k
	bend := (b - a) / (h + k)
	return []float64{a - bend*h, a + bend*h, b + bend*k}
}

// notAKnot is the slopes at 4 points or more. They follow from a system of
// equations with three diagonals (C. de Boor, A Practical Guide to Splines,
// chapter IV).
func notAKnot(x, y []float64) []float64 {
	n := len(x)
	h, rise := make([]float64, n-1), make([]float64, n-1)
	for i := range h {
		h[i] = x[i+1] - x[i]
		rise[i] = (y[i+1] - y[i]) / h[i]
	}
	below := make([]float64, n)
	diagonal := make([]float64, n)
	above := make([]float64, n)
	right := make([]float64, n)
	for i := 1; i < n-1; i++ {
		below[i], diagonal[i], above[i] = h[i], 2*(h[i-1]+h[i]), h[i-1]
		right[i] = 3 * (h[i]*rise[i-1] + h[i-1]*rise[i])
	}
	d := h[0] + h[1]
	diagonal[0], above[0] = h[1], d
	right[0] = ((h[0]+2*d)*h[1]*rise[0] + h[0]*h[0]*rise[1]) / d
	d = h[n-2] + h[n-3]
	diagonal[n-1], below[n-1] = h[n-3], d
	right[n-1] = (h[n-2]*h[n-2]*rise[n-3] + (2*d+h[n-2])*h[n-3]*rise[n-2]) / d
	for i := 1; i < n; i++ {
		w := below[i] / diagonal[i-1]
		diagonal[i] -= w * above[i-1]
		right[i] -= w * right[i-1]
	}
	slope := right
	slope[n-1] /= diagonal[n-1]
	for i := n - 2; i >= 0; i-- {
		slope[i] = (right[i] - above[i]*slope[i+1]) / diagonal[i]
	}
	return slope
}

// At is the spline's value; outside the points the outermost pieces go on.
func (s Spline) At(x float64) float64 {
	i := Interval(s.x, x)
	h := s.x[i+1] - s.x[i]
	t := (x - s.x[i]) / h
	u := 1 - t
	return u*u*(1+2*t)*s.y[i] + t*t*(1+2*u)*s.y[i+1] + h*t*u*(u*s.slope[i]-t*s.slope[i+1])
}

// Range is the least and the greatest x of the points.
func (s Spline) Range() (lo, hi float64) { return s.x[0], s.x[len(s.x)-1] }

// Places is the x of every point, rising.
func (s Spline) Places() []float64 { return slices.Clone(s.x) }

// Clamped is the spline's value at x, or at the nearest end for an x outside,
// as the planner reads it.
func (s Spline) Clamped(x float64) float64 {
	lo, hi := s.Range()
	return s.At(min(max(x, lo), hi))
}

// Residual is what an interpolation is worth at one of its points.
type Residual struct {
	// Measured is the value there, Predicted that of the curve or surface
	// through all other points.
	Measured, Predicted float64
	// Inside says that the others surround the point. A prediction from one
	// side only is an extrapolation and says nothing of interpolated values.
	Inside bool
}

// Off is Predicted less Measured.
func (r Residual) Off() float64 { return r.Predicted - r.Measured }

// LeaveOneOut predicts each point of a curve from all others, in the order of
// x; curve is [NewSpline] or [NewMonotone]. It takes at least 3 points. The first and
// the last are not Inside.
func LeaveOneOut(x, y []float64, curve func(x, y []float64) (Spline, error)) ([]Residual, error) {
	all, err := curve(x, y)
	if err != nil {
		return nil, err
	}
	n := len(x)
	if n < 3 {
		return nil, fmt.Errorf("%d points: leaving one out takes at least 3", n)
	}
	out := make([]Residual, n)
	for i := range out {
		s, err := curve(slices.Delete(slices.Clone(all.x), i, i+1), slices.Delete(slices.Clone(all.y), i, i+1))
		if err != nil {
			return nil, err
		}
		out[i] = Residual{Measured: all.y[i], Predicted: s.At(all.x[i]), Inside: i > 0 && i < n-1}
	}
	return out, nil
}
