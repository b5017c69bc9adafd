package chart

import (
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// target is a reference line in the picture's coordinates.
type target struct {
	line  segment
	shown bool // false when it lies beyond the axis: only its label is drawn
	label string
	at    []spot // where the label may stand
}

// targets turns the reference lines into what is drawn of them.
func (c Chart) targets(f faces, l layout) []target {
	face := f.regular(labelSize)
	var out []target
	for _, ln := range c.Lines {
		axis := l.y
		if ln.Vertical {
			axis = l.x
		}
		share := axis.at(ln.Value)
		t := target{shown: axis.holds(ln.Value), label: oneLine(ln.Label)}
		if !t.shown && t.label != "" {
			t.label = arrow(ln.Vertical, share > 1) + " " + t.label
		}
		t.label = shorten(face, t.label, l.plot.Size().X/2, 0.5)
		t.line = l.across(vg.Length(max(0, min(1, share))), ln.Vertical)
		t.at = places(t.line, face, t.label, l.plot)
		out = append(out, t)
	}
	return out
}

// arrow points to where a line beyond the axis lies.
func arrow(vertical, above bool) string {
	switch {
	case vertical && above:
		return "→"
	case vertical:
		return "←"
	case above:
		return "↑"
	}
	return "↓"
}

// across is the line over the whole plot at a share of its axis.
func (l layout) across(share vg.Length, vertical bool) segment {
	r := l.plot
	if vertical {
		x := r.Min.X + share*r.Size().X
		return segment{vg.Point{X: x, Y: r.Min.Y}, vg.Point{X: x, Y: r.Max.Y}}
	}
	y := r.Min.Y + share*r.Size().Y
	return segment{vg.Point{X: r.Min.X, Y: y}, vg.Point{X: r.Max.X, Y: y}}
}

// zeroLine is the line at height zero where a linear axis shows both signs.
func (l layout) zeroLine() (segment, bool) {
	if l.y.log || l.y.lo >= 0 || l.y.hi <= 0 {
		return segment{}, false
	}
	return l.across(vg.Length(l.y.at(0)), false), true
}

// places are where a line's label may stand: along a horizontal line from its
// right end to its left, above it and below; along a vertical one from the top
// down, right of it and left.
func places(line segment, face font.Face, label string, plot vg.Rectangle) []spot {
	if label == "" {
		return nil
	}
	const gap, steps = vg.Length(3), 8
	w, h := textWidth(face, label)+2, labelSize*capHeight+2
	var out []spot
	for i := range steps {
		share := vg.Length(i) / (steps - 1)
		for _, side := range []vg.Length{1, -1} {
			if line.a.X == line.b.X {
				y := plot.Max.Y - gap - h/2 - share*(plot.Size().Y-h-2*gap)
				out = append(out, spot{at: box(vg.Point{X: line.a.X + side*(gap+w/2), Y: y}, w, h)})
				continue
			}
			x := plot.Max.X - gap - w/2 - share*(plot.Size().X-w-2*gap)
			out = append(out, spot{at: box(vg.Point{X: x, Y: line.a.Y + side*(gap+h/2)}, w, h)})
		}
	}
	return out
}

// targetLines draws the reference lines, dashed finely and in grey, which no
// series is.
func (p painter) targetLines(targets []target) {
	for _, t := range targets {
		if !t.shown {
			continue
		}
		var path vg.Path
		path.Move(t.line.a)
		path.Line(t.line.b)
		p.dashed(path, p.ink.target, 0.9, []vg.Length{3, 2})
	}
}
