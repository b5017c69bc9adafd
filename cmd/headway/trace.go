package main

import (
	"context"
	"path/filepath"

	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/plain"
	"headway/internal/trace"
	"headway/report"
	"headway/workload"
	"headway/workload/synth"
)

// traceCmd is what can be done with a trace without sending it.
type traceCmd struct {
	Analyze    traceAnalyzeCmd    `cmd:"" help:"Describe a trace: lengths, shared prefixes, arrivals."`
	Synthesize traceSynthesizeCmd `cmd:"" help:"Synthesize a trace that resembles another one, or a preset."`
	Fit        traceFitCmd        `cmd:"" help:"Fit a statistical model to a trace and save it for 'trace synthesize'."`
	Convert    traceConvertCmd    `cmd:"" help:"Convert a file of another format to a Mooncake trace."`
}

// readRows reads a trace and says what was skipped of it.
func readRows(a cli.App, in options.TraceInput) (*workload.Trace, error) {
	t, err := in.Read()
	if err == nil {
		noteSkipped(a, t.Skipped, t.FirstSkip)
	}
	return t, err
}

func noteSkipped(a cli.App, n int, first error) {
	if text := trace.Skipped(n, first); text != "" {
		a.Note("%s", text)
	}
}

// noteAll says what was made.
func noteAll(a cli.App, lines []string) {
	for _, line := range lines {
		a.Note("%s", line)
	}
}

// traceAnalyzeCmd describes a trace.
type traceAnalyzeCmd struct {
	options.TraceInput
	options.TraceTiers
	JSON  bool   `name:"json" help:"Print the result as JSON."`
	Plots string `name:"plots" type:"path" placeholder:"DIR" help:"Draw arrivals, lengths and reuse over cache size into this folder."`
}

// Help is shown below the options.
func (traceAnalyzeCmd) Help() string {
	return `Examples:

  headway trace analyze mooncake_trace.jsonl
  headway trace analyze mooncake_trace.jsonl --json
  headway trace analyze trace.jsonl --kv-bytes-per-token 131072 --kv-tier gpu:500GB --kv-tier host:2TB
  headway trace analyze trace.csv --plots pictures`
}

func (c *traceAnalyzeCmd) Run(_ context.Context, a cli.App) (int, error) {
	var bad fault.List
	c.Faults(&bad, false)
	tiers := c.Parse(&bad, c.BlockSize)
	if err := bad.Usage(); err != nil {
		return cli.Usage, err
	}
	t, err := readRows(a, c.TraceInput)
	if err != nil {
		return cli.Usage, fault.Usage(err)
	}
	got, err := synth.Analyze(t.Rows, t.BlockSize)
	if err != nil {
		return cli.Usage, fault.Usage(err)
	}
	name := filepath.Base(t.Name)
	if c.JSON {
		err = report.WriteIndented(a.Stdout, trace.AnalysisOf(got, tiers))
	} else {
		err = trace.Document(name, got, tiers).Write(a.Stdout, a.Page(""))
	}
	if err != nil || c.Plots == "" {
		return cli.Done, err
	}
	n, err := trace.WritePictures(c.Plots, name, got)
	if err == nil {
		a.Note("%s in %s, as PNG and SVG", plain.HowMany(n, "picture", "pictures"), c.Plots)
	}
	return cli.Done, err
}

func (traceAnalyzeCmd) EndsAtOnce() {}
