package main

import (
	"context"

	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/study/router"
)

// routerSessionsCmd plays conversations, as Dynamo's agent benchmark does.
type routerSessionsCmd struct {
	options.Comparison
	options.Speed
	options.Conversations
}

// Help is shown below the options.
func (routerSessionsCmd) Help() string {
	return `Examples:

  headway router sessions --input-dataset trace.jsonl --concurrency 20 --delay 0
  headway router sessions --input-dataset trace.jsonl --model M --url http://localhost:8000`
}

func (c *routerSessionsCmd) Run(ctx context.Context, a cli.App) (int, error) {
	var bad fault.List
	variants := router.Variants(&c.Comparison, a.Caller, &bad, c.Speedup)
	c.Conversations.Faults(&c.Comparison, a.Given, &bad)
	if err := bad.Usage(); err != nil {
		return cli.Usage, err
	}
	return runComparison(ctx, a, &c.Comparison, "sessions", variants, func(uint64) (router.Benchmark, error) {
		return router.Sessions(c.Conversations, c.Speedup)
	})
}
