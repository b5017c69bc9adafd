package engine

import (
	"math"
	"slices"
)

// scattered is a smooth surface through scattered points: over each triangle
// of their Delaunay triangulation a cubic Clough–Tocher element, joined without
// a crease. It is what SciPy's griddata(method="cubic") gives: gradients that
// minimise the curvature along the edges (G. M. Nielson 1983), elements as
// Bézier nets of three sub-triangles that are invariant under affine maps
// (P. Alfeld 1984, G. Farin 1986).
type scattered struct {
	points   []point
	values   []float64
	elements []element
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

// newScattered needs at least three points that are not on one line.
func newScattered(points []point, values []float64) (*scattered, error) {
	t, err := triangulate(points)
	if err != nil {
		return nil, err
	}
	s := &scattered{points: points, values: values}
	slopes := s.gradients(t)
	for _, corner := range t.triangles() {
		s.elements = append(s.elements, s.newElement(t, corner, slopes))
	}
	return s, nil
}

// gradients estimates the gradient at each point. Each in turn is set to what
// minimises the integral of the squared second derivative along its edges,
// given its neighbours', until nothing changes by more than a millionth.
func (s *scattered) gradients(t *triangulation) []point {
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
	g := make([]point, len(s.points))
	for range 400 {
		worst := 0.0
		for i := range g {
			next := s.gradient(i, neighbours[i], g)
			change := max(math.Abs(next.x-g[i].x), math.Abs(next.y-g[i].y))
			worst = max(worst, change/max(1, math.Abs(next.x), math.Abs(next.y)))
			g[i] = next
		}
		if worst < 1e-6 {
			break
		}
	}
	return g
}

// gradient solves the two equations of one point.
func (s *scattered) gradient(i int, neighbours []int, g []point) point {
	var xx, xy, yy, bx, by float64
	for _, k := range neighbours {
		ex, ey := s.points[k].x-s.points[i].x, s.points[k].y-s.points[i].y
		cube := math.Pow(math.Hypot(ex, ey), 3)
		xx += 4 * ex * ex / cube
		xy += 4 * ex * ey / cube
		yy += 4 * ey * ey / cube
		pull := (6*(s.values[k]-s.values[i]) - 2*(ex*g[k].x+ey*g[k].y)) / cube
		bx += pull * ex
		by += pull * ey
	}
	det := xx*yy - xy*xy
	return point{(yy*bx - xy*by) / det, (xx*by - xy*bx) / det}
}

func (s *scattered) newElement(t *triangulation, corner [3]int, slopes []point) element {
	e := element{corner: corner}
	for i := range 3 {
		p, v, g := s.points[corner[i]], s.values[corner[i]], slopes[corner[i]]
		for j := range 3 {
			q := s.points[corner[j]]
			e.edge[i][j] = v + (g.x*(q.x-p.x)+g.y*(q.y-p.y))/3
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
func (s *scattered) direction(t *triangulation, corner [3]int, k int) float64 {
	i, j := corner[(k+1)%3], corner[(k+2)%3]
	far, ok := t.apex[[2]int{j, i}]
	if !ok {
		return -0.5
	}
	p, q, r := s.points[i], s.points[j], s.points[far]
	b := s.barycentric(corner, point{(p.x + q.x + r.x) / 3, (p.y + q.y + r.y) / 3})
	bi, bj := b[(k+1)%3], b[(k+2)%3]
	return (2*bj + bi - 1) / (2 - 3*bj - 3*bi)
}

// barycentric is a point's weights of the three corners.
func (s *scattered) barycentric(corner [3]int, at point) [3]float64 {
	p, q, r := s.points[corner[0]], s.points[corner[1]], s.points[corner[2]]
	det := (q.x-p.x)*(r.y-p.y) - (q.y-p.y)*(r.x-p.x)
	b1 := ((at.x-p.x)*(r.y-p.y) - (at.y-p.y)*(r.x-p.x)) / det
	b2 := ((q.x-p.x)*(at.y-p.y) - (q.y-p.y)*(at.x-p.x)) / det
	return [3]float64{1 - b1 - b2, b1, b2}
}

// at is the surface's value, and false outside the hull of the points.
func (s *scattered) at(p point) (float64, bool) {
	const edge = -100 * 0x1p-52
	for i := range s.elements {
		b := s.barycentric(s.elements[i].corner, p)
		if b[0] >= edge && b[1] >= edge && b[2] >= edge {
			return s.elements[i].evaluate(b), true
		}
	}
	return 0, false
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

// nearest is the value of the point that is closest.
func (s *scattered) nearest(p point) float64 {
	best, value := math.Inf(1), 0.0
	for i, q := range s.points {
		if d := math.Hypot(p.x-q.x, p.y-q.y); d < best {
			best, value = d, s.values[i]
		}
	}
	return value
}
