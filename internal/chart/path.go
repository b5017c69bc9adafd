package chart

import "gonum.org/v1/plot/vg"

// path is a series in the picture's coordinates, clipped to the plot.
type path struct {
	style    style
	faint    bool
	segments []segment
	bars     []segment // of whiskers, their caps among them
	marks    []mark
}

// mark is a point that is shown.
type mark struct {
	at    vg.Point
	style style
	label string
}

// paths turns every series into what is drawn of it.
func (c Chart) paths(l layout) []path {
	out := make([]path, 0, len(c.Series))
	beside := c.beside(l)
	for i, s := range c.Series {
		p := path{style: styleOf(i, s.Faint), faint: s.Faint}
		for j, pt := range s.Points {
			if pt.gap() {
				continue
			}
			at := l.place(pt.X, pt.Y)
			if j > 0 && !s.Points[j-1].gap() {
				before := l.place(s.Points[j-1].X, s.Points[j-1].Y)
				if seg, ok := clip(segment{before, at}, l.plot); ok {
					p.segments = append(p.segments, seg)
				}
			}
			if l.shows(pt) && !s.Smooth {
				p.marks = append(p.marks,
					mark{at: at, style: styleOf(i, s.Faint || pt.Faint), label: oneLine(pt.Label)})
			}
			if pt.whisker() && l.x.holds(pt.X) {
				p.bars = append(p.bars, l.whisker(pt, beside(i, pt.X))...)
			}
		}
		out = append(out, p)
	}
	return out
}

// whisker is the bar from Low to High and a cap at each end that lies inside
// the axes; an end without a cap says that it goes on. It stands so far beside its
// place.
func (l layout) whisker(pt Point, beside vg.Length) []segment {
	low, high := l.place(pt.X, pt.Low), l.place(pt.X, pt.High)
	low.X, high.X = low.X+beside, high.X+beside
	bar, ok := clip(segment{low, high}, l.plot)
	if !ok {
		return nil
	}
	out := []segment{bar}
	for _, end := range []struct {
		value float64
		at    vg.Point
	}{{pt.Low, low}, {pt.High, high}} {
		if l.y.holds(end.value) {
			out = append(out, segment{
				vg.Point{X: end.at.X - capHalf, Y: end.at.Y},
				vg.Point{X: end.at.X + capHalf, Y: end.at.Y},
			})
		}
	}
	return out
}

// whiskers draws a series' whiskers, solid whatever the series' dash pattern.
func (p painter) whiskers(s path) {
	w := vg.Length(1)
	if s.faint {
		w = faintWidth
	}
	for _, b := range s.bars {
		p.straight(b, s.style.color, w)
	}
}
