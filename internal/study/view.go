package study

import (
	"fmt"
	"io"

	"headway/internal/bound"
	"headway/report"
)

// View shows what lies on disk, as the commands that wrote it showed it.
type View struct {
	// Page is how tables are shown.
	Page report.ConsoleOptions
	// JSON prints the JSON of the results instead, of each by itself.
	JSON bool
	// NumGPUs is how many are behind each endpoint; 0 is what the results say.
	NumGPUs int
}

// Write shows every result, then the summaries that have no requests beside them.
func (v View) Write(w io.Writer, d *Disk) error {
	for i, f := range d.Found {
		if i > 0 && !v.JSON && !v.Page.JSON {
			fmt.Fprintln(w)
		}
		if err := v.found(w, f, len(d.Found) > 1); err != nil {
			return err
		}
	}
	if err := v.others(w, d); err != nil {
		return err
	}
	if v.JSON {
		return d.copySummaries(w)
	}
	return v.summaries(w, d)
}

// others shows what other procedures left.
func (v View) others(w io.Writer, d *Disk) error {
	for i, o := range d.Others {
		if v.JSON {
			if err := report.WriteIndented(w, o.JSON()); err != nil {
				return err
			}
			continue
		}
		doc := &report.Document{}
		if i > 0 || len(d.Found) > 0 {
			doc.Gap()
		}
		if len(d.Others)+len(d.Found) > 1 {
			doc.Line("%s", o.Name)
		}
		doc.Append(o.Document())
		if err := doc.Write(w, v.Page); err != nil {
			return err
		}
	}
	return nil
}

// found shows one result, named where there are several.
func (v View) found(w io.Writer, f Found, named bool) error {
	if v.JSON {
		return f.writeJSON(w)
	}
	page := v.Page
	if named {
		page.Name = f.Name
	}
	for _, d := range f.Documents(page.Name) {
		if err := d.Write(w, page); err != nil {
			return err
		}
	}
	return nil
}

// Documents are a result as people read it: a comparison, a sweep, or a run, and of
// repeats the last and their table. name tells it from others, where there are some.
func (f Found) Documents(name string) []*report.Document {
	switch {
	case f.Comparison != nil:
		return []*report.Document{report.OfComparison(f.Comparison)}
	case f.Swept:
		return []*report.Document{report.OfLevels(f.Rows(), name)}
	}
	return documentsOf(f.Levels[0].Reports(), name, false)
}

// documentsOf are runs of one load: the last, and of several their table.
func documentsOf(reports []*report.Report, name string, http bool) []*report.Document {
	all := []*report.Document{report.OfRun(reports[len(reports)-1], name, http)}
	if len(reports) > 1 {
		all = append(all, report.OfLevels([]report.Level{{Runs: reports}}, name))
	}
	return all
}

// Runs shows runs of one load; confidence is of the intervals over them.
func (v View) Runs(w io.Writer, reports []*report.Report, confidence float64) error {
	if v.JSON {
		return writeRuns(w, reports, confidence)
	}
	for _, d := range documentsOf(reports, v.Page.Name, v.Page.HTTP) {
		if err := d.Write(w, v.Page); err != nil {
			return err
		}
	}
	return nil
}

// writeRuns prints runs of one load for machines.
func writeRuns(w io.Writer, reports []*report.Report, confidence float64) error {
	if len(reports) == 1 {
		return reports[0].WriteJSON(w)
	}
	doc, err := report.OfRuns(reports, confidence)
	if err != nil {
		return err
	}
	return report.WriteIndented(w, doc)
}

// writeJSON prints a result for machines.
func (f Found) writeJSON(w io.Writer) error {
	switch {
	case f.Comparison != nil:
		return f.Comparison.WriteJSON(w)
	case f.Swept:
		return WriteLevelsJSON(w, f.Name, f.Sweep(), f.Levels[0].Confidence())
	}
	return writeRuns(w, f.Levels[0].Reports(), f.Levels[0].Confidence())
}

// summaries shows the figures of files that have no requests beside them.
func (v View) summaries(w io.Writer, d *Disk) error {
	if all, _, err := report.Tree(d.Root, nil); err == nil && len(d.Summaries) > 1 && len(d.Found) == 0 {
		return report.OfExperiments(all, v.NumGPUs).Write(w, v.Page)
	}
	for _, path := range d.Summaries {
		l, err := report.Load(path)
		if err != nil {
			return err
		}
		page := v.Page
		page.Name = path
		if err := l.WriteConsole(w, page); err != nil {
			return err
		}
	}
	return nil
}

// copySummaries prints the files as they are.
func (d *Disk) copySummaries(w io.Writer) error {
	for _, path := range d.Summaries {
		text, err := bound.ReadFile(path, bound.Document, "the result")
		if err != nil {
			return err
		}
		if _, err := w.Write(text); err != nil {
			return err
		}
	}
	return nil
}
