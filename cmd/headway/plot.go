package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"

	"headway/internal/study"
	"headway/report"
)

// plotCmd draws the results of a folder.
type plotCmd struct {
	DataDir   string   `name:"data-dir" type:"path" default:"results" help:"Folder of results: headway's, or aiperf's own."`
	Names     []string `name:"benchmark-name" placeholder:"NAME" help:"Experiments to draw; repeatable. Default: all, at most twelve."`
	OutputDir string   `name:"output-dir" short:"d" type:"path" placeholder:"DIR" help:"Where pictures go. Default: DATA-DIR/plots."`
	NumGPUs   int      `name:"num-gpus" default:"0" help:"GPUs behind each endpoint. Default: what the results say."`
}

// Help is shown below the options.
func (plotCmd) Help() string {
	return `Examples:

  headway plot --data-dir results
  headway plot --data-dir results --benchmark-name a --benchmark-name b --output-dir pictures`
}

func (p *plotCmd) run(_ context.Context, a app) (int, error) {
	var bad faultList
	bad.notNegative("num-gpus", float64(p.NumGPUs))
	if err := bad.err(); err != nil {
		return exitUsage, err
	}
	if p.OutputDir == "" {
		p.OutputDir = filepath.Join(p.DataDir, "plots")
	}
	return exitDone, a.plot(p.DataDir, p.OutputDir, p.Names, p.NumGPUs)
}

func (a app) plot(data, out string, names []string, gpus int) error {
	experiments, warnings, err := report.Tree(data, names)
	for _, w := range warnings {
		a.note("warning: %s", w.Text)
	}
	if err != nil {
		return err
	}
	files, err := report.Plot(out, experiments, report.PlotOptions{GPUs: gpus})
	if err != nil {
		return err
	}
	a.note("%d files in %s: SUMMARY.txt and pictures as PNG and SVG", len(files), out)
	return nil
}

// plot draws the experiments of this call that have results.
func (b *benchCmd) plot(a app, trials []*trial) error {
	var names []string
	for _, t := range trials {
		if len(t.levels) > 0 {
			names = append(names, t.e.name)
		}
	}
	if !b.Plots || len(names) == 0 {
		return nil
	}
	if b.Quiet {
		a.notes = &notes{w: io.Discard}
	}
	return a.plot(b.OutputDir, filepath.Join(b.OutputDir, "plots"), names, b.NumGPUs)
}

// jsonOf is the document of one run.
func jsonOf(r *report.Report) (json.RawMessage, error) {
	var b bytes.Buffer
	err := r.WriteJSON(&b)
	return b.Bytes(), err
}

// writeLevelsJSON prints a sweep for machines: each level with the document
// that its profile_export_aiperf.json holds.
func writeLevelsJSON(w io.Writer, name string, all []study.Level) error {
	type level struct {
		Concurrency int               `json:"concurrency"`
		Dir         string            `json:"dir"`
		Runs        []json.RawMessage `json:"runs"`
	}
	doc := struct {
		Name   string  `json:"benchmark_name"`
		Levels []level `json:"levels"`
	}{Name: name}
	for _, l := range all {
		one := level{Concurrency: l.Concurrency, Dir: l.Dir}
		for _, r := range l.Reports {
			text, err := jsonOf(r)
			if err != nil {
				return err
			}
			one.Runs = append(one.Runs, text)
		}
		doc.Levels = append(doc.Levels, one)
	}
	if err := printJSON(w, doc); err != nil {
		return fmt.Errorf("printing the result: %w", err)
	}
	return nil
}
