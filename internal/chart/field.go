package chart

import (
	"errors"
	"fmt"
	"image/color"
	"io"
	"math"
)

// Field is a quantity over a plane: values on a grid, and the measured points
// that they were made of. It is drawn as a [HeatMap], from which values can be
// read, or as a [Surface], whose shape can be seen.
type Field struct {
	// Title, Subtitle, Note and Empty are those of a [Chart].
	Title, Subtitle, Note, Empty string
	// X and Y are the axes of the plane; Z names the quantity and its unit and
	// may fix its range, and must not be logarithmic.
	X, Y, Z Axis
	// Xs and Ys are the places of the grid's columns and rows, rising, at least
	// two each. Values are those at Xs[i] and Ys[j] at i·len(Ys) + j; NaN where
	// nothing is known, which is left white.
	Xs, Ys, Values []float64
	// Points are what was measured.
	Points []FieldPoint
	// Outline, where it has corners, is a convex polygon, counterclockwise:
	// outside of it nothing is drawn, whatever the values there. They should be
	// finite one column and one row beyond it, so that its edge is smooth.
	Outline []Place
}

// Place is where a corner of an outline lies, in the units of X and Y.
type Place struct{ X, Y float64 }

// FieldPoint is a measured value and its place. All three are finite.
type FieldPoint struct{ X, Y, Z float64 }

// HeatMap draws a field as coloured bands with contours between them, a scale
// beside, and a mark at each measured point.
type HeatMap struct{ Field }

// Surface draws a field as a surface in space, seen from above and the front.
type Surface struct{ Field }

// WriteSVG draws the map as [Chart.WriteSVG] does a chart.
func (h HeatMap) WriteSVG(w io.Writer) error {
	if err := h.Validate(); err != nil {
		return err
	}
	return writeSVG(w, h.Title, h.draw)
}

// WritePNG draws the map as [Chart.WritePNG] does a chart.
func (h HeatMap) WritePNG(w io.Writer) error {
	if err := h.Validate(); err != nil {
		return err
	}
	return writePNG(w, h.Title, h.draw)
}

// WriteSVG draws the surface as [Chart.WriteSVG] does a chart.
func (s Surface) WriteSVG(w io.Writer) error {
	if err := s.Validate(); err != nil {
		return err
	}
	return writeSVG(w, s.Title, s.draw)
}

// WritePNG draws the surface as [Chart.WritePNG] does a chart.
func (s Surface) WritePNG(w io.Writer) error {
	if err := s.Validate(); err != nil {
		return err
	}
	return writePNG(w, s.Title, s.draw)
}

// Validate reports every reason why the field cannot be drawn, joined into one
// error, or nil.
func (f Field) Validate() error {
	var faults []error
	rising := func(name string, v []float64) {
		if len(v) < 2 {
			faults = append(faults, fmt.Errorf("%s: %d places: a grid has at least 2", name, len(v)))
		}
		for i := 1; i < len(v); i++ {
			if !(v[i] > v[i-1]) {
				faults = append(faults, fmt.Errorf("%s: place %d is %v after %v: must rise", name, i, v[i], v[i-1]))
			}
		}
	}
	rising("columns", f.Xs)
	rising("rows", f.Ys)
	if n := len(f.Xs) * len(f.Ys); len(f.Values) != n {
		faults = append(faults, fmt.Errorf("%d values: the grid has %d places", len(f.Values), n))
	}
	if f.Z.Log {
		faults = append(faults, errors.New("the Z axis must not be logarithmic"))
	}
	faults = append(faults, f.Z.faults("Z")...)
	for i, v := range f.Values {
		if !math.IsNaN(v) && f.Z.fault(v) != nil {
			faults = append(faults, fmt.Errorf("value %d: %w", i, f.Z.fault(v)))
		}
	}
	for i, p := range f.Points {
		if err := f.Z.fault(p.Z); err != nil {
			faults = append(faults, fmt.Errorf("point %d: Z: %w", i+1, err))
		}
	}
	for i := range f.Outline {
		if a, b, c := f.Outline[i], f.Outline[(i+1)%len(f.Outline)],
			f.Outline[(i+2)%len(f.Outline)]; !(turn(a, b, c) >= 0) || len(f.Outline) < 3 {
			faults = append(faults, fmt.Errorf("outline: corner %d: must be convex and counterclockwise, with 3 "+
				"corners at least", (i+1)%len(f.Outline)))
		}
	}
	if err := f.frame().Validate(); err != nil {
		faults = append(faults, err)
	}
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("field %q cannot be drawn: %w", f.Title, errors.Join(faults...))
}

// turn is positive when a, b, c turn left.
func turn(a, b, c Place) float64 { return (b.X-a.X)*(c.Y-a.Y) - (b.Y-a.Y)*(c.X-a.X) }

