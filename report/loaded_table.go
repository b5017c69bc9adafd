package report

import (
	"fmt"
	"io"

	"headway/internal/plain"
	"headway/metric"
)

// WriteConsole shows the figures of a summary as they are in the file, in the
// order of tables; nothing is computed.
func (l *Loaded) WriteConsole(w io.Writer, o ConsoleOptions) error {
	return OfLoaded(l, o.Name).Write(w, o)
}

// OfLoaded is the document of a summary.
func OfLoaded(l *Loaded, name string) *Document {
	d := &Document{}
	t := table{title: "headway | LLM Metrics"}
	t.columns = append([]column{{title: "Metric", style: styleCyan}}, consoleStats()...)
	if name != "" {
		t.title += " | " + plain.Line(name)
	}
	if l.Simulated {
		t.title += " (SIMULATED)"
	}
	for _, m := range metric.All() {
		if s, ok := l.Metrics[m.Tag]; ok && m.Console && !internal(m.Tag) {
			t.rows = append(t.rows, append([]string{nameCell(withUnit(m, s.Unit), 34)}, s.cells()...))
		}
	}
	if len(t.rows) == 0 {
		d.line("", t.title)
		d.line("", "No request was answered, so there is nothing to show.")
		return d
	}
	d.table(t)
	if l.Model != "" || l.Concurrency > 0 {
		d.text("", fmt.Sprintf("Model %s, concurrency %d, schema %s", plain.Line(l.Model), l.Concurrency,
			plain.Line(l.Schema)))
	}
	if l.Cut() {
		d.line(styleYellow, "The run was ended before all was measured.")
	}
	return d
}

// cells are the statistics in the columns of tables.
func (s Stats) cells() []string {
	var row []string
	for _, c := range consoleStats() {
		cell := "N/A"
		if v, ok := s.Values[c.title]; ok {
			cell = amount(v)
		}
		row = append(row, cell)
	}
	return row
}

// withUnit is a metric in the unit of a file: versions of aiperf differ in it.
func withUnit(m metric.Metric, unit string) metric.Metric {
	m.Unit = unit
	return m
}
