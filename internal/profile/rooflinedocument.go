package profile

import (
	"fmt"

	"headway/internal/fault"
	"headway/report"
)

// Document is the comparison as a table, a point a row, and what fits the points.
// name is what options are called; nil leaves them their own names.
func (c RooflineComparison) Document(name func(fault.Field) string) *report.Document {
	rows := [][]string{{"phase", "sequences", "tokens", "measured ms", "roofline ms", "measured/roofline",
		"fitted ms", "measured/fitted"}}
	for _, p := range c.Points {
		rows = append(rows, c.row(p))
	}
	d := &report.Document{}
	d.Rows(3, rows)
	d.Line("roofline: %.2f of the peak rate and %.2f of the memory bandwidth are reached, as given",
		c.ComputeEfficiency, c.MemoryEfficiency)
	if c.Fit == nil {
		d.Line("no fit: %s", c.NoFit)
		return d
	}
	d.Line("%s", fault.Text(name, "fitted: %s %.3f %s %.3f, root mean square of the relative errors %.1f %%",
		fault.Field("compute-efficiency"), c.Fit.Compute, fault.Field("memory-efficiency"), c.Fit.Memory,
		100*c.Fit.RMS))
	for _, text := range c.Fit.Warnings {
		d.Line("warning: %s", text)
	}
	return d
}

func (c RooflineComparison) row(p RooflinePoint) []string {
	sequences, fitted, byFit := "1", "–", "–"
	if p.Phase == Decode {
		sequences = fmt.Sprintf("%.0f", p.Sequences)
	}
	if c.Fit != nil {
		fitted, byFit = fmt.Sprintf("%.2f", p.Fitted), fmt.Sprintf("%.2f", p.Measured/p.Fitted)
	}
	return []string{string(p.Phase), sequences, fmt.Sprintf("%.0f", p.Tokens), fmt.Sprintf("%.2f", p.Measured),
		fmt.Sprintf("%.2f", p.Predicted), fmt.Sprintf("%.2f", p.Measured/p.Predicted), fitted, byFit}
}
