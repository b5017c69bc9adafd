package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Trim takes out the values that have no place on their axis, so that the others
// can be drawn, and returns a sentence that says so, "" where all have one. A
// file that anybody may have written can hold 1e308. The caller puts the
// sentence where people read it; the points of c are new ones afterwards.
func (c *Chart) Trim() string {
	var left []float64
	for i, s := range c.Series {
		c.Series[i].Points = slices.Clone(s.Points)
		for j := range c.Series[i].Points {
			left = append(left, c.trim(&c.Series[i].Points[j])...)
		}
	}
	c.Lines = slices.DeleteFunc(slices.Clone(c.Lines), func(l Line) bool {
		axis := c.Y
		if l.Vertical {
			axis = c.X
		}
		bad := axis.fault(l.Value) != nil
		if bad {
			left = append(left, l.Value)
		}
		return bad
	})
	if len(left) == 0 {
		return ""
	}
	return leftOut(left)
}

// trim makes a gap of a point that has no place, or takes its whisker.
func (c *Chart) trim(p *Point) (left []float64) {
	if c.X.fault(p.X) != nil {
		left, *p = append(left, p.X), Point{Y: math.NaN()}
		if c.X.Log {
			p.X = 1 // any that has a place: nothing is drawn there
		}
		return left
	}
	if !p.gap() && c.Y.fault(p.Y) != nil {
		left = append(left, p.Y)
		p.Y, p.Low, p.High = math.NaN(), 0, 0
	}
	if len(c.pointFaults("", *p)) > 0 {
		left = append(left, p.High)
		p.Low, p.High = 0, 0
	}
	return left
}

// leftOut names the values, few of them.
func leftOut(left []float64) string {
	const most = 3
	var texts []string
	for _, v := range left[:min(len(left), most)] {
		texts = append(texts, fmt.Sprintf("%g", v))
	}
	if len(left) > most {
		texts = append(texts, fmt.Sprintf("%d more", len(left)-most))
	}
	return "Left out, no place on the axis: " + strings.Join(texts, ", ") + "."
}
