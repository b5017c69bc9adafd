package interp

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
)

// Point is a place in the plane.
type Point struct{ X, Y float64 }

// triangulation is a Delaunay triangulation: no point lies inside the circle
// around another triangle.
type triangulation struct {
	points []Point
	// apex maps each directed edge to the third corner of the triangle on its
	// left. An edge of the hull has no triangle on one side.
	apex map[[2]int]int
}

var errOneLine = errors.New("all points lie on one line: a surface takes points at several places along both axes")

// triangulate sorts the points, adds them from left to right, and flips edges
// until all are legal (C. L. Lawson 1977). The decisions are exact: a profile's
// coordinates differ by five orders of magnitude, and rounded ones can go round
// in circles.
func triangulate(points []Point) (*triangulation, error) {
	order := make([]int, len(points))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		p, q := points[a], points[b]
		return cmp.Or(cmp.Compare(p.X, q.X), cmp.Compare(p.Y, q.Y))
	})
	for k := 1; k < len(order); k++ {
		if p := points[order[k]]; p == points[order[k-1]] {
			return nil, fmt.Errorf("two of %d points lie at (%v, %v)", len(points), p.X, p.Y)
		}
	}
	t := &triangulation{points: points, apex: map[[2]int]int{}}
	first := 2 // the first point that is not on a line with those before it
	for first < len(order) && t.turn(order[0], order[1], order[first]) == 0 {
		first++
	}
	if first >= len(order) {
		return nil, errOneLine
	}
	t.sweep(order, first)
	t.legalize()
	t.peel()
	if len(t.apex) == 0 {
		return nil, errOneLine
	}
	return t, nil
}

// sweep adds the points in order, each with triangles to all edges of the hull
// that it sees. The hull is kept counterclockwise.
func (t *triangulation) sweep(order []int, first int) {
	hull := slices.Clone(order[:first])
	apex := order[first]
	if t.turn(hull[0], hull[1], apex) < 0 {
		slices.Reverse(hull)
	}
	for k := 1; k < len(hull); k++ {
		t.add(hull[k-1], hull[k], apex)
	}
	hull = append(hull, apex)
	for _, p := range order[first+1:] {
		hull = t.extend(hull, p)
	}
}

// extend connects a point outside the hull and returns the new hull. What it
// sees is one run of edges.
func (t *triangulation) extend(hull []int, p int) []int {
	n := len(hull)
	sees := func(k int) bool { return t.turn(hull[k%n], hull[(k+1)%n], p) < 0 }
	start := 0
	for !sees(start) || sees(start+n-1) {
		start++
	}
	end := start
	for sees(end) {
		t.add(hull[(end+1)%n], hull[end%n], p)
		end++
	}
	extended := []int{hull[start%n], p}
	for k := end; k%n != start%n; k++ {
		extended = append(extended, hull[k%n])
	}
	return extended
}

func (t *triangulation) add(a, b, c int) {
	t.apex[[2]int{a, b}], t.apex[[2]int{b, c}], t.apex[[2]int{c, a}] = c, a, b
}

// legalize flips the common edge of two triangles where the far corner of one
// lies within the circle of the other, until there is none.
func (t *triangulation) legalize() {
	var work [][2]int
	for e := range t.apex {
		if e[0] < e[1] {
			work = append(work, e)
		}
	}
	// Maps have no order, and among four points on a circle it would decide.
	slices.SortFunc(work, func(a, b [2]int) int { return cmp.Or(a[0]-b[0], a[1]-b[1]) })
	for len(work) > 0 {
		e := work[len(work)-1]
		work = work[:len(work)-1]
		a, b := e[0], e[1]
		c, left := t.apex[e]
		d, right := t.apex[[2]int{b, a}]
		if !left || !right || t.inCircle(a, b, c, d) <= 0 {
			continue
		}
		delete(t.apex, e)
		delete(t.apex, [2]int{b, a})
		t.add(c, a, d)
		t.add(d, b, c)
		work = append(work, [2]int{a, d}, [2]int{d, b}, [2]int{b, c}, [2]int{c, a})
	}
}

// onCircle is up to which share of its terms inCircle counts as 0: some ten times its
// rounding. Qhull, too, takes points so close to one circle for one face, and divides
// it afterwards. More would take the points of a profile for it, whose axes differ by
// five orders of magnitude.
const onCircle = 1e-14

// divideOtherwise flips the common edge of every two triangles whose corners lie on
// one circle, and says whether there were any. Triangles that were flipped already
// stay.
func (t *triangulation) divideOtherwise() bool {
	var edges [][2]int
	for e := range t.apex {
		if e[0] < e[1] {
			edges = append(edges, e)
		}
	}
	slices.SortFunc(edges, func(a, b [2]int) int { return cmp.Or(a[0]-b[0], a[1]-b[1]) })
	changed := map[[3]int]bool{}
	for _, e := range edges {
		a, b := e[0], e[1]
		c, left := t.apex[e]
		d, right := t.apex[[2]int{b, a}]
		if !left || !right || changed[corners(a, b, c)] || changed[corners(a, b, d)] || !t.nearCircle(a, b, c, d) ||
			t.turn(c, a, d) <= 0 || t.turn(d, b, c) <= 0 {
			continue
		}
		delete(t.apex, e)
		delete(t.apex, [2]int{b, a})
		t.add(c, a, d)
		t.add(d, b, c)
		changed[corners(c, a, d)], changed[corners(d, b, c)] = true, true
	}
	return len(changed) > 0
}

