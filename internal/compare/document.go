package compare

import (
	"fmt"
	"math"
	"strings"

	"headway/metric"
	"headway/report"
)

// Document is the result as people read it.
func (r *Result) Document() *report.Document {
	d := &report.Document{}
	for i, v := range r.Versus {
		if i > 0 {
			d.Gap()
		}
		v.document(d)
	}
	for _, text := range r.notes() {
		d.Text(report.Plain, text)
	}
	for _, text := range together(r.Untold) {
		d.Text(report.Doubtful, "missing: "+text)
	}
	return d
}

// together says once what is said of several folders, each "FOLDER: what".
func together(all []string) (lines []string) {
	more := map[string]int{}
	var first []string
	for _, text := range all {
		_, what, _ := strings.Cut(text, ": ")
		if more[what]++; more[what] == 1 {
			first = append(first, text)
		}
	}
	for _, text := range first {
		folder, what, _ := strings.Cut(text, ": ")
		if n := more[what] - 1; n > 0 && what != "" {
			text = fmt.Sprintf("%s and %d more: %s", folder, n, what)
		}
		lines = append(lines, text)
	}
	return lines
}

// document adds one comparison: its tables, what differs, and the gates.
func (v Versus) document(d *report.Document) {
	for _, p := range v.Points {
		d.Table(1, p.grid(v))
		for _, text := range p.open() {
			d.Text(report.Plain, text)
		}
	}
	for _, x := range v.Differs {
		d.Text(report.Plain, "differs, "+x.String())
	}
	for _, x := range v.Varies {
		d.Text(report.Plain, "varies on both sides, "+x)
	}
	for _, x := range v.Alone {
		d.Text(report.Doubtful, "not compared: "+x)
	}
	for _, x := range v.Warnings {
		d.Text(report.Doubtful, "WARNING: "+x)
	}
	for _, g := range v.Gates {
		d.Text(toneOf(g.Decision), g.String())
	}
}

func toneOf(d metric.Decision) report.Tone {
	switch d {
	case metric.Met:
		return report.Good
	case metric.Missed:
		return report.Bad
	}
	return report.Doubtful
}

// grid is the table of a point.
func (p Point) grid(v Versus) report.Grid {
	g := report.Grid{Title: fmt.Sprintf("headway | %s against %s | %s", v.B, v.A, p.Name),
		Columns: []string{"Figure", v.A, v.B, "change", "95 % interval", "p", "word"}}
	for _, c := range p.Figures {
		g.Rows = append(g.Rows, []report.Cell{{Text: c.title()}, cell(c.A, c.ARuns), cell(c.B, c.BRuns),
			{Text: signed(c.Percent.Value), Figure: &c.Percent, Unit: "%"}, {Text: intervalText(c.Percent)},
			{Text: pText(c.Adjusted)}, {Text: string(c.Word)}})
	}
	return g
}

// title is the figure with its unit.
func (c Change) title() string {
	m, _ := metric.Lookup(c.Figure.Tag)
	name := m.Header
	if name == "" {
		name = c.Figure.Tag
	}
	if c.Figure.Stat != "" {
		name += " " + c.Figure.Stat
	}
	return name + ", " + m.Unit
}

// cell is a figure of a side, and of how many runs, where there are several.
func cell(e report.Figure, runs int) report.Cell {
	text := e.String()
	if runs > 1 {
		text += fmt.Sprintf(" (n=%d)", runs)
	}
	return report.Cell{Text: text, Figure: &e, Unit: e.Unit}
}

// changeText is a change with its interval.
func changeText(e report.Figure) string {
	s := signed(e.Value)
	if i := intervalText(e); i != "" {
		s += ", " + i
	}
	return s
}

func intervalText(e report.Figure) string {
	if math.IsNaN(e.Low) || math.IsNaN(e.High) {
		return ""
	}
	return signed(e.Low) + " to " + signed(e.High)
}

// signed is a change in percent.
func signed(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case math.IsInf(v, 1):
		return "+∞"
	case math.Abs(v) >= 99.5:
		return fmt.Sprintf("%+.0f %%", v)
	}
	return strings.Replace(fmt.Sprintf("%+.1f %%", v), "-0.0", "+0.0", 1)
}

func pText(p float64) string {
	switch {
	case math.IsNaN(p):
		return "–"
	case p < 0.001:
		return "<0.001"
	}
	return fmt.Sprintf("%.3f", p)
}

// open says of the figures that are not decided why, and what it would take; those
// with the same words together.
func (p Point) open() (lines []string) {
	figures := map[string][]string{}
	var order []string
	for _, c := range p.Figures {
		if c.Word != NotDecided {
			continue
		}
		text := c.Why
		if need := c.Need.String(); need != "" {
			text = "to find a change of the margin takes " + need
		}
		if figures[text] == nil {
			order = append(order, text)
		}
		figures[text] = append(figures[text], c.Figure.String())
	}
	for _, text := range order {
		lines = append(lines, "not decided: "+strings.Join(figures[text], ", ")+": "+text)
	}
	return lines
}
