package interp

import (
	"fmt"
	"math"
	"slices"
)

// Surface is a smooth surface through scattered points: over each triangle of
// their Delaunay triangulation a cubic Clough–Tocher element, joined without a
// crease. It is that of SciPy's griddata(method="cubic"): gradients that
// minimise the curvature along the edges (G. M. Nielson 1983), elements as
// Bézier nets of three sub-triangles that are invariant under affine maps
// (P. Alfeld 1984, G. Farin 1986).
//
// The values are SciPy's where the points have one Delaunay triangulation only. Four
// on a circle, as in every cell of a regular grid, can be divided in two ways, and
// which of them Qhull takes follows from the order in which it came to the points;
// see [Surface.Divided].
type Surface struct {
	points   []Point
	values   []float64
	elements []element
	other    *Surface
}

// element is the surface over one triangle: the control values of its three
// sub-triangles, which meet in its centre. See evaluate for their places.
type element struct {
	corner [3]int
	// Along the edges: edge[i][j] is next to corner i on the way to j, and
	// edge[i][i] the corner itself.
	edge [3][3]float64
	// Inside: spoke[i] is next to corner i on the way to the centre, cross[k]
	// the middle of the sub-triangle opposite to corner k, inner[i] next to
	// the centre on the way to corner i.
	spoke, cross, inner [3]float64
	centre              float64
}

// NewSurface needs at least 3 points that are not on one line, each with a
// value. The error names a point or value that is not finite, and two points
// at one place. The axes are taken as they are (SciPy's rescale=False): with
// axes of very different size the triangles are long and thin, and so are
// SciPy's.
func NewSurface(points []Point, values []float64) (*Surface, error) {
	if len(points) != len(values) {
		return nil, fmt.Errorf("%d points and %d values: must be as many", len(points), len(values))
	}
	for i, p := range points {
		if v := p.X + p.Y + values[i]; math.IsNaN(v - v) {
			return nil, fmt.Errorf("point %d at (%v, %v) with value %v: must be finite", i, p.X, p.Y, values[i])
		}
	}
	t, err := triangulate(points)
	if err != nil {
		return nil, err
	}
	s := surfaceOver(t, values)
	if t.divideOtherwise() {
		s.other = surfaceOver(t, values)
	}
	return s, nil
}

func surfaceOver(t *triangulation, values []float64) *Surface {
	s := &Surface{points: t.points, values: values}
	slopes := s.gradients(t)
	for _, corner := range t.triangles() {
		s.elements = append(s.elements, s.newElement(t, corner, slopes))
	}
	return s
}

// Divided is the surface over the same points with every four that lie on a circle
// divided the other way; nil where there are none. The difference shows how much
// hangs on a choice that nobody made.
func (s *Surface) Divided() *Surface { return s.other }

// gradients estimates the gradient at each point. Each in turn is set to what
// minimises the integral of the squared second derivative along its edges,
// given its neighbours', until nothing changes by more than a millionth.
func (s *Surface) gradients(t *triangulation) []Point {
	neighbours := make([][]int, len(s.points))
	for e := range t.apex {
		neighbours[e[0]] = append(neighbours[e[0]], e[1])
		if _, both := t.apex[[2]int{e[1], e[0]}]; !both {
			neighbours[e[1]] = append(neighbours[e[1]], e[0])
		}
	}
	for _, of := range neighbours {
		slices.Sort(of) // sums depend on the order
	}
	g := make([]Point, len(s.points))
	for range 400 {
		worst := 0.0
		for i := range g {
			next := s.gradient(i, neighbours[i], g)
			change := max(math.Abs(next.X-g[i].X), math.Abs(next.Y-g[i].Y))
			worst = max(worst, change/max(1, math.Abs(next.X), math.Abs(next.Y)))
			g[i] = next
		}
		if worst < 1e-6 {
			break
		}
	}
	return g
}

// gradient solves the two equations of one point.
func (s *Surface) gradient(i int, neighbours []int, g []Point) Point {
	var xx, xy, yy, bx, by float64
	for _, k := range neighbours {
		ex, ey := s.points[k].X-s.points[i].X, s.points[k].Y-s.points[i].Y
		cube := math.Pow(math.Hypot(ex, ey), 3)
		xx += 4 * ex * ex / cube
		xy += 4 * ex * ey / cube
		yy += 4 * ey * ey / cube
		pull := (6*(s.values[k]-s.values[i]) - 2*(ex*g[k].X+ey*g[k].Y)) / cube
		bx += pull * ex
		by += pull * ey
	}
	det := xx*yy - xy*xy
	return Point{(yy*bx - xy*by) / det, (xx*by - xy*bx) / det}
}

func (s *Surface) newElement(t *triangulation, corner [3]int, slopes []Point) element {
	e := element{corner: corner}
	for i := range 3 {
		p, v, g := s.points[corner[i]], s.values[corner[i]], slopes[corner[i]]
		for j := range 3 {
			q := s.points[corner[j]]
			e.edge[i][j] = v + (g.X*(q.X-p.X)+g.Y*(q.Y-p.Y))/3
		}
		e.spoke[i] = (e.edge[i][0] + e.edge[i][1] + e.edge[i][2]) / 3
	}
	for k := range 3 {
		i, j := (k+1)%3, (k+2)%3
		// The cross-boundary derivative is linear along the edge from i to j,
		// in a direction that both triangles agree on.
		third := -e.edge[i][i] + 3*e.edge[i][j] - 3*e.edge[j][i] + e.edge[j][j]
		second := -e.edge[i][i] + 2*e.edge[i][j] - e.edge[j][i]
		e.cross[k] = (s.direction(t, corner, k)*third + second + e.spoke[i] + e.spoke[j]) / 2
	}
	for i := range 3 {
		e.inner[i] = (e.cross[(i+1)%3] + e.cross[(i+2)%3] + e.spoke[i]) / 3
	}
	e.centre = (e.inner[0] + e.inner[1] + e.inner[2]) / 3
	return e
}

