package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"

	"headway/internal/router"
	"headway/internal/study"
	"headway/workload"
)

// routerPriorityCmd plays a trace without and with priorities, as Dynamo's
// priority benchmark does.
type routerPriorityCmd struct {
	contestFlags
	traceFlags
	Shares floats `name:"priority-distribution" default:"0.5,0.3,0.2" help:"Shares of the tiers; they sum to 1."`
	Values floats `name:"priority-values" default:"0,1,2" help:"Priority hint of each tier: how many seconds its requests jump ahead in the router's queue."`
}

// Help is shown below the options.
func (routerPriorityCmd) Help() string {
	return `Examples:

  headway router priority --speedup-ratio 8 --router-queue-threshold 1
  headway router priority --input-dataset trace.jsonl --speedup-ratio 8 --priority-values 0,10,100
  headway router priority --input-dataset trace.jsonl --model M --url http://localhost:8000

Priorities work where requests wait in the router: under load, and with
--router-queue-threshold low enough that it holds requests back before the
workers' own queues grow.`
}

func (c *routerPriorityCmd) run(ctx context.Context, a app) (int, error) {
	if !c.live() && len(c.Modes) == 0 {
		c.Modes = []string{"kv"}
	}
	var bad faultList
	arms := c.arms(&bad)
	c.unused(a, &bad)
	c.traceFlags.faults(a, &bad)
	c.repeatable(&c.contestFlags, &bad)
	c.clusterFaults(a, &bad, arms, 1)
	c.tierFaults(&bad, arms)
	if c.Dataset != "" {
		if _, err := os.Stat(c.Dataset); err != nil {
			bad.add("--input-dataset: %v", err)
		}
	}
	if err := bad.err(); err != nil {
		return exitUsage, err
	}
	seed := seedOf(c.Seed)
	c.Seed = &seed
	d, notes, warnings, err := c.traceFlags.read(a, seed)
	if err != nil {
		return exitUsage, usageError{err}
	}
	l, err := c.load(d, c.rows(a, seed, d))
	if err != nil {
		return exitUsage, usageError{err}
	}
	b := c.bench(a, "priority", pairs(arms), []routerLoad{l})
	b.talks, b.fixed = d.Sessions < len(d.Requests), c.identity()
	b.tiers = &tiers{shares: c.Shares, values: c.Values, key: workload.Seed(seed).Named("tiers")}
	b.summary.Baseline = ""
	b.summary.Notes = append(notes, "without and with priorities: the same requests at the same times with the same tiers, each time with text of its own")
	b.summary.Warnings = warnings
	return b.run(ctx)
}

// pairs are each arm without and with priorities.
func pairs(arms []routerArm) []routerArm {
	var all []routerArm
	for _, a := range arms {
		plain, tagged := a, a
		plain.name, tagged.name, tagged.tagged = "baseline", "priority", true
		if len(arms) > 1 {
			plain.name, tagged.name = a.name+"-baseline", a.name+"-priority"
		}
		all = append(all, plain, tagged)
	}
	return all
}

func (c *routerPriorityCmd) tierFaults(bad *faultList, arms []routerArm) {
	if len(c.Shares) != len(c.Values) {
		bad.add("--priority-distribution has %d shares and --priority-values %d values: give one value for each share", len(c.Shares), len(c.Values))
	}
	sum := 0.0
	for _, s := range c.Shares {
		if s <= 0 {
			bad.add("--priority-distribution %g: must be above zero", s)
		}
		sum += s
	}
	if math.Abs(sum-1) > 1e-6 {
		bad.add("--priority-distribution: the shares sum to %g and must sum to 1", sum)
	}
	if !slices.IsSorted(c.Values) {
		bad.add("--priority-values: give them from the lowest to the highest, with their shares in the same order")
	}
	c.Values.distinct(bad, "priority-values")
	if c.live() {
		return
	}
	if c.Threshold == 0 && c.Order != "priority" {
		bad.add("--router-queue-threshold 0: without the router's queue priorities do nothing; give a threshold, or --scheduling-policy priority")
	}
	for _, a := range arms {
		if a.mode != router.KV {
			bad.add("--router-modes %s: only mode kv holds requests back, so priorities would do nothing", a.name)
		}
	}
}

// load is the trace on its schedule, or all at once where it has none.
func (c *routerPriorityCmd) load(d *workload.Dataset, rows func(repeat int) (*workload.Dataset, error)) (routerLoad, error) {
	w := workload.Window{Speedup: c.Speedup}
	src, err := d.Fixed(w, 0)
	if err != nil {
		return routerLoad{}, err
	}
	rate, err := rateOf(src)
	l := routerLoad{Load: study.Load{Name: fmt.Sprintf("speedup_%s", slug(c.Speedup))}, rate: rate, arrivals: "fixed_schedule"}
	l.plan = func(key workload.Key, repeat int) (workload.Plan, error) {
		d, err := rows(repeat)
		if err != nil {
			return workload.Plan{}, err
		}
		src, err := d.Fixed(w, key)
		if c.live() {
			src = exactOutput(src, c.ExpectedOSL)
		}
		return workload.Plan{Source: src}, err
	}
	return l, err
}
