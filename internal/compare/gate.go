package compare

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"headway/metric"
	"headway/report"
)

// Gate is a bound on a figure of the second side: on its change, as in
// "time_to_first_token p99 < +5%", or on its value, as in "ttft p99 < 500ms".
type Gate struct {
	Figure metric.Figure
	Op     string // <, <=, >, >=
	// Change says that Bound is of the change, as a share; otherwise it is of the
	// value, in the metric's unit.
	Change bool
	Bound  float64
	Text   string
}

var changeForm = regexp.MustCompile(`^(.*\S)\s*(<=|>=|<|>)\s*([+-][0-9.]+)\s*%$`)

// signForm has a bound with a sign. No figure has a bound below 0, and a forgotten
// percent sign would make a gate that always holds: throughput is above -3.
var signForm = regexp.MustCompile(`[<>]=?\s*[+-]`)

// ParseGate reads a gate. A bound with a sign and a percent sign is one of the
// change; any other is an objective as [metric.ParseObjective] reads it.
func ParseGate(text string) (Gate, error) {
	text = strings.TrimSpace(text)
	part := changeForm.FindStringSubmatch(text)
	if part == nil {
		if signForm.MatchString(text) {
			return Gate{}, fmt.Errorf("gate %q: a bound with a sign is one of the change, in percent: end it with "+
				"%%, as in %q; leave out the sign of a value", text, "time_to_first_token p99 < +5%")
		}
		o, err := metric.ParseObjective(text)
		if err != nil {
			return Gate{}, fmt.Errorf("gate %q: neither a bound of a change, such as %q, nor one of a value: %w",
				text, "time_to_first_token p99 < +5%", err)
		}
		m, _ := metric.Lookup(o.Tag)
		return Gate{Figure: metric.Figure{Tag: o.Tag, Stat: o.Stat}, Op: o.Op, Bound: m.Shown(o.Bound), Text: text}, nil
	}
	f, err := metric.ParseFigure(part[1])
	if err != nil {
		return Gate{}, fmt.Errorf("gate %q: %w", text, err)
	}
	bound, err := strconv.ParseFloat(part[3], 64)
	if err != nil || bound <= -100 {
		return Gate{}, fmt.Errorf("gate %q: the bound %q is not a change above -100 %%", text, part[3]+"%")
	}
	return Gate{Figure: f, Op: part[2], Change: true, Bound: bound / 100, Text: text}, nil
}

// upper says that the bound is from above.
func (g Gate) upper() bool { return g.Op[0] == '<' }

// GateVerdict is a gate held against one point.
type GateVerdict struct {
	Gate     Gate
	Point    string
	Decision metric.Decision
	// Figure is the change in percent, or the value, with its 95 % interval.
	Figure report.Figure
	// Why says why it is not decided, and Need what it would take.
	Why  string
	Need Need
}

// String is the verdict in one line.
func (v GateVerdict) String() string {
	mark, word := "✓", "met"
	switch v.Decision {
	case metric.Missed:
		mark, word = "✗", "missed"
	case metric.NotDecided:
		mark, word = "?", "not decided"
	}
	s := fmt.Sprintf("%s %s: %s", mark, v.Gate.Text, word)
	if !math.IsNaN(v.Figure.Value) {
		s += " (" + v.shown() + ")"
	}
	s += " at " + v.Point
	if v.Why != "" {
		s += ": " + v.Why
	}
	return s
}

// shown is the figure with its interval.
func (v GateVerdict) shown() string {
	if v.Gate.Change {
		return changeText(v.Figure)
	}
	s := fmt.Sprintf("%.4g", v.Figure.Value)
	if v.Figure.Known() {
		s += fmt.Sprintf(", %.4g to %.4g", v.Figure.Low, v.Figure.High)
	}
	return strings.TrimSpace(s + " " + v.Figure.Unit)
}

// gates holds every gate against every point. A change misses its bound only where
// that is certain when all gates are counted, as with words.
func (o Options) gates(v *Versus) []GateVerdict {
	var all []GateVerdict
	var at []int
	var ps []float64
	for _, p := range v.Points {
		for _, g := range o.Gates {
			if !g.Change {
				all = append(all, g.value(p))
				continue
			}
			one, p := o.gateChange(g, p)
			all = append(all, one)
			if one.Decision == metric.Missed {
				at, ps = append(at, len(all)-1), append(ps, p)
			} else {
				ps = append(ps, 1)
				at = append(at, -1)
			}
		}
	}
	for i, p := range holm(ps) {
		if at[i] >= 0 && !(p < 1-confidence) {
			all[at[i]].Decision = metric.NotDecided
			all[at[i]].Why = fmt.Sprintf("of %d gates one may lie this far beyond its bound by chance", len(ps))
		}
	}
	return all
}

