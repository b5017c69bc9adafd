package main

import (
	"context"

	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/study/router"
)

// routerPrefixCmd is Dynamo's prefix ratio benchmark.
type routerPrefixCmd struct {
	options.Comparison
	options.Speed
	options.PrefixRatio
}

// Help is shown below the options.
func (routerPrefixCmd) Help() string {
	return `Examples:

  headway router prefix-ratio --prefix-ratios 0.1,0.3,0.5,0.7,0.9
      8 simulated workers, KV-aware against round-robin
  headway router prefix-ratio --prefix-ratios 0.1,0.5,0.9 --model M --url http://localhost:8000
  headway router prefix-ratio --model M --url kv=http://host-a:8000 --url rr=http://host-b:8000`
}

func (c *routerPrefixCmd) Run(ctx context.Context, a cli.App) (int, error) {
	var bad fault.List
	variants := router.Variants(&c.Comparison, a.Caller, &bad, c.Speedup)
	c.PrefixRatio.Faults(&c.Comparison, a.Given, &bad)
	if err := bad.Usage(); err != nil {
		return cli.Usage, err
	}
	return runComparison(ctx, a, &c.Comparison, "prefix-ratio", variants, func(uint64) (router.Benchmark, error) {
		return router.PrefixRatio(c.PrefixRatio, c.Speedup), nil
	})
}
