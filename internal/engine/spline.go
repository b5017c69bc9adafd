package engine

// spline is the cubic spline through points with the not-a-knot condition: the
// third derivative does not jump at the second and the last but one. It is
// what SciPy's interp1d(kind="cubic") gives.
type spline struct{ x, y, slope []float64 }

// newSpline needs at least 4 points with strictly increasing x. The slopes at
// the points follow from a system of equations with three diagonals (C. de
// Boor, A Practical Guide to Splines, chapter IV).
func newSpline(x, y []float64) spline {
	n := len(x)
	h, rise := make([]float64, n-1), make([]float64, n-1)
	for i := range h {
		h[i] = x[i+1] - x[i]
		rise[i] = (y[i+1] - y[i]) / h[i]
	}
	below, diagonal, above, right := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
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
	return spline{x, y, slope}
}

// at is the spline's value; outside the points the outermost pieces go on.
func (s spline) at(x float64) float64 {
	i := piece(s.x, x)
	h := s.x[i+1] - s.x[i]
	t := (x - s.x[i]) / h
	u := 1 - t
	return u*u*(1+2*t)*s.y[i] + t*t*(1+2*u)*s.y[i+1] + h*t*u*(u*s.slope[i]-t*s.slope[i+1])
}

// piece is i such that x[i] ≤ v < x[i+1], or the first or the last piece for a
// v outside.
func piece(x []float64, v float64) int {
	low, high := 0, len(x)-1
	for high-low > 1 {
		if mid := (low + high) / 2; x[mid] <= v {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// linspace is n numbers from a to b at equal distances.
func linspace(a, b float64, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = a + (b-a)*float64(i)/float64(n-1)
	}
	x[n-1] = b
	return x
}
