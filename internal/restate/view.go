package restate

import (
	"fmt"
	"io"
	"math"
	"strings"

	"headway/internal/study"
	"headway/report"
)

// View shows the runs of a folder as a tool would have reported them.
type View struct {
	As   string
	Page report.ConsoleOptions
	// JSON prints a document for machines instead.
	JSON bool
}

// Write shows every run of the folder.
func (v View) Write(w io.Writer, disk *study.Disk) error {
	var all []runJSON
	doc := &report.Document{}
	for _, f := range disk.Found {
		for _, l := range f.Levels {
			for _, r := range l.Runs {
				res, err := Of(v.As, r.Report, r.Each)
				if err != nil {
					return err
				}
				name := strings.TrimPrefix(r.Dir, disk.Root)
				all = append(all, res.json(name, r.Report))
				res.document(doc, name, r.Report)
			}
		}
	}
	switch {
	case len(all) == 0:
		return fmt.Errorf("%s holds no requests, and a restatement is made of them: give a folder with records.jsonl "+
			"or profile_export.jsonl", disk.Root)
	case v.JSON:
		return report.WriteIndented(w, resultJSON{Version: 1, As: v.As, Runs: all})
	}
	return doc.Write(w, v.Page)
}

// resultJSON is the document; docs/restate.md describes it.
type resultJSON struct {
	Version int       `json:"headway_restate"`
	As      string    `json:"as"`
	Runs    []runJSON `json:"runs"`
}

type runJSON struct {
	Name    string       `json:"name,omitempty"`
	Version string       `json:"tool_version"`
	Source  string       `json:"tool_source"`
	Figures []Figure     `json:"figures"`
	Early   []Early      `json:"early_stopping,omitempty"`
	Differs []Difference `json:"differences"`
	Notes   []string     `json:"notes,omitempty"`
}

func (r *Result) json(name string, rep *report.Report) runJSON {
	return runJSON{Name: name, Version: r.Tool.Version, Source: r.Tool.Source, Figures: r.Figures, Early: r.Early,
		Differs: r.Differences(rep), Notes: r.Notes}
}

// document adds the tool's figures and the table of differences.
func (r *Result) document(d *report.Document, name string, rep *report.Report) {
	title := "headway | as " + r.Tool.Name + " " + r.Tool.Version
	if name != "" {
		title += " | " + strings.TrimPrefix(name, "/")
	}
	if g := r.distributions(title); len(g.Rows) > 0 {
		d.Table(1, g)
	}
	if g := r.numbers(title + " | totals"); len(g.Rows) > 0 {
		d.Table(1, g)
	}
	for _, e := range r.Early {
		d.Text(report.Plain, e.String())
	}
	differences(d, r.Tool.Name, r.Differences(rep))
	for _, text := range r.Notes {
		d.Text(report.Plain, text)
	}
	d.Text(report.Plain, "Definitions: "+r.Tool.Source+".")
	d.Gap()
}

// distributions is the table of figures with statistics.
func (r *Result) distributions(title string) report.Grid {
	g := report.Grid{Title: title, Columns: []string{"Figure"}}
	for _, c := range r.Tool.columns {
		g.Columns = append(g.Columns, c.title)
	}
	g.Columns = append(g.Columns, "unit")
	for _, f := range r.Figures {
		if len(f.Values) < 2 {
			continue
		}
		row := []report.Cell{{Text: f.Name}}
		for _, v := range f.Values {
			row = append(row, cell(v, f.Unit))
		}
		g.Rows = append(g.Rows, append(row, report.Cell{Text: f.Unit}))
	}
	return g
}

// numbers is the table of figures that are one number, and of those that are not known.
func (r *Result) numbers(title string) report.Grid {
	g := report.Grid{Title: title, Columns: []string{"Figure", "value", "unit"}}
	for _, f := range r.Figures {
		switch {
		case f.Unknown != "":
			g.Rows = append(g.Rows, []report.Cell{{Text: f.Name}, {Text: "–"}, {Text: f.Unknown}})
		case len(f.Values) == 1:
			g.Rows = append(g.Rows, []report.Cell{{Text: f.Name}, cell(f.Values[0], f.Unit), {Text: f.Unit}})
		}
	}
	return g
}

func cell(v Value, unit string) report.Cell {
	e := report.Exact(float64(v.Value))
	e.Unit = unit
	return report.Cell{Text: number(float64(v.Value)), Figure: &e, Unit: unit}
}

// number has five digits.
func number(v float64) string {
	switch {
	case math.IsNaN(v):
		return "–"
	case math.IsInf(v, 1):
		return "∞"
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		return fmt.Sprintf("%.0f", v)
	case math.Abs(v) >= 1e5:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprintf("%.5g", v)
}
