package report

import (
	"math"

	"headway/metric"
)

// estimate is a figure with its 95 % interval; NaN is what is not known.
type estimate struct {
	value, low, high float64
	few              bool
	atLeast          bool          // only bounded from below
	answered         float64       // the figure of answered requests, where that is another; else 0
	why              metric.Reason // why there is no interval
}

func unknown() estimate {
	return estimate{value: math.NaN(), low: math.NaN(), high: math.NaN()}
}

// Figure is a figure as tables lead with it, as text in its metric's unit: "24.5",
// "∞", "≥4,870"; empty where there is none.
func (r *Report) Figure(tag, stat string) string {
	return within(r.Result, tag, stat).bare()
}

// bare is the text without the mark of few samples; empty where there is none.
func (e estimate) bare() string {
	if math.IsNaN(e.value) {
		return ""
	}
	e.few = false
	return e.text()
}

// within is a figure of one run as tables and pictures lead with it: of the
// leading part, where that has it.
func within(r *metric.Result, tag, stat string) estimate {
	part, _ := r.Lead()
	if e, ok := ofPart(part, tag, stat); ok {
		return e
	}
	if s, ok := r.Scalar(tag); ok {
		e := unknown()
		e.value = shown(s.Metric, s.Value)
		return e
	}
	if s, ok := r.Summary(tag); ok {
		return ofSummary(s, stat)
	}
	return unknown()
}

// ofPart is a figure of a part; false where the part has no such figure.
func ofPart(p *metric.Part, tag, stat string) (estimate, bool) {
	if r, ok := p.Rate(tag); ok {
		return estimate{value: shown(r.Metric, r.Value), low: shown(r.Metric, r.Low), high: shown(r.Metric, r.High), why: r.Why}, true
	}
	s, ok := p.Summary(tag)
	if !ok {
		return unknown(), false
	}
	return ofSummary(s, stat), true
}

// ofSummary is a mean or a quantile.
func ofSummary(s metric.Summary, stat string) estimate {
	if s.Known != nil {
		all := s
		all.Known = nil
		e := ofSummary(all, stat)
		e.answered = ofSummary(*s.Known, stat).value
		return e
	}
	if stat == "avg" {
		return estimate{value: shown(s.Metric, s.Mean), low: shown(s.Metric, s.MeanLow), high: shown(s.Metric, s.MeanHigh),
			atLeast: s.MeanAtLeast, why: s.Why}
	}
	for _, q := range s.Quantiles {
		if quantileName(q.Q) == stat {
			return estimate{value: shown(s.Metric, q.Value), low: shown(s.Metric, q.Low), high: shown(s.Metric, q.High),
				few: q.Few, atLeast: q.AtLeast, why: q.Why}
		}
	}
	return unknown()
}

// over is the mean of runs with its t-interval.
func over(values []float64) estimate {
	if len(values) == 0 {
		return unknown()
	}
	mean, low, high := metric.MeanOfRuns(values)
	return estimate{value: mean, low: low, high: high}
}

// cell is the value and, on a second line, its interval: ± half of it where it
// is symmetrical, else both ends.
func (e estimate) cell() string {
	if math.IsNaN(e.value) {
		return "–"
	}
	s := e.text()
	if e.answered > 0 && (e.atLeast || !finite(e.value)) {
		return s + "\n(" + significant(e.answered) + ")"
	}
	if !finite(e.low) || !finite(e.high) {
		return s
	}
	up, down := e.high-e.value, e.value-e.low
	if math.Abs(up-down) <= 1e-9*math.Abs(e.high) {
		return s + "\n±" + halfWidth(up)
	}
	return s + "\n" + significant(e.low) + "–" + significant(e.high)
}

// text is the value alone.
func (e estimate) text() string {
	s := significant(e.value)
	if math.IsInf(e.value, 1) {
		s = infinite
	}
	if e.atLeast {
		s = atLeastMark + s
	}
	if e.few {
		s += fewMark
	}
	return s
}

// infinite stands for a latency of requests that failed, atLeastMark before a
// value that is only bounded, for requests that were cut off.
const infinite, atLeastMark = "∞", "≥"
