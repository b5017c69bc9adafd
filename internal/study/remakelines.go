package study

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"headway/metric"
	"headway/record"
	"headway/report"
)

// Lines reads a profile_export.jsonl, ours or aiperf's, where there are no records
// beside it. What it does not tell of the run is taken from the summary beside
// it, as far as there is one.
func (m Remake) Lines(path string) (*Remade, error) {
	lines, err := report.OpenLines(path)
	if err != nil {
		return nil, err
	}
	one := &Remade{Dir: filepath.Dir(path), From: path, Names: linesNames(path), take: lines.Each}
	one.Missing = []string{"made of the lines of " + filepath.Base(path) + ": they tell neither when " +
		"connections were " +
		"opened and bytes were sent, nor which chunks were read together, nor whether the client was good enough; " +
		"requests that were never sent have no line"}
	run, err := m.runOf(lines, filepath.Join(one.Dir, one.Names.JSON), one)
	if err != nil {
		return nil, err
	}
	o := metric.Options{
		Clock: record.ClockAt(lines.Origin), Streaming: lines.Streaming, NumGPUs: run.NumGPUs,
		Objectives: m.Objectives, Samples: true,
	}
	if run.Rate == 0 {
		o.Concurrency = run.Concurrency
	}
	collector := metric.NewCollector(o)
	if err := lines.Each(collector); err != nil {
		return nil, err
	}
	run.Warnings = append(run.Warnings, record.Warning{Code: "from_lines", Text: one.Missing[0]})
	one.Report = &report.Report{Run: run, Result: collector.Result()}
	return one, nil
}

// linesNames are the names of a run's files, by that of its lines.
func linesNames(path string) report.Names {
	base := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), report.Zst), ".jsonl")
	if base == "profile_export" {
		base = ""
	}
	return report.FileNames(base)
}

// runOf describes the run that left the lines.
func (m Remake) runOf(lines *report.RequestLines, summary string, one *Remade) (record.Run, error) {
	var run record.Run
	run.Origin, run.Streaming, run.Arrivals = lines.Origin, lines.Streaming, "concurrency"
	run.Begin, run.End = lines.Begin, lines.End
	if lines.Skipped > 0 {
		text := fmt.Sprintf("%d lines of %s could not be read and are in no figure, the first: %v",
			lines.Skipped, lines.Path, lines.Fault)
		one.Missing = append(one.Missing, text)
		run.Warnings = append(run.Warnings, record.Warning{Code: "lines_unreadable", Text: text})
	}
	l, err := report.Load(summary)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		one.Missing = append(one.Missing,
			"the load and the model are not known: there is no "+one.Names.JSON+" beside the lines")
		run.NumGPUs = m.NumGPUs
		return run, nil
	case err != nil:
		return run, err
	}
	run.ID = l.ID
	run.Model = l.Model
	run.Simulated = l.Simulated
	run.Cancelled = l.Cancelled
	run.Concurrency, run.Rate, run.NumGPUs = l.Concurrency, l.Rate, cmp.Or(m.NumGPUs, l.GPUs)
	if l.Incomplete && !l.Cancelled {
		run.Aborted = one.Names.JSON + " says that not all was measured"
	}
	return run, nil
}
