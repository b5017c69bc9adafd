package restate

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"headway/metric"
	"headway/record"
	"headway/report"
)

// stats are those that the table of differences compares.
var stats = []string{"", "avg", "p99"}

// Difference is a statistic of a tool beside headway's, in the tool's unit.
type Difference struct {
	Key    string        `json:"key"`
	Unit   string        `json:"unit"`
	Theirs record.Number `json:"value"`
	// Ours names headway's figure. Led is what its tables lead with: of the steady part,
	// with failed requests as infinitely slow. Whole is it over valid requests of the whole
	// run, so that what is left between Whole and Theirs is the definition's.
	Ours  string        `json:"headway_figure"`
	Led   record.Number `json:"headway_value"`
	Whole record.Number `json:"headway_whole_run"`
	Why   []string      `json:"why,omitempty"`
}

// leads is why two figures of headway differ.
const leads = "headway's tables lead with the steady part of a run, and count failed requests as infinitely slow"

// failures is a count that headway's results leave out where it is 0.
const failures = "error_request_count"

// Differences puts means, 99th percentiles and single numbers beside headway's own.
func (r *Result) Differences(rep *report.Report) (all []Difference) {
	for _, f := range r.Figures {
		if f.Tag == "" {
			continue
		}
		for _, v := range f.Values {
			if slices.Contains(stats, v.Stat) {
				all = append(all, difference(f, v, rep))
			}
		}
	}
	return all
}

func difference(f Figure, v Value, rep *report.Report) Difference {
	x := Difference{Key: v.Key, Unit: f.Unit, Theirs: v.Value, Ours: strings.TrimSpace(f.Tag + " " + v.Stat)}
	m, _ := metric.Lookup(f.Tag)
	x.Led = record.Number(rep.Figure(f.Tag, v.Stat).Value * scale(f.Unit) / scale(m.Unit))
	if f.Tag == failures && !x.Led.Known() {
		x.Led = 0
	}
	x.Whole = record.Number(whole(f.Tag, v.Stat, rep.Result) * scale(f.Unit))
	if !equal(x.Led, x.Whole) && x.Whole.Known() {
		x.Why = append(x.Why, leads)
	}
	if !equal(x.Theirs, x.Whole) {
		x.Why = append(x.Why, f.Why...)
	}
	return x
}

// whole is a figure over valid requests of the whole run, in base units; NaN where there
// is none. No failed request is no figure there, and 0 here.
func whole(tag, stat string, r *metric.Result) float64 {
	if s, ok := r.Scalar(tag); ok {
		return s.Value
	}
	if tag == failures {
		return 0
	}
	if s, ok := r.Summary(tag); ok {
		if v, ok := s.Stat(stat); ok {
			return v
		}
	}
	return math.NaN()
}

// equal says that two figures differ by no more than rounding.
func equal(a, b record.Number) bool {
	return a == b || math.Abs(float64(a-b)) <= 1e-9*math.Abs(float64(b))
}

// percentOf is by how much a is more than b.
func percentOf(a, b record.Number) string {
	switch {
	case !b.Known():
		return "–"
	case equal(a, b):
		return "0"
	case b == 0:
		return "–"
	}
	p := (float64(a/b) - 1) * 100
	if math.Abs(p) < 0.005 {
		return "<0.01 %"
	}
	return fmt.Sprintf("%+.2f %%", p)
}

// differences adds the table: each figure that is not headway's with the letters of what
// explains it, the letters below, and the names of those that are the same.
func differences(d *report.Document, tool string, all []Difference) {
	g := report.Grid{Title: "headway | why " + tool + " differs", Columns: []string{tool, "value", "headway", "value",
		"whole run", "differs", "definition"}}
	var reasons, same []string
	for _, x := range all {
		if equal(x.Theirs, x.Led) && equal(x.Theirs, x.Whole) {
			same = append(same, x.Key)
			continue
		}
		letters := "" // beside the name, as a column of their own would be cut off from a wide table
		for _, why := range x.Why {
			if !slices.Contains(reasons, why) {
				reasons = append(reasons, why)
			}
			letters += letter(slices.Index(reasons, why))
		}
		text := func(v record.Number) report.Cell { return report.Cell{Text: number(float64(v))} }
		g.Rows = append(g.Rows, []report.Cell{{Text: strings.TrimSpace(x.Key + " " + bracket(letters))},
			text(x.Theirs), {Text: x.Ours}, text(x.Led), text(x.Whole),
			{Text: percentOf(x.Theirs, x.Led)}, {Text: percentOf(x.Theirs, x.Whole)}})
	}
	if len(g.Rows) > 0 {
		d.Table(1, g)
	}
	for i, why := range reasons {
		d.Text(report.Plain, letter(i)+": "+why)
	}
	if len(same) > 0 {
		d.Text(report.Plain, "The same as headway's: "+strings.Join(same, ", ")+".")
	}
}

func bracket(letters string) string {
	if letters == "" {
		return ""
	}
	return "[" + letters + "]"
}

func letter(i int) string { return string(rune('a' + i)) }
