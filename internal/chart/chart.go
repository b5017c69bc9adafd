// Package chart turns values into a static picture that can be pasted into a
// report: lines with markers, whiskers and point labels over one pair of axes.
//
// Data flows one way: a [Chart] holds everything that is drawn, WriteSVG and
// WritePNG are functions of it and of nothing else, so the same values give the
// same bytes on every run. SVG is the master; PNG is the same drawing at 200
// dots per inch.
//
// The package refuses to interpret. It knows no metric, computes no statistic,
// sorts no points and hides none in silence: a point outside a fixed axis is
// counted in the note under the picture. A chart that cannot be drawn
// faithfully (more series than can be told apart, a value without a place on
// its axis) is an error that lists every fault, never a best effort; Trim takes
// such values out for whoever draws what others wrote.
package chart

import "math"

// MaxSeries is the largest number of series in one chart. Each has a colour, a
// marker and a dash pattern of its own; a thirteenth would have to repeat one
// and could be mistaken for another when the picture is printed in grey.
const MaxSeries = 12

// Chart is one picture, 9 by 5.5 inches.
//
// All text is plain: it is escaped for SVG, and control characters become
// spaces. Text too long for its place is wrapped (title, subtitle, note) or
// shortened in the middle with an ellipsis (legend, axis labels, point labels).
//
// Characters outside Latin, Greek, Cyrillic and Hebrew are shown in SVG by
// whatever font its viewer has, and as empty boxes in PNG, which is drawn with
// an embedded font that lacks them.
type Chart struct {
	// Title is the heading. Empty leaves its room to the plot.
	Title string
	// Subtitle is one line of context under the title, smaller and grey.
	Subtitle string
	// X and Y are the axes; each needs a label.
	X, Y Axis
	// Series are drawn in this order, later ones on top, faint ones below all
	// others. The position decides colour, marker and dash pattern, so a series
	// keeps its look between pictures when it keeps its position.
	Series []Series
	// Note is one line at the bottom that says how the picture was made: that it
	// is simulated, how many samples, what the whiskers mean.
	Note string
	// Lines are reference lines, such as a target.
	Lines []Line
	// Empty is shown in the middle when there is no point to draw; "" means
	// "no data".
	Empty string
}

// Axis describes one axis. The zero value plus a Label is a linear axis with
// automatic range and ticks.
type Axis struct {
	// Label names the quantity and its unit. It must not be empty.
	Label string
	// Log makes the axis logarithmic; every value on it must then be above 0.
	Log bool
	// Min and Max fix the ends, in the axis's unit. NaN leaves that end
	// automatic, and so do Min and Max both 0.
	//
	// An automatic linear Y axis starts at zero when no value is negative, so
	// that heights compare as their values do. An automatic linear X axis does
	// so only when that does not push the points into a corner.
	Min, Max float64
	// Values, when given, are the only ticks, and an automatic range covers all
	// of them, so that charts over the same levels line up. Where their numbers
	// would collide some lose the number and keep the tick mark.
	Values []float64
}

// Series is a named sequence of points joined by a line in the order given,
// which need not be the order of X: a throughput curve may turn back.
type Series struct {
	// Name appears in the legend. A series without a name has no entry there.
	Name string
	// Points may be empty; the legend still shows the name.
	Points []Point
	// Faint draws the series pale, thin and below the others.
	Faint bool
	// Smooth draws the line alone, without markers: a fitted curve, whose points
	// are not measured ones.
	Smooth bool
}

// Point is one value of a series.
type Point struct {
	// X must be finite. Y must be finite or NaN; a NaN point is a gap that
	// interrupts the line.
	X, Y float64
	// Low and High are the ends of the whisker, in the unit of Y. There is none
	// when either is NaN or both are 0. They need not enclose Y: a whisker of
	// quantiles may lie beside a mean.
	Low, High float64
	// Loose keeps the whisker from setting the range of the Y axis: it is of so
	// few values that it says next to nothing, and would squeeze those that do.
	Loose bool
	// Faint draws the marker small and pale, as those of a faint series: the
	// value is less sure than its neighbours.
	Faint bool
	// Label is written beside the point, e.g. the concurrency. It is left out
	// when there is no place where it would cover neither another label nor a
	// marker.
	Label string
}

// Line is a reference line across the whole plot.
type Line struct {
	// Value is where it crosses its axis: Y for a horizontal line, X for a
	// vertical one. An automatic axis grows to show it, up to four times the
	// range of the data on that side; beyond that the label is put at the edge
	// with an arrow instead, since the data would be squeezed to nothing.
	Value float64
	// Vertical makes it cross the X axis.
	Vertical bool
	// Label is written along the line; it may be empty.
	Label string
}

// gap reports whether the point has no height and interrupts its line.
func (p Point) gap() bool { return math.IsNaN(p.Y) }

// whisker reports whether the point has whiskers.
func (p Point) whisker() bool {
	if math.IsNaN(p.Low) || math.IsNaN(p.High) {
		return false
	}
	return p.Low != 0 || p.High != 0
}
