package picture

import (
	"fmt"
	"slices"
	"strings"

	"headway/internal/chart"
)

// Over is a curve over the time of a run, or of several one after the other. Curves
// of one Title are in one picture.
type Over struct {
	Title, Label string // Label names the quantity with its unit
	Name         string // tells it from others of the run, such as "GPU 0"; may be empty
	// At are times in seconds since the first measured request started, rising; Values
	// are NaN where nothing is known.
	At, Values []float64
	// Points say of each time what was measured, to be read off; nil where the curve is
	// of one run.
	Points []string
}

// Begin is where a part of what was measured begins, on the axis of time.
type Begin struct {
	Name string
	At   float64 // seconds
}

// mostBegins is how many names have room above a picture.
const mostBegins = 4

// OfPoints are the pictures of what was sampled during the runs of a procedure, which
// stand one after the other on the axis of time; about is their subtitle. Where parts
// of the procedure begin is drawn if there are few.
func OfPoints(about string, curves []Over, begins []Begin) []Picture {
	t := overTime{
		base: chart.Chart{Subtitle: about, X: chart.Axis{Label: "Time of the runs, one after the other (s)"}},
		note: func(text string) string { return text + " The first curve says of which point a time is." },
	}
	if len(begins) <= mostBegins {
		for _, b := range begins {
			t.base.Lines = append(t.base.Lines, chart.Line{Value: b.At, Vertical: true, Label: b.Name})
		}
	}
	for _, c := range curves {
		t.add("", c)
	}
	return t.pictures
}

// overTime gathers curves into pictures, a Title each, in the order in which they
// occur; note adds to what is said below each.
type overTime struct {
	base     chart.Chart
	note     func(text string) string
	pictures []Picture
}

// add draws a curve of a run, or of the only one, which has no name.
func (t *overTime) add(run string, v Over) {
	i := slices.IndexFunc(t.pictures, func(p Picture) bool { return p.chart.Title == v.Title })
	if i < 0 {
		i = len(t.pictures)
		c := t.base
		c.Title, c.Y.Label, c.Note = v.Title, v.Label, t.note("As it was sampled.")
		t.pictures = append(t.pictures, Picture{Name: fmt.Sprintf("over_time_%d", i+1), chart: c})
	}
	c := &t.pictures[i].chart
	if len(c.Series) == chart.MaxSeries {
		c.Note = t.note("As it was sampled. Not all curves are drawn.")
		return
	}
	s := chart.Series{Name: strings.Trim(run+", "+v.Name, ", "), Smooth: true}
	for k, x := range v.At {
		p := chart.Point{X: x, Y: v.Values[k]}
		if len(c.Series) == 0 && k < len(v.Points) {
			p.Label = v.Points[k]
		}
		s.Points = append(s.Points, p)
	}
	c.Series = append(c.Series, s)
}
