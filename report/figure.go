package report

import (
	"math"

	"headway/metric"
)

// Figure is a figure with its 95 % interval, in its metric's unit; NaN is what is
// not known. Every figure that tables, JSON and pictures show with an interval is
// one.
type Figure struct {
	Value, Low, High float64
	Unit             string
	Few              bool          // fewer than five samples lie beyond the quantile
	AtLeast          bool          // only bounded from below, for requests that were cut off
	Answered         float64       // the figure of answered requests, where that is another; else 0
	Why              metric.Reason // why there is no interval
}

// Exact is a figure without an interval.
func Exact(v float64) Figure { return Figure{Value: v, Low: math.NaN(), High: math.NaN()} }

func unknown() Figure {
	return Figure{Value: math.NaN(), Low: math.NaN(), High: math.NaN()}
}

// Figure is a figure of the run as tables lead with it: of the steady part, where
// there is one. stat is avg or a quantile (p50).
func (r *Report) Figure(tag, stat string) Figure { return within(r.Result, tag, stat) }

// String is the value: "24.5", "∞", "≥4,870"; empty where there is none.
func (e Figure) String() string {
	if e.nothing() {
		return ""
	}
	e.Few = false
	return e.text()
}

// within is a figure of one run as tables and pictures lead with it: of the
// leading part, where that has it.
func within(r *metric.Result, tag, stat string) Figure {
	part, _ := r.Lead()
	if e, ok := ofPart(part, tag, stat); ok {
		return e
	}
	if s, ok := r.Scalar(tag); ok {
		e := unknown()
		e.Value, e.Unit = shown(s.Metric, s.Value), s.Metric.Unit
		return e
	}
	if s, ok := r.Summary(tag); ok {
		return ofSummary(s, stat)
	}
	return unknown()
}

// ofPart is a figure of a part; false where the part has no such figure.
func ofPart(p *metric.Part, tag, stat string) (Figure, bool) {
	if r, ok := p.Rate(tag); ok {
		return Figure{Value: shown(r.Metric, r.Value), Low: shown(r.Metric, r.Low), High: shown(r.Metric, r.High),
			Unit: r.Metric.Unit, Why: r.Why}, true
	}
	s, ok := p.Summary(tag)
	if !ok {
		return unknown(), false
	}
	return ofSummary(s, stat), true
}

// ofSummary is a mean or a quantile.
func ofSummary(s metric.Summary, stat string) Figure {
	if s.Known != nil {
		all := s
		all.Known = nil
		e := ofSummary(all, stat)
		e.Answered = ofSummary(*s.Known, stat).Value
		return e
	}
	if stat == "avg" {
		return Figure{Value: shown(s.Metric, s.Mean), Low: shown(s.Metric, s.MeanLow),
			High: shown(s.Metric, s.MeanHigh),
			Unit: s.Metric.Unit, AtLeast: s.MeanAtLeast, Why: s.Why}
	}
	for _, q := range s.Quantiles {
		if quantileName(q.Q) == stat {
			return Figure{Value: shown(s.Metric, q.Value), Low: shown(s.Metric, q.Low), High: shown(s.Metric, q.High),
				Unit: s.Metric.Unit, Few: q.Few, AtLeast: q.AtLeast, Why: q.Why}
		}
	}
	return unknown()
}

// over is the mean of runs with its t-interval.
func over(values []float64) Figure {
	if len(values) == 0 {
		return unknown()
	}
	mean, low, high := metric.MeanOfRuns(values)
	return Figure{Value: mean, Low: low, High: high}
}

// nothing reports whether the figure says nothing: it is not known, or at
// least zero.
func (e Figure) nothing() bool {
	return math.IsNaN(e.Value) || e.AtLeast && e.Value == 0 && e.Answered == 0
}

// cell is the value and, on a second line, its interval: ± half of it where it
// is symmetrical, else both ends.
func (e Figure) cell() string {
	if e.nothing() {
		return "–"
	}
	s := e.text()
	if e.Answered > 0 && (e.AtLeast || !finite(e.Value)) {
		return s + "\n(" + significant(e.Answered) + ")"
	}
	if !finite(e.Low) || !finite(e.High) {
		return s
	}
	up, down := e.High-e.Value, e.Value-e.Low
	if math.Abs(up-down) <= 1e-9*math.Abs(e.High) {
		if up < 1e-12*math.Abs(e.Value) {
			up = 0 // of values that are all alike only rounding is left, below zero, too
		}
		return s + "\n±" + halfWidth(up)
	}
	return s + "\n" + significant(e.Low) + "–" + significant(e.High)
}

// text is the value alone.
func (e Figure) text() string { return e.marked(significant(e.Value)) }

// marked puts the marks of a bound and of few samples beside a value's text.
func (e Figure) marked(s string) string {
	if math.IsInf(e.Value, 1) {
		s = infinite
	}
	if e.AtLeast {
		s = atLeastMark + s
	}
	if e.Few {
		s += fewMark
	}
	return s
}

// infinite stands for a latency of requests that failed, atLeastMark before a
// value that is only bounded, for requests that were cut off.
const infinite, atLeastMark = "∞", "≥"
