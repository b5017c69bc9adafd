package interp

import (
	"cmp"
	"math"
	"slices"
)

// Hull is the corners of the convex hull of points, counterclockwise from the
// leftmost (A. M. Andrew 1979). It has fewer than 3 corners where the points lie
// on one line.
func Hull(points []Point) []Point {
	sorted := slices.Clone(points)
	slices.SortFunc(sorted, func(a, b Point) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Y, b.Y)) })
	sorted = slices.Compact(sorted)
	if len(sorted) < 3 {
		return sorted
	}
	chain := func() []Point {
		var out []Point
		for _, p := range sorted {
			for len(out) > 1 {
				a, b := out[len(out)-2], out[len(out)-1]
				if (b.X-a.X)*(p.Y-a.Y)-(b.Y-a.Y)*(p.X-a.X) > 0 {
					break
				}
				out = out[:len(out)-1]
			}
			out = append(out, p)
		}
		return out[:len(out)-1]
	}
	lower := chain()
	slices.Reverse(sorted)
	return append(lower, chain()...)
}

// Onto is the place on the hull's edge that is nearest to p, or p where the hull
// holds it. Distances count in units of the hull's width and height.
func Onto(hull []Point, p Point) Point {
	lo, hi := hull[0], hull[0]
	for _, q := range hull {
		lo, hi = Point{min(lo.X, q.X), min(lo.Y, q.Y)}, Point{max(hi.X, q.X), max(hi.Y, q.Y)}
	}
	w, h := max(hi.X-lo.X, math.SmallestNonzeroFloat64), max(hi.Y-lo.Y, math.SmallestNonzeroFloat64)
	inside, best, nearest := true, math.Inf(1), p
	for i, a := range hull {
		b := hull[(i+1)%len(hull)]
		inside = inside && (b.X-a.X)*(p.Y-a.Y)-(b.Y-a.Y)*(p.X-a.X) >= 0
		u, v := Point{(b.X - a.X) / w, (b.Y - a.Y) / h}, Point{(p.X - a.X) / w, (p.Y - a.Y) / h}
		t := min(max((u.X*v.X+u.Y*v.Y)/(u.X*u.X+u.Y*u.Y), 0), 1)
		if d := math.Hypot(v.X-t*u.X, v.Y-t*u.Y); d < best {
			best, nearest = d, Point{a.X + t*(b.X-a.X), a.Y + t*(b.Y-a.Y)}
		}
	}
	if inside {
		return p
	}
	return nearest
}
