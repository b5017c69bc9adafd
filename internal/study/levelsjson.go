package study

import (
	"fmt"
	"io"

	"headway/report"
)

// WriteLevelsJSON prints a sweep for machines: each level with the document that its
// profile_export_aiperf.json holds. confidence (0 to 1) is that of the intervals
// over runs.
func WriteLevelsJSON(w io.Writer, name string, all []Level, confidence float64) error {
	type level struct {
		Concurrency int    `json:"concurrency"`
		Dir         string `json:"dir"`
		report.RunsDocument
	}
	doc := struct {
		Name   string  `json:"benchmark_name"`
		Levels []level `json:"levels"`
	}{Name: name}
	for _, l := range all {
		runs, err := report.OfRuns(l.Reports, confidence)
		if err != nil {
			return err
		}
		doc.Levels = append(doc.Levels, level{Concurrency: l.Concurrency, Dir: l.Dir, RunsDocument: runs})
	}
	if err := report.WriteIndented(w, doc); err != nil {
		return fmt.Errorf("printing the result: %w", err)
	}
	return nil
}
