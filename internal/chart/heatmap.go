package chart

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
)

// Sizes of the scale beside a field, in points.
const (
	barWidth = vg.Length(13)
	barGap   = vg.Length(16) // between plot and scale
	dotSize  = vg.Length(2.1)
)

// draw paints the map: bands from the lowest up, each over those before it,
// contours, measured points, and the contours' labels last.
func (h HeatMap) draw(canvas vg.Canvas, embedded bool) {
	f := newFaces()
	p := painter{canvas: canvas, faces: f, ink: inks(), embedded: embedded}
	frame, b := h.frame(), h.bands()
	l := frame.layout(f)
	l.makeRoom(f, frame, barGap+barWidth+h.scaleRoom(f, b))
	p.fill(rectangle(vg.Rectangle{Max: vg.Point{X: width, Y: height}}), p.ink.paper)
	p.heading(l)
	p.axes(l)
	if h.values().some {
		lines := h.drawBands(p, l, b)
		for _, c := range lines {
			p.stroke(open(c.at), c.ink(p), hairWidth)
		}
		h.mask(p, l)
		for _, pt := range h.Points {
			p.dot(l.place(pt.X, pt.Y))
		}
		h.labelContours(p, l, lines)
		p.straight(segment{l.plot.Min, vg.Point{X: l.plot.Max.X, Y: l.plot.Min.Y}}, p.ink.axis, 1)
		bar := vg.Rectangle{Min: vg.Point{X: l.plot.Max.X + barGap, Y: l.plot.Min.Y},
			Max: vg.Point{X: l.plot.Max.X + barGap + barWidth, Y: l.plot.Max.Y}}
		h.drawScale(p, b, bar)
	}
	frame.drawEmpty(p, l)
}

// makeRoom takes so much from the right of the plot.
func (l *layout) makeRoom(f faces, c Chart, room vg.Length) {
	l.plot.Max.X = width - margin - room
	length := l.plot.Size().X
	l.x = c.X.scale(c.extents()[0], nil, whenNear, 7)
	l.x.ticks = c.thinX(l.x, f, length)
	l.xLabel = shorten(f.regular(axisSize), c.X.text(), length, 0.5)
}

// line is a contour in the picture.
type line struct {
	at   []vg.Point
	text string
	dark bool // what lies beside it
}

// ink is what the contour is drawn with.
func (c line) ink(p painter) color.NRGBA {
	if c.dark {
		return color.NRGBA{0xff, 0xff, 0xff, 0xb0}
	}
	return color.NRGBA{p.ink.text.R, p.ink.text.G, p.ink.text.B, 0x90}
}

// drawBands fills the bands and returns the contours between them.
func (h HeatMap) drawBands(p painter, l layout, b bands) []line {
	p.fill(h.path(l, h.region(math.Inf(-1)), math.Inf(-1)), b.color(0))
	var lines []line
	for k, level := range b.levels {
		o := h.region(level)
		p.fill(h.path(l, o, level), b.color(k+1))
		for _, piece := range o.contours() {
			c := line{text: b.texts[k], dark: luminance(b.color(k)) < 0.25}
			for _, at := range piece {
				x, y := h.place(at, level)
				c.at = append(c.at, l.place(x, y))
			}
			lines = append(lines, c)
		}
	}
	return lines
}

// mask covers what lies outside of the outline: all of the plot, with a hole
// that runs the other way.
func (h HeatMap) mask(p painter, l layout) {
	if len(h.Outline) == 0 {
		return
	}
	r := vg.Rectangle{Min: vg.Point{X: l.plot.Min.X - 1, Y: l.plot.Min.Y - 1},
		Max: vg.Point{X: l.plot.Max.X + 1, Y: l.plot.Max.Y + 1}}
	path := rectangle(r)
	for i := range h.Outline {
		c := h.Outline[len(h.Outline)-1-i]
		if at := l.place(c.X, c.Y); i == 0 {
			path.Move(at)
		} else {
			path.Line(at)
		}
	}
	path.Close()
	p.fill(path, p.ink.paper)
}

