package chart

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// segment is a straight piece of a line, in points of the picture.
type segment struct{ a, b vg.Point }

// box returns the rectangle of the given size around a centre.
func box(centre vg.Point, w, h vg.Length) vg.Rectangle {
	return vg.Rectangle{
		Min: vg.Point{X: centre.X - w/2, Y: centre.Y - h/2},
		Max: vg.Point{X: centre.X + w/2, Y: centre.Y + h/2},
	}
}

// overlap is the area that two rectangles share, in square points.
func overlap(a, b vg.Rectangle) float64 {
	w := min(a.Max.X, b.Max.X) - max(a.Min.X, b.Min.X)
	h := min(a.Max.Y, b.Max.Y) - max(a.Min.Y, b.Min.Y)
	if w <= 0 || h <= 0 {
		return 0
	}
	return float64(w) * float64(h)
}

// within reports whether inner lies in outer, touching allowed.
func within(inner, outer vg.Rectangle) bool {
	return inner.Min.X >= outer.Min.X && inner.Max.X <= outer.Max.X &&
		inner.Min.Y >= outer.Min.Y && inner.Max.Y <= outer.Max.Y
}

// clip returns the part of s inside r (Liang and Barsky 1984), and whether
// there is any.
func clip(s segment, r vg.Rectangle) (segment, bool) {
	dx, dy := float64(s.b.X-s.a.X), float64(s.b.Y-s.a.Y)
	from, to := 0.0, 1.0
	edges := [4][2]float64{
		{-dx, float64(s.a.X - r.Min.X)}, {dx, float64(r.Max.X - s.a.X)},
		{-dy, float64(s.a.Y - r.Min.Y)}, {dy, float64(r.Max.Y - s.a.Y)},
	}
	for _, e := range edges {
		p, q := e[0], e[1]
		switch {
		case p == 0 && q < 0:
			return segment{}, false
		case p < 0:
			from = max(from, q/p)
		case p > 0:
			to = min(to, q/p)
		}
	}
	if from > to {
		return segment{}, false
	}
	along := func(t float64) vg.Point {
		return vg.Point{X: s.a.X + vg.Length(t*dx), Y: s.a.Y + vg.Length(t*dy)}
	}
	out := s
	// The ends are kept bit by bit where they are inside, so that consecutive
	// segments join.
	if from > 0 {
		out.a = along(from)
	}
	if to < 1 {
		out.b = along(to)
	}
	return out, true
}

// length of a segment in points.
func (s segment) length() float64 {
	return math.Hypot(float64(s.b.X-s.a.X), float64(s.b.Y-s.a.Y))
}
