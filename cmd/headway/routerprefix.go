package main

import (
	"context"
	"fmt"
	"math"

	"headway/internal/study"
	"headway/workload"
)

// routerPrefixCmd is Dynamo's prefix ratio benchmark.
type routerPrefixCmd struct {
	contestFlags
	speedFlags
	Ratios      floats `name:"prefix-ratios" default:"0.5" help:"Shares of the input that are a shared prefix, 0 to 1."`
	ISL         int    `name:"isl" default:"14000" help:"Input length, prefix included (tokens)."`
	OSL         int    `name:"osl" default:"200" help:"Output length (tokens)."`
	Requests    int    `name:"requests" aliases:"num-requests,request-count" default:"200" help:"Requests at each ratio."`
	Concurrency int    `name:"concurrency" default:"20" help:"Requests in flight, over all replicas."`
	Prefixes    int    `name:"num-prefix-prompts" default:"20" help:"How many prefixes there are; each request takes one at random."`
}

// Help is shown below the options.
func (routerPrefixCmd) Help() string {
	return `Examples:

  headway router prefix-ratio --prefix-ratios 0.1,0.3,0.5,0.7,0.9
      8 simulated workers, KV-aware against round-robin
  headway router prefix-ratio --prefix-ratios 0.1,0.5,0.9 --model M --url http://localhost:8000
  headway router prefix-ratio --model M --url kv=http://host-a:8000 --url rr=http://host-b:8000`
}

func (c *routerPrefixCmd) run(ctx context.Context, a app) (int, error) {
	var bad faultList
	arms := c.arms(&bad)
	c.unused(a, &bad)
	c.clusterFaults(a, &bad, arms, c.Speedup)
	if c.live() && a.given["speedup-ratio"] {
		bad.add("--speedup-ratio: describes the simulated cluster, and --url measures real endpoints")
	}
	for _, r := range c.Ratios {
		bad.between("prefix-ratios", r, 0, 1)
	}
	c.Ratios.distinct(&bad, "prefix-ratios")
	for _, n := range []struct {
		name  string
		value int
	}{{"isl", c.ISL}, {"osl", c.OSL}, {"requests", c.Requests}, {"concurrency", c.Concurrency}, {"num-prefix-prompts", c.Prefixes}} {
		bad.positive(n.name, float64(n.value))
	}
	if err := bad.err(); err != nil {
		return exitUsage, err
	}
	var loads []routerLoad
	for _, r := range c.Ratios {
		loads = append(loads, c.load(r))
	}
	b := c.bench(a, "prefix-ratio", arms, loads)
	b.speedup = c.Speedup
	b.summary.XKey, b.summary.XLabel = "prefix_ratio", "Prefix ratio"
	b.summary.Notes = []string{fmt.Sprintf("%s of %d+%d tokens at concurrency %d; a share of the input is one of %s, the rest is each request's own",
		howMany(c.Requests, "request", "requests"), c.ISL, c.OSL, c.Concurrency, howMany(c.Prefixes, "prefix", "prefixes"))}
	return b.run(ctx)
}

// load is that of a ratio: the prefix has ratio·ISL tokens, and at least one
// token is the request's own, since a prompt cannot be all prefix.
func (c *routerPrefixCmd) load(ratio float64) routerLoad {
	prefix := min(int(math.Round(ratio*float64(c.ISL))), c.ISL-1)
	l := routerLoad{concurrency: c.Concurrency, arrivals: "concurrency_burst",
		Load: study.Load{Name: "ratio_" + slug(ratio), X: ratio}}
	l.plan = func(key workload.Key, _ int) (workload.Plan, error) {
		s := workload.Synthetic{Key: key, Requests: c.Requests, ISL: workload.Length{Mean: float64(c.ISL - prefix)}, OSL: workload.Length{Mean: float64(c.OSL)}}
		if prefix > 0 {
			s.PrefixPool, s.PrefixTokens = c.Prefixes, prefix
		}
		if err := s.Validate(); err != nil {
			return workload.Plan{}, err
		}
		src := s.Source()
		if c.live() {
			src = exactOutput(src, c.ExpectedOSL)
		}
		return workload.Plan{Source: src, Concurrency: c.Concurrency}, nil
	}
	return l
}
