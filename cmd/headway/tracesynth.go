package main

import (
	"context"
	"strings"

	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/trace"
	"headway/report"
	"headway/workload/synth"
)

// traceSynthesizeCmd draws a new trace.
type traceSynthesizeCmd struct {
	options.TraceInput
	options.ModelSource
	options.Synthesis
	options.MadeFile
	Requests int     `name:"num-requests" aliases:"requests" default:"100000" help:"Rows to draw."`
	Seed     *uint64 `name:"seed" aliases:"random-seed" placeholder:"N" help:"Seed of everything that is drawn. Default: from the system, and printed."`
	Output   string  `name:"output-file" short:"o" type:"path" placeholder:"FILE" help:"The new trace; - is standard output. Default: a name made of the options, beside the trace."`
}

// Help is shown below the options.
func (traceSynthesizeCmd) Help() string {
	return `Examples:

  headway trace synthesize mooncake_trace.jsonl --num-requests 500000 -o new.jsonl --seed 1
  headway trace synthesize mooncake_trace.jsonl --prefix-len-multiplier 2 --speedup-ratio 4
  headway trace synthesize --preset mooncake-conversation --arrivals poisson -o new.jsonl`
}

func (c *traceSynthesizeCmd) Run(_ context.Context, a cli.App) (int, error) {
	var bad fault.List
	c.TraceInput.Faults(&bad, true)
	c.ModelSource.Faults(&bad, c.Path())
	c.Synthesis.Faults(&bad)
	bad.Positive("num-requests", float64(c.Requests))
	c.MadeFile.Faults(&bad, c.Output)
	bad.When(c.Path() == "" && !c.Chosen(), "nothing to draw from: give a trace, %s or %s", fault.Field("fit"),
		fault.Field("preset"))
	if err := bad.Usage(); err != nil {
		return cli.Usage, err
	}
	m, err := c.model(a)
	if err != nil {
		return cli.Usage, fault.Usage(err)
	}
	o, err := c.Options(c.Requests, options.SeedOr(c.Seed))
	if err != nil {
		return cli.Usage, err
	}
	drawn, err := trace.Draw(m, o, c.output(o), a.Stdout)
	switch {
	case err != nil:
		return cli.Failed, err
	case c.JSON:
		return cli.Done, report.WriteIndented(a.Stdout, drawn)
	}
	noteAll(a, drawn.Lines())
	return cli.Done, nil
}

func (c *traceSynthesizeCmd) model(a cli.App) (*synth.Model, error) {
	if c.Chosen() {
		return c.ModelSource.Read()
	}
	t, err := readRows(a, c.TraceInput)
	if err != nil {
		return nil, err
	}
	return synth.Fit(t.Rows, t.BlockSize, synth.Limits{})
}

// output is the file to write.
func (c *traceSynthesizeCmd) output(o synth.Options) string {
	switch {
	case c.Output != "":
		return c.Output
	case c.Chosen():
		return o.FileName(strings.TrimSuffix(c.Model+c.Preset, ".json") + ".jsonl")
	}
	return o.FileName(c.Path())
}

func (traceSynthesizeCmd) EndsAtOnce() {}
