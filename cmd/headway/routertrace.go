package main

import (
	"context"

	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/study/router"
)

// routerTraceCmd plays a trace.
type routerTraceCmd struct {
	options.Comparison
	options.Trace
	options.Speeds
}

// Help is shown below the options.
func (routerTraceCmd) Help() string {
	return `Examples:

  headway router trace
      1000 requests like those of a chat service, on 8 simulated workers: KV-aware against round-robin
  headway router trace --input-dataset mooncake_trace.jsonl --spread-timestamps even --load-sweep 0.25,0.5,1,2,4
  headway router trace --input-dataset mooncake_trace.jsonl --speedup-ratio 2 --prefix-len-multiplier 2
  headway router trace --input-dataset trace.jsonl --model M --url kv=http://host-a:8000 --url rr=http://host-b:8000`
}

func (c *routerTraceCmd) Run(ctx context.Context, a cli.App) (int, error) {
	var bad fault.List
	variants := router.Variants(&c.Comparison, a.Caller, &bad, 1)
	c.Trace.Faults(&c.Comparison, a.Given, &bad)
	c.Speeds.Faults(&bad)
	if err := bad.Usage(); err != nil {
		return cli.Usage, err
	}
	return runComparison(ctx, a, &c.Comparison, "trace", variants, func(seed uint64) (router.Benchmark, error) {
		return router.Trace(c.Trace, c.Speeds, seed, cli.FlagOf)
	})
}