// direction says where the line between the centres of this triangle and the
// one beyond the edge opposite to corner k runs: as a multiple g in (centre −
// i) + g·(j − i). On the hull it is the middle.
func (s *Surface) direction(t *triangulation, corner [3]int, k int) float64 {
	i, j := corner[(k+1)%3], corner[(k+2)%3]
	far, ok := t.apex[[2]int{j, i}]
	if !ok {
		return -0.5
	}
	p, q, r := s.points[i], s.points[j], s.points[far]
	b := s.barycentric(corner, Point{(p.X + q.X + r.X) / 3, (p.Y + q.Y + r.Y) / 3})
	bi, bj := b[(k+1)%3], b[(k+2)%3]
	return (2*bj + bi - 1) / (2 - 3*bj - 3*bi)
}

// barycentric is a point's weights of the three corners.
func (s *Surface) barycentric(corner [3]int, at Point) [3]float64 {
	p, q, r := s.points[corner[0]], s.points[corner[1]], s.points[corner[2]]
	det := (q.X-p.X)*(r.Y-p.Y) - (q.Y-p.Y)*(r.X-p.X)
	b1 := ((at.X-p.X)*(r.Y-p.Y) - (at.Y-p.Y)*(r.X-p.X)) / det
	b2 := ((q.X-p.X)*(at.Y-p.Y) - (q.Y-p.Y)*(at.X-p.X)) / det
	return [3]float64{1 - b1 - b2, b1, b2}
}

// At is the surface's value, and false outside the hull of the points.
func (s *Surface) At(p Point) (float64, bool) {
	e, b := s.locate(p)
	if e == nil {
		return 0, false
	}
	return e.evaluate(b), true
}

// Linear is the value of the plane through the corners of the triangle that p lies
// in, and false outside the hull: with kinks at the edges, and never beyond what was
// given at the corners, where a cubic surface swings over.
func (s *Surface) Linear(p Point) (float64, bool) {
	e, b := s.locate(p)
	if e == nil {
		return 0, false
	}
	v := 0.0
	for i, k := range e.corner {
		v += max(b[i], 0) * s.values[k]
	}
	return v / (max(b[0], 0) + max(b[1], 0) + max(b[2], 0)), true
}

// locate finds the triangle around p, nil outside the hull.
func (s *Surface) locate(p Point) (*element, [3]float64) {
	const edge = -100 * 0x1p-52
	for i := range s.elements {
		b := s.barycentric(s.elements[i].corner, p)
		if b[0] >= edge && b[1] >= edge && b[2] >= edge {
			return &s.elements[i], b
		}
	}
	return nil, [3]float64{}
}

// evaluate sums the Bernstein polynomials of the sub-triangle that the point
// is in: with c its share of the centre and r those of the corners, of which
// one is 0.
func (e *element) evaluate(b [3]float64) float64 {
	least := min(b[0], b[1], b[2])
	c := 3 * least
	sum := c * c * c * e.centre
	for i := range 3 {
		r := b[i] - least
		sum += r*r*r*e.edge[i][i] + 3*r*r*c*e.spoke[i] + 3*r*c*c*e.inner[i]
		for j := range 3 {
			if j != i {
				sum += 3 * r * r * (b[j] - least) * e.edge[i][j]
			}
		}
		sum += 6 * (b[(i+1)%3] - least) * (b[(i+2)%3] - least) * c * e.cross[i]
	}
	return sum
}

// Nearest is the value of the point that is closest, the first among equals.
func (s *Surface) Nearest(p Point) float64 {
	best, value := math.Inf(1), 0.0
	for i, q := range s.points {
		if d := math.Hypot(p.X-q.X, p.Y-q.Y); d < best {
			best, value = d, s.values[i]
		}
	}
	return value
}

// Value is the surface's value, and outside the hull that of the nearest point.
func (s *Surface) Value(p Point) float64 {
	if v, ok := s.At(p); ok {
		return v
	}
	return s.Nearest(p)
}

// Grid is the Value at every x and y, that of x[i] and y[j] at i·len(y) + j.
func (s *Surface) Grid(x, y []float64) []float64 {
	out := make([]float64, 0, len(x)*len(y))
	for _, a := range x {
		for _, b := range y {
			out = append(out, s.Value(Point{a, b}))
		}
	}
	return out
}

// LeaveOneOut predicts each point from all others, in the order in which they
// were given; read is (*Surface).At or (*Surface).Linear. Where the others lie on
// one line, or do not surround the point, the prediction is that of the nearest
// and not Inside.
func (s *Surface) LeaveOneOut(read func(*Surface, Point) (float64, bool)) []Residual {
	out := make([]Residual, len(s.points))
	for i, p := range s.points {
		points, values := slices.Delete(slices.Clone(s.points), i, i+1), slices.Delete(slices.Clone(s.values), i, i+1)
		out[i].Measured = s.values[i]
		if others, err := NewSurface(points, values); err == nil {
			out[i].Predicted, out[i].Inside = read(others, p)
		}
		if !out[i].Inside {
			out[i].Predicted = (&Surface{points: points, values: values}).Nearest(p)
		}
	}
	return out
}
