package chart

import (
	"image/color"

	"gonum.org/v1/plot/vg"
)

// label is a text with its place inside the plot.
type label struct {
	spot
	text    string
	color   color.NRGBA
	crossed bool // a line runs under it
}

// newScene collects what labels can collide with.
func newScene(l layout, series []path, targets []target) *scene {
	sc := &scene{bounds: l.plot}
	for _, s := range series {
		sc.segments = append(sc.segments, s.segments...)
		sc.segments = append(sc.segments, s.bars...)
		for _, m := range s.marks {
			sc.markers = append(sc.markers, box(m.at, 2*s.style.radius+1, 2*s.style.radius+1))
		}
	}
	for _, t := range targets {
		if t.shown {
			sc.segments = append(sc.segments, t.line)
		}
	}
	if zero, ok := l.zeroLine(); ok {
		sc.segments = append(sc.segments, zero)
	}
	return sc
}

// place finds places for the labels of reference lines, which choose first, and
// of points. Those without a place are left out.
func place(f faces, l layout, series []path, targets []target) []label {
	sc := newScene(l, series, targets)
	var out []label
	for _, t := range targets {
		if p, ok := sc.place(t.at); ok {
			out = append(out, label{spot: p, text: t.label, color: inks().target})
		}
	}
	var wishes []wish
	var texts []label
	face := f.regular(labelSize)
	for _, s := range series {
		for _, m := range s.marks {
			if m.label == "" {
				continue
			}
			text := shorten(face, m.label, l.plot.Size().X/3, 0.5)
			w := wish{at: m.at, reach: s.style.radius, w: textWidth(face, text) + 1, h: labelSize*capHeight + 1.5}
			if !s.faint {
				w.weight = 1
			}
			wishes = append(wishes, w)
			texts = append(texts, label{text: text, color: readable(s.style.color)})
		}
	}
	for i, at := range sc.arrange(wishes) {
		if at.ok {
			texts[i].spot = at.spot
			out = append(out, texts[i])
		}
	}
	for i := range out {
		for _, g := range sc.segments {
			if _, ok := clip(g, out[i].at); ok {
				out[i].crossed = true
			}
		}
	}
	return out
}

// backdrop lightens what runs under a label, and draws its leader.
func (p painter) backdrop(b label) {
	if b.crossed {
		paper := p.ink.paper
		paper.A = 0xcc
		p.fill(rectangle(b.at), paper)
	}
	if b.leader != (segment{}) {
		p.straight(b.leader, b.color, hairWidth)
	}
}

// label writes a label into its place.
func (p painter) label(b label) {
	c := centre(b.at)
	p.text(p.faces.regular(labelSize), b.color, vg.Point{X: c.X, Y: c.Y - labelSize*capHeight/2}, b.text, 0.5)
}