// corners names a triangle.
func corners(a, b, c int) [3]int {
	k := [3]int{a, b, c}
	slices.Sort(k[:])
	return k
}

// nearCircle says whether d lies on the circle through a, b and c but for rounding.
func (t *triangulation) nearCircle(a, b, c, d int) bool {
	sum, size := t.determinant(a, b, c, t.points[d])
	return math.Abs(sum) <= onCircle*size
}

// peel takes triangles without noticeable area off the hull. A profile has
// measurements that lie on one line but for rounding (one sequence at each
// context length), and the long edge past them would bend the gradients.
func (t *triangulation) peel() {
	for found := true; found; {
		found = false
		for e, c := range t.apex {
			if _, inner := t.apex[[2]int{e[1], e[0]}]; inner {
				continue
			}
			p, q, r := t.points[e[0]], t.points[e[1]], t.points[c]
			u, v := (q.X-p.X)*(r.Y-p.Y), (q.Y-p.Y)*(r.X-p.X)
			if math.Abs(u-v) <= 1e-12*(math.Abs(u)+math.Abs(v)) {
				delete(t.apex, e)
				delete(t.apex, [2]int{e[1], c})
				delete(t.apex, [2]int{c, e[0]})
				found = true
			}
		}
	}
}

// triangles lists every triangle once, counterclockwise from its least corner.
func (t *triangulation) triangles() [][3]int {
	var all [][3]int
	for e, c := range t.apex {
		if e[0] < e[1] && e[0] < c {
			all = append(all, [3]int{e[0], e[1], c})
		}
	}
	slices.SortFunc(all, func(a, b [3]int) int { return cmp.Or(a[0]-b[0], a[1]-b[1], a[2]-b[2]) })
	return all
}

// turn is the sign of the area of a, b, c: positive when they turn left.
func (t *triangulation) turn(a, b, c int) int {
	p, q, r := t.points[a], t.points[b], t.points[c]
	u, v := (q.X-p.X)*(r.Y-p.Y), (q.Y-p.Y)*(r.X-p.X)
	if d := u - v; math.Abs(d) > 1e-14*(math.Abs(u)+math.Abs(v)) {
		return cmp.Compare(d, 0)
	}
	qx := minus(q.X, p.X)
	qy := minus(q.Y, p.Y)
	rx := minus(r.X, p.X)
	ry := minus(r.Y, p.Y)
	return minusRat(times(qx, ry), times(qy, rx)).Sign()
}

// inCircle is positive when d lies inside the circle through a, b, c, which
// turn left.
func (t *triangulation) inCircle(a, b, c, d int) int {
	o := t.points[d]
	if sign, sure := t.roughly(a, b, c, o); sure {
		return sign
	}
	var x, y, square [3]*big.Rat
	for k, i := range [3]int{a, b, c} {
		x[k], y[k] = minus(t.points[i].X, o.X), minus(t.points[i].Y, o.Y)
		square[k] = new(big.Rat).Add(times(x[k], x[k]), times(y[k], y[k]))
	}
	sum := new(big.Rat)
	for k := range 3 {
		i, j := (k+1)%3, (k+2)%3
		sum.Add(sum, times(square[k], minusRat(times(x[i], y[j]), times(x[j], y[i]))))
	}
	return sum.Sign()
}

// roughly is inCircle in floating point, where its error cannot change the sign
// (J. R. Shewchuk 1997, the bound of the first of his adaptive stages).
func (t *triangulation) roughly(a, b, c int, o Point) (sign int, sure bool) {
	const bound = (10 + 96*0x1p-53) * 0x1p-53
	sum, size := t.determinant(a, b, c, o)
	return cmp.Compare(sum, 0), math.Abs(sum) > bound*size
}

// determinant is that of inCircle, and the sum of its terms without their signs.
func (t *triangulation) determinant(a, b, c int, o Point) (sum, size float64) {
	var x, y, square [3]float64
	for k, i := range [3]int{a, b, c} {
		x[k], y[k] = t.points[i].X-o.X, t.points[i].Y-o.Y
		square[k] = x[k]*x[k] + y[k]*y[k]
	}
	for k := range 3 {
		i, j := (k+1)%3, (k+2)%3
		u, v := x[i]*y[j], x[j]*y[i]
		sum += square[k] * (u - v)
		size += square[k] * (math.Abs(u) + math.Abs(v))
	}
	return sum, size
}

func minus(a, b float64) *big.Rat {
	return minusRat(new(big.Rat).SetFloat64(a), new(big.Rat).SetFloat64(b))
}

func minusRat(a, b *big.Rat) *big.Rat { return new(big.Rat).Sub(a, b) }

func times(a, b *big.Rat) *big.Rat { return new(big.Rat).Mul(a, b) }
