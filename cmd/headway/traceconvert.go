package main

import (
	"context"

	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/trace"
	"headway/report"
)

// traceConvertCmd makes a Mooncake trace of another file.
type traceConvertCmd struct{ options.Conversion }

// Help is shown below the options.
func (traceConvertCmd) Help() string {
	return `Examples:

  headway trace convert azure.csv -o azure.jsonl
  headway trace convert BurstGPT.csv --model GPT-4 --num-prompt 10000 -o burst.jsonl
  headway trace convert trace.jsonl --spread-timestamps even -o spread.jsonl`
}

func (c *traceConvertCmd) Run(_ context.Context, a cli.App) (int, error) {
	how, err := c.Conversion.Conversion()
	if err != nil {
		return cli.Usage, err
	}
	done, err := trace.Convert(how, c.Path(), c.Output, a.Stdout)
	switch {
	case err != nil:
		return cli.Usage, fault.Usage(err)
	case c.JSON:
		return cli.Done, report.WriteIndented(a.Stdout, done)
	}
	noteAll(a, done.Lines())
	return cli.Done, nil
}

func (traceConvertCmd) EndsAtOnce() {}
