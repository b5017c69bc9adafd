package chart

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// layout is where everything goes; it is computed once, before anything is
// drawn, since each part takes its room from the plot in the middle.
type layout struct {
	title, subtitle, note []string
	titleFace             font.Face
	legend                legend
	legendAt              vg.Point // its upper left corner
	plot                  vg.Rectangle
	x, y                  scale
	xLabel, yLabel        string
	points                int // that can be drawn, inside the axes or not
	outside               int // of these, those outside the axes
}

// Shares of a font size from one line to the next.
const leading = 1.3

// layout measures all texts and divides the picture.
func (c Chart) layout(f faces) layout {
	var l layout
	l.points, l.outside = c.count()
	l.texts(c, f)
	top := height - margin - l.headingHeight()
	bottom := margin + lines(l.note, noteSize)
	if len(l.note) > 0 {
		bottom += 6
	}
	if l.legend.below && l.legend.height > 0 {
		l.legendAt.Y = bottom + l.legend.height
		bottom += l.legend.height + 6
	}
	bottom += axisSize*leading + tickSize + tickLength + 10
	right := width - margin
	if !l.legend.below {
		right -= l.legend.width + 14
		l.legendAt = vg.Point{X: right + 14, Y: top}
	}

	data := c.extents()
	l.y = c.Y.scale(data[1], c.values(false), always, 7)
	l.y.ticks = c.thinY(l.y, f, top-bottom)
	left := margin + axisSize*leading + 8
	widest := vg.Length(0)
	for _, t := range l.y.ticks {
		widest = max(widest, textWidth(f.regular(tickSize), t.text))
	}
	left += widest + 6
	l.plot = vg.Rectangle{Min: vg.Point{X: left, Y: bottom}, Max: vg.Point{X: right, Y: top}}
	if l.legend.below {
		l.legendAt.X = min(left, width-margin-l.legend.width)
	}
	l.x = c.X.scale(data[0], c.values(true), whenNear, 8)
	all := l.x.ticks
	l.x.ticks = c.thinX(l.x, f, right-left)
	if over := l.overhang(f, right-left) - (width - edge - right); over > 0 {
		right -= over
		l.plot.Max.X = right
		l.x.ticks = all
		l.x.ticks = c.thinX(l.x, f, right-left)
	}
	l.xLabel = shorten(f.regular(axisSize), c.X.text(), right-left, 0.5)
	l.yLabel = shorten(f.regular(axisSize), c.Y.text(), top-bottom, 0.5)
	return l
}

// texts breaks what stands around the picture into lines.
func (l *layout) texts(c Chart, f faces) {
	room := width - 2*margin
	l.titleFace = f.bold(titleSize)
	if textWidth(l.titleFace, oneLine(c.Title)) > room {
		l.titleFace = f.bold(titleSmaller)
	}
	l.title = wrap(l.titleFace, c.Title, room, 2)
	l.subtitle = wrap(f.regular(subtitleSize), c.Subtitle, room, 2)
	l.note = wrap(f.regular(noteSize), c.fullNote(l.outside, c.crowded()), room, noteLines)
	l.legend = newLegend(c.Series, f.regular(legendSize), room)
}

// edge is the room that a number of the X axis keeps to the right end of the
// picture.
const edge = margin / 2

// overhang is how far the numbers of the X axis reach beyond its right end.
func (l layout) overhang(f faces, length vg.Length) vg.Length {
	most := vg.Length(0)
	for _, t := range l.x.ticks {
		if t.text != "" {
			most = max(most, vg.Length(l.x.at(t.value)-1)*length+textWidth(f.regular(tickSize), t.text)/2)
		}
	}
	return most
}

// headingHeight is the room for title and subtitle, the space below included.
func (l layout) headingHeight() vg.Length {
	h := lines(l.title, l.titleFace.Font.Size) + lines(l.subtitle, subtitleSize)
	if h > 0 {
		h += 14
	}
	return h
}

// lines is the height of so many lines of text.
func lines(text []string, size vg.Length) vg.Length {
	return vg.Length(len(text)) * size * leading
}

// thinX takes the numbers off X ticks that would collide, and thinY off Y ticks.
func (c Chart) thinX(s scale, f faces, length vg.Length) []tick {
	places, sizes := make([]float64, len(s.ticks)), make([]float64, len(s.ticks))
	for i, t := range s.ticks {
		places[i] = s.at(t.value) * length.Points()
		sizes[i] = textWidth(f.regular(tickSize), t.text).Points()
	}
	return thin(s.ticks, places, sizes, tickSize.Points()*0.7)
}

func (c Chart) thinY(s scale, f faces, length vg.Length) []tick {
	places, sizes := make([]float64, len(s.ticks)), make([]float64, len(s.ticks))
	for i, t := range s.ticks {
		places[i] = s.at(t.value) * length.Points()
		sizes[i] = tickSize.Points() * capHeight
	}
	return thin(s.ticks, places, sizes, tickSize.Points()*0.6)
}

// count returns how many points have a height, and how many of them lie outside
// an axis whose end is fixed; an automatic end excludes none.
func (c Chart) count() (points, outside int) {
	beyond := func(a Axis, v float64) bool {
		lo, hi := a.fixed()
		return v < lo || v > hi
	}
	for _, s := range c.Series {
		for _, p := range s.Points {
			if p.gap() {
				continue
			}
			points++
			if beyond(c.X, p.X) || beyond(c.Y, p.Y) {
				outside++
			}
		}
	}
	return points, outside
}

// fullNote adds to the note what the picture does not show, and what it shows beside
// its place.
func (c Chart) fullNote(outside int, beside bool) string {
	var parts []string
	if oneLine(c.Note) != "" {
		parts = append(parts, c.Note)
	}
	switch {
	case outside == 1:
		parts = append(parts, "1 point lies outside the axes and is not shown")
	case outside > 1:
		parts = append(parts, fmt.Sprintf("%d points lie outside the axes and are not shown", outside))
	}
	if beside {
		parts = append(parts, "Whiskers that would hide each other stand side by side")
	}
	return strings.Join(parts, " · ")
}

// noteLines is the most that a note takes.
const noteLines = 3

// extents returns the ranges of X and of Y, whiskers included unless they are
// loose.
func (c Chart) extents() [2]extent {
	var x, y extent
	for _, s := range c.Series {
		for _, p := range s.Points {
			if p.gap() {
				continue
			}
			x, y = x.with(p.X), y.with(p.Y)
			if !p.whisker() || p.Loose {
				continue
			}
			y = y.with(p.High)
			if !c.Y.Log || p.Low > 0 {
				y = y.with(p.Low)
			}
		}
	}
	return [2]extent{x, y}
}

// values of the reference lines that cross the X axis or those of the Y axis.
func (c Chart) values(vertical bool) []float64 {
	var out []float64
	for _, l := range c.Lines {
		if l.Vertical == vertical {
			out = append(out, l.Value)
		}
	}
	return out
}

// place is where a pair of values lies in the picture. A height infinitely far
// below, which a logarithmic axis has, is put where clipping still works.
func (l layout) place(x, y float64) vg.Point {
	const far = 1e6
	size := l.plot.Size()
	limit := func(v float64) vg.Length { return vg.Length(math.Max(-far, math.Min(far, v))) }
	return vg.Point{
		X: l.plot.Min.X + limit(l.x.at(x))*size.X,
		Y: l.plot.Min.Y + limit(l.y.at(y))*size.Y,
	}
}

// shows reports whether a point lies inside the axes.
func (l layout) shows(p Point) bool {
	return !p.gap() && l.x.holds(p.X) && l.y.holds(p.Y)
}
