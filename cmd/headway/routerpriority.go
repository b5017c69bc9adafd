package main

import (
	"context"

	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/study/router"
)

// routerPriorityCmd plays a trace without and with priorities, as Dynamo's
// priority benchmark does.
type routerPriorityCmd struct {
	options.Comparison
	options.Trace
	options.Tiers
}

// Help is shown below the options.
func (routerPriorityCmd) Help() string {
	return `Examples:

  headway router priority --speedup-ratio 8 --router-queue-threshold 1
  headway router priority --input-dataset trace.jsonl --speedup-ratio 8 --priority-values 0,10,100 \
      --router-queue-threshold 1
  headway router priority --input-dataset trace.jsonl --model M --url http://localhost:8000

Priorities work where requests wait in the router: under load, and with
--router-queue-threshold low enough that it holds requests back before the
workers' own queues grow.`
}

func (c *routerPriorityCmd) Run(ctx context.Context, a cli.App) (int, error) {
	var bad fault.List
	if !c.Live() && len(c.Modes) == 0 {
		c.Modes = []string{"kv"}
	}
	variants := router.Variants(&c.Comparison, a.Caller, &bad, 1)
	c.Trace.Faults(&c.Comparison, a.Given, &bad)
	c.Tiers.Faults(&c.Comparison, &bad)
	router.TierFaults(&c.Comparison, variants, &bad)
	if err := bad.Usage(); err != nil {
		return cli.Usage, err
	}
	load := func(seed uint64) (router.Benchmark, error) {
		return router.Priority(c.Trace, c.Tiers, seed, cli.FlagOf)
	}
	return runComparison(ctx, a, &c.Comparison, "priority", router.Pairs(variants), load)
}
