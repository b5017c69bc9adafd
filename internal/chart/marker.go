package chart

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// shape is the outline of a marker.
type shape int

const (
	circle shape = iota
	square
	triangle
	diamond
	wedge // a triangle on its tip
	plus
	cross
)

// marker is a shape and whether it is filled; a hollow one is filled with the
// paper's colour, so that its line does not show through.
type marker struct {
	shape  shape
	hollow bool
}

// markers are the twelve marks: neighbours differ in both outline and filling.
func markers() [MaxSeries]marker {
	return [MaxSeries]marker{
		{shape: circle},
		{shape: square, hollow: true},
		{shape: triangle},
		{shape: diamond, hollow: true},
		{shape: square},
		{shape: circle, hollow: true},
		{shape: wedge},
		{shape: triangle, hollow: true},
		{shape: diamond},
		{shape: wedge, hollow: true},
		{shape: cross},
		{shape: plus},
	}
}

// outline is the closed path of a marker of radius r around at; the shapes are
// scaled to look equally large, not to be equally wide.
func (s shape) outline(at vg.Point, r vg.Length) vg.Path {
	switch s {
	case circle:
		var p vg.Path
		p.Move(vg.Point{X: at.X + r, Y: at.Y})
		p.Arc(at, r, 0, 2*math.Pi)
		p.Close()
		return p
	case square:
		return polygon(at, r*1.27, 4, math.Pi/4)
	case triangle:
		return polygon(vg.Point{X: at.X, Y: at.Y - r*0.2}, r*1.4, 3, math.Pi/2)
	case diamond:
		return polygon(at, r*1.4, 4, 0)
	case wedge:
		return polygon(vg.Point{X: at.X, Y: at.Y + r*0.2}, r*1.4, 3, -math.Pi/2)
	case plus:
		return bars(at, r*1.35, r*0.4, 0)
	default:
		return bars(at, r*1.4, r*0.4, math.Pi/4)
	}
}

// polygon is regular, with n corners at distance r, the first at the angle.
func polygon(at vg.Point, r vg.Length, n int, angle float64) vg.Path {
	corners := make([]vg.Point, n)
	for i := range corners {
		corners[i] = turned(at, r, 0, angle+2*math.Pi*float64(i)/float64(n))
	}
	return closed(corners)
}

// bars is a plus sign of arms r long and 2·half thick, turned by the angle.
func bars(at vg.Point, r, half vg.Length, angle float64) vg.Path {
	var corners []vg.Point
	for i := range 4 {
		turn := angle + math.Pi/2*float64(i)
		corners = append(corners,
			turned(at, r, -half, turn), turned(at, r, half, turn), turned(at, half, half, turn))
	}
	return closed(corners)
}

// turned is the point x along and y across a direction from at.
func turned(at vg.Point, x, y vg.Length, angle float64) vg.Point {
	sin, cos := math.Sincos(angle)
	return vg.Point{
		X: at.X + x*vg.Length(cos) - y*vg.Length(sin),
		Y: at.Y + x*vg.Length(sin) + y*vg.Length(cos),
	}
}

// closed joins corners into a closed path.
func closed(corners []vg.Point) vg.Path {
	var p vg.Path
	p.Move(corners[0])
	for _, c := range corners[1:] {
		p.Line(c)
	}
	p.Close()
	return p
}