// path is an outline in the picture, without the corners on straight parts.
func (h HeatMap) path(l layout, o outline, level float64) vg.Path {
	var out vg.Path
	for _, loop := range o {
		var at []vg.Point
		for _, c := range loop {
			x, y := h.place(c, level)
			// A level that runs through a grid point crosses both of its lines
			// there.
			if q := l.place(x, y); len(at) == 0 || !same(q, at[len(at)-1]) {
				at = append(at, q)
			}
		}
		for len(at) > 1 && same(at[0], at[len(at)-1]) {
			at = at[:len(at)-1]
		}
		n, started := len(at), false
		for i, q := range at {
			a, b := at[(i+n-1)%n], at[(i+1)%n]
			if math.Abs(float64((q.X-a.X)*(b.Y-q.Y)-(q.Y-a.Y)*(b.X-q.X))) < 1e-6 {
				continue
			}
			if started {
				out.Line(q)
			} else {
				out.Move(q)
				started = true
			}
		}
		if started {
			out.Close()
		}
	}
	return out
}

// same says that two places cannot be told apart.
func same(a, b vg.Point) bool {
	return math.Abs(float64(a.X-b.X)) < 1e-6 && math.Abs(float64(a.Y-b.Y)) < 1e-6
}

// open is an open path through points.
func open(at []vg.Point) vg.Path {
	var out vg.Path
	for i, q := range at {
		if i == 0 {
			out.Move(q)
		} else {
			out.Line(q)
		}
	}
	return out
}

// dot marks a measured point: white with a dark rim, to be seen on every band.
func (p painter) dot(at vg.Point) {
	path := circle.outline(at, dotSize)
	p.fill(path, p.ink.paper)
	p.stroke(path, p.ink.text, 0.8)
}

// labelContours writes its value on each contour that has room for it, where it
// is furthest from the others' and covers no point.
func (h HeatMap) labelContours(p painter, l layout, lines []line) {
	face := p.faces.regular(labelSize)
	var taken []vg.Rectangle
	for _, pt := range h.Points {
		taken = append(taken, box(l.place(pt.X, pt.Y), 2*dotSize+2, 2*dotSize+2))
	}
	const tries = 24
	for _, c := range lines {
		w, hgt := textWidth(face, c.text)+3, labelSize*capHeight+3
		if reach(c.at) < 3*w {
			continue
		}
		best, bestAway := vg.Rectangle{}, vg.Length(-1)
		for k := range tries {
			// From the middle outward, so that among equals the middle wins.
			share := 0.5 + float64((k+1)/2)*float64(1-k%2*2)*0.8/tries
			b := box(along(c.at, share), w, hgt)
			away := vg.Length(200)
			for _, t := range taken {
				if overlap(b, t) > 0 {
					away = -1
					break
				}
				d := vg.Length(math.Hypot(float64(centre(b).X-centre(t).X), float64(centre(b).Y-centre(t).Y)))
				away = min(away, d)
			}
			if within(b, l.plot) && h.covers(l, b) && away > bestAway+8 {
				best, bestAway = b, away
			}
		}
		if bestAway < 0 {
			continue
		}
		taken = append(taken, best)
		paper := p.ink.paper
		paper.A = 0xd8
		p.fill(rectangle(best), paper)
		m := centre(best)
		p.text(face, p.ink.text, vg.Point{X: m.X, Y: m.Y - labelSize*capHeight/2}, c.text, 0.5)
	}
}

// covers says that a label lies within the outline.
func (h HeatMap) covers(l layout, b vg.Rectangle) bool {
	for _, at := range []vg.Point{b.Min, b.Max, {X: b.Min.X, Y: b.Max.Y}, {X: b.Max.X, Y: b.Min.Y}} {
		x, y := float64((at.X-l.plot.Min.X)/l.plot.Size().X), float64((at.Y-l.plot.Min.Y)/l.plot.Size().Y)
		if !h.shown(Place{l.x.value(x), l.y.value(y)}) {
			return false
		}
	}
	return true
}

// reach is the length of a line through points.
func reach(at []vg.Point) vg.Length {
	sum := 0.0
	for i := 1; i < len(at); i++ {
		sum += segment{at[i-1], at[i]}.length()
	}
	return vg.Length(sum)
}

// along is the place at a share of a line's length.
func along(at []vg.Point, share float64) vg.Point {
	left := float64(reach(at)) * share
	for i := 1; i < len(at); i++ {
		n := segment{at[i-1], at[i]}.length()
		if n >= left && n > 0 {
			t := vg.Length(left / n)
			return vg.Point{X: at[i-1].X + t*(at[i].X-at[i-1].X), Y: at[i-1].Y + t*(at[i].Y-at[i-1].Y)}
		}
		left -= n
	}
	return at[len(at)-1]
}
