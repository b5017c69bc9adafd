package main

import (
	"context"

	"headway/internal/cli"
	"headway/internal/options"
	"headway/internal/plan"
	"headway/report"
)

// planCmd says how many replicas a recorded load needs.
type planCmd struct{ options.Capacity }

// Help is shown below the options.
func (planCmd) Help() string {
	return `Examples:

  headway plan --trace mooncake_trace.jsonl --twin twin.json --objective 'time_to_first_token p99 < 2s'
  headway plan --trace day.jsonl --twin tp1.json --twin tp2.json=2 --gpu-cost-per-hour 2.5 \
      --objective 'ttft p99 < 2s' --objective 'itl p99 < 50ms'
  headway plan --trace day.jsonl --twin tp1.json --objective 'itl p99 < 30ms' --objective 'ttft p99 < 3s' \
      --layout aggregated,disaggregated --kv-bytes-per-token 131072 --kv-tier host:64GB
  headway plan --trace azure.csv --twin twin.json --objective 'latency p95 < 10s' --resume`
}

func (c *planCmd) Run(ctx context.Context, a cli.App) (code int, err error) {
	asked, read, err := plan.Read(&c.Capacity)
	if err != nil {
		return cli.Usage, err
	}
	release, err := a.Claim(c.Dir)
	defer release()
	if err != nil {
		return cli.Failed, err
	}
	now, err := a.OptionSettings(report.NewRedactor(), false)
	if err == nil {
		err = asked.Open(&c.Capacity, now)
	}
	if err != nil {
		return cli.Usage, err
	}
	defer asked.Steps.Close()
	if !c.Quiet {
		noteSkipped(a, read.Skipped, read.FirstSkip)
		asked.Tell = func(text string) { a.Note("%s", text) }
	}
	made, err := plan.Make(ctx, asked)
	if err == nil {
		err = made.Write(c.Dir)
	}
	if err != nil {
		return cli.Failed, err
	}
	if made.Static == nil {
		code = cli.Missed
	}
	switch {
	case c.JSON:
		err = report.WriteIndented(a.Stdout, made)
	case !c.Quiet:
		err = made.Document().Write(a.Stdout, a.Page(""))
	}
	return code, err
}
