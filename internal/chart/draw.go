package chart

import (
	"math"

	"gonum.org/v1/plot/vg"
)

// draw paints the whole picture. What is measured lies above what helps to read
// it: grid, reference lines, series lines, whiskers, backgrounds of labels,
// markers, and all text last. Embedded says that the canvas can draw only what
// the embedded font holds.
func (c Chart) draw(canvas vg.Canvas, embedded bool) {
	f := newFaces()
	p := painter{canvas: canvas, faces: f, ink: inks(), embedded: embedded}
	l := c.layout(f)
	p.fill(rectangle(vg.Rectangle{Max: vg.Point{X: width, Y: height}}), p.ink.paper)
	p.heading(l)
	p.axes(l)
	targets := c.targets(f, l)
	p.targetLines(targets)
	series := c.paths(l)
	for _, faint := range []bool{true, false} {
		for _, s := range series {
			if s.faint == faint {
				p.polyline(s.segments, s.style)
				p.whiskers(s)
			}
		}
	}
	labels := place(f, l, series, targets)
	for _, b := range labels {
		p.backdrop(b)
	}
	for _, faint := range []bool{true, false} {
		for _, s := range series {
			for _, m := range s.marks {
				if s.faint == faint {
					p.mark(m.at, m.style)
				}
			}
		}
	}
	for _, b := range labels {
		p.label(b)
	}
	l.legend.draw(p, f.regular(legendSize), l.legendAt)
	c.drawEmpty(p, l)
}

// heading writes title, subtitle and note.
func (p painter) heading(l layout) {
	y := height - margin
	for _, s := range l.title {
		y -= l.titleFace.Font.Size * leading
		p.text(l.titleFace, p.ink.text, vg.Point{X: margin, Y: y + l.titleFace.Font.Size*0.3}, s, 0)
	}
	for _, s := range l.subtitle {
		y -= subtitleSize * leading
		p.text(p.faces.regular(subtitleSize), p.ink.muted, vg.Point{X: margin, Y: y + subtitleSize*0.3}, s, 0)
	}
	y = margin + lines(l.note, noteSize)
	for _, s := range l.note {
		y -= noteSize * leading
		p.text(p.faces.regular(noteSize), p.ink.muted, vg.Point{X: margin, Y: y + noteSize*0.2}, s, 0)
	}
}

// axes draws the grid, ticks and labels. The grid is horizontal only: heights
// are what is read off, and the levels on X are few and labelled.
func (p painter) axes(l layout) {
	face := p.faces.regular(tickSize)
	r := l.plot
	for _, t := range l.y.ticks {
		y := r.Min.Y + vg.Length(l.y.at(t.value))*r.Size().Y
		if t.text == "" {
			continue
		}
		p.straight(segment{vg.Point{X: r.Min.X, Y: y}, vg.Point{X: r.Max.X, Y: y}}, p.ink.grid, hairWidth)
		p.text(face, p.ink.muted, vg.Point{X: r.Min.X - 6, Y: y - tickSize*capHeight/2}, t.text, 1)
	}
	for _, t := range l.x.ticks {
		x := r.Min.X + vg.Length(l.x.at(t.value))*r.Size().X
		length := tickLength
		if t.text == "" {
			length /= 2
		}
		p.straight(segment{vg.Point{X: x, Y: r.Min.Y}, vg.Point{X: x, Y: r.Min.Y - length}}, p.ink.axis, hairWidth)
		p.text(face, p.ink.muted, vg.Point{X: x, Y: r.Min.Y - tickLength - 3 - tickSize*capHeight}, t.text, 0.5)
	}
	p.straight(segment{r.Min, vg.Point{X: r.Max.X, Y: r.Min.Y}}, p.ink.axis, 1)
	if zero, ok := l.zeroLine(); ok {
		p.straight(zero, p.ink.axis, hairWidth)
	}
	middle := centre(r)
	label := p.faces.regular(axisSize)
	p.text(label, p.ink.text, vg.Point{X: middle.X, Y: r.Min.Y - tickLength - tickSize - axisSize - 6}, l.xLabel, 0.5)
	p.canvas.Push()
	p.canvas.Translate(vg.Point{X: margin + axisSize*0.8, Y: middle.Y})
	p.canvas.Rotate(math.Pi / 2)
	p.text(label, p.ink.text, vg.Point{}, l.yLabel, 0.5)
	p.canvas.Pop()
}

// drawEmpty says in the middle of the plot why there is nothing in it.
func (c Chart) drawEmpty(p painter, l layout) {
	message := ""
	switch {
	case l.points == 0:
		message = oneLine(c.Empty)
		if message == "" {
			message = "no data"
		}
	case l.points == l.outside:
		message = "every point lies outside the axes"
	default:
		return
	}
	face := p.faces.regular(emptySize)
	message = shorten(face, message, l.plot.Size().X-20, 0.7)
	p.text(face, p.ink.muted, centre(l.plot), message, 0.5)
}
