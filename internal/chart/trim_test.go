package chart

import (
	"bytes"
	"math"
	"strings"
	"testing"
)

// What cannot be drawn is left out and named; the rest is drawn.
func TestTrim(t *testing.T) {
	for _, log := range []bool{false, true} {
		c := Chart{
			X: Axis{Label: "x", Log: log}, Y: Axis{Label: "y", Log: log},
			Series: []Series{{Name: "s", Points: []Point{
				{X: 1, Y: 2, Low: 1, High: 3}, {X: 2, Y: 1e308}, {X: 1e308, Y: 1}, {X: 3, Y: math.Inf(1)},
				{X: 4, Y: 3, Low: 1, High: 1e200}, {X: 5, Y: 3, Low: 4, High: 3}, {X: 6, Y: math.NaN()}, {X: 7, Y: 4},
			}}},
			Lines: []Line{{Value: 1}, {Value: -1e308}, {Value: 1e150, Vertical: true}},
		}
		given := c.Series[0].Points
		if got, want := c.Trim(), "Left out, no place on the axis: 1e+308, 1e+308, +Inf, 4 more."; got != want {
			t.Errorf("log %v: %q, want %q", log, got, want)
		}
		if p := c.Series[0].Points; given[1].Y != 1e308 || p[0].High != 3 || !p[1].gap() || !p[2].gap() ||
			p[4].whisker() || p[5].whisker() || p[7].Y != 4 || len(c.Lines) != 1 {
			t.Errorf("log %v: %+v, lines %v", log, p, c.Lines)
		}
		var b bytes.Buffer
		if err := c.WriteSVG(&b); err != nil || !strings.Contains(b.String(), "<svg") {
			t.Errorf("log %v: %v", log, err)
		}
		if again := c.Trim(); again != "" {
			t.Errorf("log %v: still %q", log, again)
		}
	}
}
