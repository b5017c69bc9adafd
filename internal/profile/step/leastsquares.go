package step

import "math"

// nonNegative are the coefficients, 0 or more, of the columns of x that come nearest
// to y, by the sum of the squares of relative errors. There are few columns, so that
// every choice of those above 0 is tried. y is above 0.
func nonNegative(x [][]float64, y []float64) []float64 {
	columns := len(x[0])
	best, least := make([]float64, columns), math.Inf(1)
	for chosen := 1; chosen < 1<<columns; chosen++ {
		c, ok := solve(x, y, chosen)
		if !ok {
			continue
		}
		// A column more must be worth more than rounding.
		if off := misfit(x, y, c); off < least*(1-1e-9) {
			best, least = c, off
		}
	}
	return best
}

// misfit is the sum of the squares of relative errors.
func misfit(x [][]float64, y, c []float64) float64 {
	sum := 0.0
	for i, row := range x {
		off := dot(row, c)/y[i] - 1
		sum += off * off
	}
	return sum
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}

// solve fits the chosen columns, a bit each; false where they cannot be told apart or
// one of them comes out below 0.
func solve(x [][]float64, y []float64, chosen int) ([]float64, bool) {
	var used []int
	for k := range x[0] {
		if chosen>>k&1 == 1 {
			used = append(used, k)
		}
	}
	if len(used) > len(x) {
		return nil, false
	}
	// Scaled to its largest value each column keeps its digits: pairs are of the
	// order of a thousand million.
	scale := make([]float64, len(used))
	for _, row := range x {
		for j, k := range used {
			scale[j] = max(scale[j], row[k])
		}
	}
	m := normal(x, y, used, scale)
	if m == nil || !eliminate(m) {
		return nil, false
	}
	c := make([]float64, len(x[0]))
	for j, k := range used {
		if c[k] = m[j][len(used)] / scale[j]; c[k] < 0 {
			return nil, false
		}
	}
	return c, true
}

// normal are the equations of the fit, their right side last; nil where a column is 0.
func normal(x [][]float64, y []float64, used []int, scale []float64) [][]float64 {
	m := make([][]float64, len(used))
	for i := range m {
		if m[i] = make([]float64, len(used)+1); scale[i] == 0 {
			return nil
		}
		for r, row := range x {
			a := row[used[i]] / scale[i] / y[r]
			for j, k := range used {
				m[i][j] += a * row[k] / scale[j] / y[r]
			}
			m[i][len(used)] += a
		}
	}
	return m
}

// eliminate solves equations in place, by rows with pivots; false where they have no
// single solution.
func eliminate(m [][]float64) bool {
	for k := range m {
		p := k
		for i := k + 1; i < len(m); i++ {
			if math.Abs(m[i][k]) > math.Abs(m[p][k]) {
				p = i
			}
		}
		largest := math.Abs(m[p][k])
		if m[k], m[p] = m[p], m[k]; !(largest > 1e-12*float64(len(m))) {
			return false
		}
		for i := range m {
			if i == k {
				continue
			}
			f := m[i][k] / m[k][k]
			for j := k; j < len(m[i]); j++ {
				m[i][j] -= f * m[k][j]
			}
		}
	}
	for k := range m {
		m[k][len(m)] /= m[k][k]
	}
	return true
}
