package main

import (
	"cmp"
	"context"
	"path/filepath"

	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/study"
	"headway/report"
	"headway/report/picture"
)

// plotCmd draws the results of a folder.
type plotCmd struct {
	Dir       string   `arg:"" optional:"" type:"path" help:"Folder of results, as an argument instead of --data-dir."`
	DataDir   string   `name:"data-dir" aliases:"paths,artifacts-root-dir" type:"path" placeholder:"DIR" help:"Folder of results: headway's, or aiperf's own. Default: results; artifacts under the name aiperf."`
	Names     []string `name:"benchmark-name" placeholder:"NAME" help:"Experiments to draw; repeatable. Default: all, at most twelve."`
	OutputDir string   `name:"output-dir" aliases:"output" short:"d" type:"path" placeholder:"DIR" help:"Where pictures go. Default: DATA-DIR/plots."`
	NumGPUs   int      `name:"num-gpus" default:"0" help:"GPUs behind each endpoint. Default: what the results say."`
}

// Help is shown below the options.
func (plotCmd) Help() string {
	return `Examples:

  headway plot results
  headway plot --data-dir results --benchmark-name a --benchmark-name b --output-dir pictures`
}

func (p *plotCmd) Run(_ context.Context, a cli.App) (int, error) {
	var bad fault.List
	bad.NotNegative("num-gpus", float64(p.NumGPUs))
	bad.When(p.Dir != "" && p.DataDir != "", "%s and an argument: give one folder", fault.Field("data-dir"))
	if err := bad.Usage(); err != nil {
		return cli.Usage, err
	}
	usual := "results"
	if a.AsAiperf {
		usual = "artifacts"
	}
	p.DataDir = cmp.Or(p.Dir, p.DataDir, usual)
	if p.OutputDir == "" {
		p.OutputDir = filepath.Join(p.DataDir, "plots")
	}
	return cli.Done, plot(a, p.DataDir, p.OutputDir, p.Names, p.NumGPUs)
}

func plot(a cli.App, data, out string, names []string, gpus int) error {
	experiments, warnings, err := report.Tree(data, names)
	for _, w := range warnings {
		a.Note("warning: %s", w.Text)
	}
	if err != nil {
		return err
	}
	files, err := picture.Plot(out, experiments, picture.Options{GPUs: gpus,
		Warn: func(text string) { a.Note("warning: %s", text) }})
	if err != nil {
		return err
	}
	a.Note("%d files in %s: SUMMARY.txt and pictures as PNG and SVG", len(files), out)
	return nil
}

// draw draws the results of the run, where that is asked for.
func (c *runCmd) draw(a cli.App, dir string) error {
	if !c.AutoPlot {
		return nil
	}
	loud := a
	if c.Quiet {
		a = a.Silent()
	}
	err := plot(a, dir, filepath.Join(dir, "plots"), nil, c.NumGPUs)
	if err != nil && !c.PlotRequired {
		loud.Note("warning: no pictures: %v", err)
		return nil
	}
	return err
}

// plot draws the experiments of this call that have results.
func (b *benchCmd) plot(a cli.App, trials []*study.Trial) error {
	var names []string
	for _, t := range trials {
		if len(t.Levels) > 0 {
			names = append(names, t.Endpoint.Name)
		}
	}
	if !b.Plots || len(names) == 0 {
		return nil
	}
	if b.Quiet {
		a = a.Silent()
	}
	return plot(a, b.OutputDir, filepath.Join(b.OutputDir, "plots"), names, b.NumGPUs)
}

func (plotCmd) EndsAtOnce() {}
