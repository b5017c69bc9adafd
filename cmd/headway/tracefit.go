package main

import (
	"context"

	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/trace"
	"headway/report"
)

// traceFitCmd writes a model.
type traceFitCmd struct {
	options.TraceInput
	options.MadeFile
	Output string `name:"output-file" short:"o" type:"path" default:"-" placeholder:"FILE" help:"The model; - is standard output."`
	Full   bool   `name:"full" help:"Keep everything, however large; otherwise the file stays under 200 KB."`
}

// Help is shown below the options.
func (traceFitCmd) Help() string {
	return `Examples:

  headway trace fit mooncake_trace.jsonl -o model.json
  headway trace synthesize --fit model.json -o new.jsonl`
}

func (c *traceFitCmd) Run(_ context.Context, a cli.App) (int, error) {
	var bad fault.List
	c.TraceInput.Faults(&bad, false)
	c.MadeFile.Faults(&bad, c.Output)
	if err := bad.Usage(); err != nil {
		return cli.Usage, err
	}
	t, err := readRows(a, c.TraceInput)
	if err != nil {
		return cli.Usage, fault.Usage(err)
	}
	fitted, err := trace.Fit(t, trace.Fitting{Full: c.Full, Compare: c.JSON}, c.Output, a.Stdout)
	switch {
	case err != nil || c.Output == trace.Stdout:
		return cli.Done, err
	case c.JSON:
		return cli.Done, report.WriteIndented(a.Stdout, fitted)
	}
	noteAll(a, fitted.Lines())
	return cli.Done, nil
}

func (traceFitCmd) EndsAtOnce() {}
