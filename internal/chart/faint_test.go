package chart

import (
	"testing"

	"gonum.org/v1/plot/vg"
)

func TestFaintPoint(t *testing.T) {
	c := Chart{X: Axis{Label: "x"}, Y: Axis{Label: "y"},
		Series: []Series{{Name: "a", Points: []Point{{X: 1, Y: 1}, {X: 2, Y: 2, Faint: true}}}}}
	marks := c.paths(c.layout(newFaces()))[0].marks
	if whole, faint := marks[0].style, marks[1].style; whole.radius != markerSize || faint.radius != faintMarker ||
		whole.color == faint.color {
		t.Errorf("whole %+v, faint %+v", whole, faint)
	}
}

// TestNumbersStayOnThePaper: the last number of the X axis is as wide as it
// likes, and keeps its room to the right end.
func TestNumbersStayOnThePaper(t *testing.T) {
	for _, most := range []float64{10, 1000, 1e6, 1e9, 123456789} {
		c := Chart{X: Axis{Label: "x", Min: 1, Max: most, Log: true, Values: []float64{1, most}}, Y: Axis{Label: "y"},
			Series: []Series{{Name: "a", Points: []Point{{X: 1, Y: 1}}}}}
		f := newFaces()
		l := c.layout(f)
		last := l.x.ticks[len(l.x.ticks)-1]
		at := l.plot.Min.X + vg.Length(l.x.at(last.value))*l.plot.Size().X
		if end := at + textWidth(f.regular(tickSize), last.text)/2; last.text == "" || end > width-edge+0.001 {
			t.Errorf("%v: the number %q ends at %v of %v", most, last.text, end, width)
		}
	}
}