// gateChange holds the change of a figure against its bound, and gives the p-value of
// being at it.
func (o Options) gateChange(g Gate, p Point) (GateVerdict, float64) {
	v := GateVerdict{Gate: g, Point: p.Name, Decision: metric.NotDecided, Figure: report.Exact(math.NaN())}
	c, there := o.change(p, g.Figure)
	if !there {
		v.Why = "not measured"
		return v, 1
	}
	v.Figure = c.Percent
	switch {
	case p.b.silent(g.Figure) && !p.a.silent(g.Figure):
		v.Decision, v.Why = metric.Missed, allFailed
		return v, 0
	case !c.known:
		if v.Why = c.Why; g.upper() && p.endless(c, g.Bound) {
			v.Decision = metric.Missed
		}
		return v, 0
	}
	bound := math.Log1p(g.Bound)
	v.Decision = g.decide(c.contrast.low(), c.contrast.high(), bound)
	if v.Decision == metric.NotDecided {
		v.Need = needOf(c.contrast, math.Abs(c.contrast.at-bound), 1-confidence, p.requests())
		v.Why = "the 95 % interval contains the bound; if the change is what it seems, to decide it takes " +
			v.Need.String()
	}
	return v, c.contrast.p(bound)
}

// allFailed says why a side keeps no bound.
const allFailed = "every request of a run of the second side failed"

// endless says that a figure which is finite on the first side is infinite on the
// second, since requests failed, and beyond a bound also at the lower end of its
// interval, where it has one. A server that fails is not within a few percent of one
// that does not.
func (p Point) endless(c Change, bound float64) bool {
	if p.a.first().report.Invalid() || p.b.first().report.Invalid() {
		return false
	}
	known := !math.IsInf(c.A.Value, 0) && !c.A.AtLeast && math.IsInf(c.B.Value, 1)
	least := c.A.Value
	if c.A.Known() {
		least = c.A.High
	}
	return known && !(c.B.Low <= least*(1+bound))
}

// silent says that a run of a side has no such figure since all of its requests failed.
func (p *point) silent(f metric.Figure) bool {
	return slices.ContainsFunc(p.runs, func(r run) bool {
		return r.report.Result.OK == 0 && r.report.Result.Failed > 0 && math.IsNaN(r.value(f).Value)
	})
}

// decide says on which side of the bound an interval lies.
func (g Gate) decide(low, high, bound float64) metric.Decision {
	below, above := high < bound, low > bound
	if low == bound && high == bound { // there is no doubt about the figure
		inclusive := strings.HasSuffix(g.Op, "=")
		below, above = g.upper() == inclusive, g.upper() != inclusive
	}
	switch {
	case !below && !above:
		return metric.NotDecided
	case below == g.upper():
		return metric.Met
	}
	return metric.Missed
}

// value holds the second side's value against the bound, by the rules of an objective:
// its interval must not contain the bound, and of several runs it is that of their mean.
func (g Gate) value(p Point) GateVerdict {
	v := GateVerdict{Gate: g, Point: p.Name, Decision: metric.NotDecided, Figure: p.b.plainMean(g.Figure)}
	e := v.Figure
	what, remedy := metric.Because(e.Why)
	switch {
	case math.IsNaN(e.Value) && p.b.silent(g.Figure):
		v.Decision, v.Why = metric.Missed, allFailed
	case math.IsNaN(e.Value):
		v.Why = "not measured"
	case p.b.first().report.Invalid():
		v.Why = "the client was the bottleneck"
	case e.AtLeast && g.upper() && e.Value < g.Bound, e.AtLeast && !g.upper():
		v.Why = what + "; " + remedy
	case e.Known() && !math.IsInf(e.Value, 0):
		if v.Decision = g.decide(e.Low, e.High, g.Bound); v.Decision == metric.NotDecided {
			v.Why = "the 95 % interval contains the bound; measure more requests or runs"
		}
	default:
		v.Decision = g.decide(e.Value, e.Value, g.Bound)
		if e.Why == metric.NotStationary && v.Decision == metric.Met {
			v.Decision = metric.NotDecided
		}
		if what != "" {
			v.Why = "no interval: " + what
		}
	}
	return v
}

// Missed reports whether a gate was missed, Undecided whether one was not decided.
func (r *Result) Missed() bool    { return r.decided(metric.Missed) }
func (r *Result) Undecided() bool { return r.decided(metric.NotDecided) }

func (r *Result) decided(d metric.Decision) bool {
	for _, v := range r.Versus {
		for _, g := range v.Gates {
			if g.Decision == d {
				return true
			}
		}
	}
	return false
}
