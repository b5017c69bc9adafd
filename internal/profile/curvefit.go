package profile

import "slices"

// Quadratic is a·x² + b·x + c fitted by least squares, and how much of the
// values' variance it explains: R2 is 1 where nothing is left.
type Quadratic struct{ A, B, C, R2 float64 }

// At is the parabola's value.
func (q Quadratic) At(x float64) float64 { return (q.A*x+q.B)*x + q.C }

// FitQuadratic fits a parabola; false below 3 points at different places.
func FitQuadratic(x, y []float64) (Quadratic, bool) {
	n := len(x)
	if n < 3 {
		return Quadratic{}, false
	}
	// Shifted and scaled to −1…1 the equations keep their digits: ISL⁴ has 20.
	lo, hi := slices.Min(x), slices.Max(x)
	mid, half := (lo+hi)/2, (hi-lo)/2
	if !(half > 0) {
		return Quadratic{}, false
	}
	var s [5]float64
	var t [3]float64
	mean := 0.0
	for i := range x {
		u := (x[i] - mid) / half
		power := 1.0
		for k := range s {
			s[k] += power
			if k < 3 {
				t[k] += power * y[i]
			}
			power *= u
		}
		mean += y[i] / float64(n)
	}
	c, ok := solve3([3][4]float64{{s[0], s[1], s[2], t[0]}, {s[1], s[2], s[3], t[1]}, {s[2], s[3], s[4], t[2]}})
	if !ok {
		return Quadratic{}, false
	}
	q := Quadratic{A: c[2] / (half * half)}
	q.B = c[1]/half - 2*q.A*mid
	q.C = c[0] - c[1]*mid/half + q.A*mid*mid
	var left, all float64
	for i := range x {
		left += (y[i] - q.At(x[i])) * (y[i] - q.At(x[i]))
		all += (y[i] - mean) * (y[i] - mean)
	}
	if q.R2 = 1; all > 0 {
		q.R2 = 1 - left/all
	}
	return q, true
}

// solve3 solves three linear equations by elimination with pivots.
func solve3(m [3][4]float64) (x [3]float64, ok bool) {
	for k := range 3 {
		p := k
		for i := k + 1; i < 3; i++ {
			if abs(m[i][k]) > abs(m[p][k]) {
				p = i
			}
		}
		if m[k], m[p] = m[p], m[k]; abs(m[k][k]) < 1e-9 {
			return x, false
		}
		for i := k + 1; i < 3; i++ {
			f := m[i][k] / m[k][k]
			for j := k; j < 4; j++ {
				m[i][j] -= f * m[k][j]
			}
		}
	}
	for k := 2; k >= 0; k-- {
		x[k] = m[k][3]
		for j := k + 1; j < 3; j++ {
			x[k] -= m[k][j] * x[j]
		}
		x[k] /= m[k][k]
	}
	return x, true
}

func abs(v float64) float64 { return max(v, -v) }