// shown says that a place is not outside the outline.
func (f Field) shown(p Place) bool {
	for i, a := range f.Outline {
		if turn(a, f.Outline[(i+1)%len(f.Outline)], p) < 0 {
			return false
		}
	}
	return true
}

// clip is the part of a convex polygon that lies within the outline (I. E.
// Sutherland and G. W. Hodgman 1974).
func (f Field) clip(polygon []Place) []Place {
	for i, a := range f.Outline {
		b := f.Outline[(i+1)%len(f.Outline)]
		var kept []Place
		for k, p := range polygon {
			q := polygon[(k+1)%len(polygon)]
			u, v := turn(a, b, p), turn(a, b, q)
			if u >= 0 {
				kept = append(kept, p)
			}
			if u > 0 && v < 0 || u < 0 && v > 0 {
				t := u / (u - v)
				kept = append(kept, Place{p.X + t*(q.X-p.X), p.Y + t*(q.Y-p.Y)})
			}
		}
		polygon = kept
	}
	return polygon
}

// frame is a chart with the field's texts and axes, and with points at all
// places that the axes must hold.
func (f Field) frame() Chart {
	var s Series
	for i, x := range f.Xs {
		for j, y := range f.Ys {
			if n := i*len(f.Ys) + j; n < len(f.Values) && !math.IsNaN(f.Values[n]) && f.shown(Place{x, y}) {
				s.Points = append(s.Points, Point{X: x, Y: y})
			}
		}
	}
	for _, p := range f.Points {
		s.Points = append(s.Points, Point{X: p.X, Y: p.Y})
	}
	for _, p := range f.Outline {
		s.Points = append(s.Points, Point{X: p.X, Y: p.Y})
	}
	return Chart{Title: f.Title, Subtitle: f.Subtitle, Note: f.Note, Empty: f.Empty, X: f.X, Y: f.Y,
		Series: []Series{s}}
}

// values is the range of what is drawn.
func (f Field) values() extent {
	var e extent
	for n, v := range f.Values {
		if !math.IsNaN(v) && f.shown(Place{f.Xs[n/len(f.Ys)], f.Ys[n%len(f.Ys)]}) {
			e = e.with(v)
		}
	}
	for _, p := range f.Points {
		e = e.with(p.Z)
	}
	return e
}

// bands are the steps of a field's colours.
type bands struct {
	levels []float64 // between the bands, rising
	lo, hi float64   // of all bands
	texts  []string  // of the levels
}

// bands cuts the range of values at about eight round numbers.
func (f Field) bands() bands {
	e := f.values()
	lo, hi := f.Z.fixed()
	if math.IsNaN(lo) {
		lo = e.lo
	}
	if math.IsNaN(hi) {
		hi = e.hi
	}
	b := bands{lo: lo, hi: hi}
	// Values that agree to nine digits differ by rounding.
	if !e.some || hi-lo <= 1e-9*max(math.Abs(lo), math.Abs(hi)) {
		return b
	}
	step := niceStep((hi - lo) / 9)
	for k := math.Floor(lo/step) + 1; k*step < hi-1e-9*step; k++ {
		b.levels = append(b.levels, k*step)
		b.texts = append(b.texts, number(k*step, decimalsOf(step)))
	}
	return b
}

// of is the number of the band that holds v.
func (b bands) of(v float64) int {
	n := 0
	for n < len(b.levels) && v >= b.levels[n] {
		n++
	}
	return n
}

// color is that of band i.
func (b bands) color(i int) color.NRGBA {
	if len(b.levels) == 0 {
		return heat(0.5)
	}
	return heat(float64(i) / float64(len(b.levels)))
}

// heat is a colour from light (0) to dark (1): the anchors of viridis (S. van der
// Walt and N. Smith 2015) from its light end, without the darkest, on which a
// contour could not be seen. Its lightness falls evenly, so that it can be read
// in grey and by the colour-blind.
func heat(share float64) color.NRGBA {
	anchors := [...]color.NRGBA{
		{0xfd, 0xe7, 0x25, 0xff}, {0xb5, 0xde, 0x2b, 0xff}, {0x6e, 0xce, 0x58, 0xff}, {0x35, 0xb7, 0x79, 0xff},
		{0x1f, 0x9e, 0x89, 0xff},
		{0x26, 0x82, 0x8e, 0xff}, {0x31, 0x68, 0x8e, 0xff}, {0x3e, 0x49, 0x89, 0xff}, {0x48, 0x28, 0x78, 0xff},
	}
	at := min(max(share, 0), 1) * float64(len(anchors)-1)
	i := min(int(at), len(anchors)-2)
	return blend(anchors[i], anchors[i+1], at-float64(i))
}
