package compare

import (
	"headway/metric"
	"headway/record"
	"headway/report"
)

// jsonVersion is that of the format; docs/compare.md describes it.
const jsonVersion = 1

type resultJSON struct {
	Version  int          `json:"headway_compare"`
	Margin   float64      `json:"margin_percent"`
	Assumed  float64      `json:"run_variation_percent"`
	Baseline string       `json:"baseline,omitempty"`
	Versus   []versusJSON `json:"comparisons"`
	Untold   []string     `json:"not_read,omitempty"`
}

type versusJSON struct {
	A        string       `json:"a"`
	B        string       `json:"b"`
	Points   []pointJSON  `json:"points"`
	Gates    []gateJSON   `json:"gates,omitempty"`
	Differs  []Difference `json:"differs,omitempty"`
	Varies   []string     `json:"varies,omitempty"`
	Alone    []string     `json:"not_compared,omitempty"`
	Warnings []string     `json:"warnings,omitempty"`
}

type pointJSON struct {
	Name    string       `json:"name"`
	Figures []changeJSON `json:"figures"`
}

type changeJSON struct {
	Figure   string        `json:"figure"`
	Unit     string        `json:"unit"`
	A        report.Figure `json:"a"`
	B        report.Figure `json:"b"`
	ARuns    int           `json:"a_runs"`
	BRuns    int           `json:"b_runs"`
	Change   report.Figure `json:"change_percent"`
	P        record.Number `json:"p"`
	Adjusted record.Number `json:"p_adjusted"`
	By       string        `json:"by,omitempty"`
	Assumed  float64       `json:"assumed_run_variation_percent,omitempty"`
	Word     Word          `json:"word"`
	Why      string        `json:"why,omitempty"`
	Need     *Need         `json:"need,omitempty"`
}

type gateJSON struct {
	Gate     string          `json:"gate"`
	Point    string          `json:"point"`
	Decision metric.Decision `json:"decision"`
	Change   *report.Figure  `json:"change_percent,omitempty"`
	Value    *report.Figure  `json:"value,omitempty"`
	Unit     string          `json:"unit,omitempty"`
	Why      string          `json:"why,omitempty"`
}

// JSON is the result for machines, to be encoded; docs/compare.md describes it.
func (r *Result) JSON() any {
	out := resultJSON{Version: jsonVersion, Margin: 100 * r.Options.Margin, Assumed: 100 * r.Options.Assumed,
		Baseline: r.Baseline, Untold: r.Untold}
	for _, v := range r.Versus {
		one := versusJSON{A: v.A, B: v.B, Differs: v.Differs, Varies: v.Varies, Alone: v.Alone, Warnings: v.Warnings}
		for _, p := range v.Points {
			point := pointJSON{Name: p.Name}
			for _, c := range p.Figures {
				point.Figures = append(point.Figures, c.json())
			}
			one.Points = append(one.Points, point)
		}
		for _, g := range v.Gates {
			one.Gates = append(one.Gates, g.json())
		}
		out.Versus = append(out.Versus, one)
	}
	return out
}

func (c Change) json() changeJSON {
	m, _ := metric.Lookup(c.Figure.Tag)
	out := changeJSON{Figure: c.Figure.String(), Unit: m.Unit, A: c.A, B: c.B, ARuns: c.ARuns, BRuns: c.BRuns,
		Change: c.Percent, P: record.Number(c.P), Adjusted: record.Number(c.Adjusted), By: c.By, Assumed: c.Assumed,
		Word: c.Word, Why: c.Why}
	if c.Need != (Need{}) {
		out.Need = &c.Need
	}
	return out
}

func (v GateVerdict) json() gateJSON {
	out := gateJSON{Gate: v.Gate.Text, Point: v.Point, Decision: v.Decision, Why: v.Why}
	if v.Gate.Change {
		out.Change = &v.Figure
	} else {
		out.Value, out.Unit = &v.Figure, v.Figure.Unit
	}
	return out
}
