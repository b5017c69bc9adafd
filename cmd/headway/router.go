package main

import (
	"context"
	"fmt"

	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/study"
	"headway/internal/study/router"
	"headway/report"
)

// routerCmd benchmarks where requests go.
type routerCmd struct {
	Trace       routerTraceCmd    `cmd:"" help:"Play a recorded trace, or one drawn from it, at one load or several."`
	PrefixRatio routerPrefixCmd   `cmd:"" help:"Prompts that share a given fraction as a common prefix."`
	Sessions    routerSessionsCmd `cmd:"" help:"Conversations, turn after turn."`
	Priority    routerPriorityCmd `cmd:"" help:"A trace without and with priorities."`
}

// runComparison makes the benchmark of that name and shows what it gave. What load it
// has is asked for when the seed is known.
func runComparison(ctx context.Context, a cli.App, o *options.Comparison, name string, variants []router.Variant,
	load func(seed uint64) (router.Benchmark, error)) (int, error) {
	seed, err := comparedSeed(o, name)
	if err != nil {
		return cli.Usage, fault.Usage(err)
	}
	o.Seed = &seed
	b, err := load(seed)
	if err != nil {
		return cli.Usage, fault.Usage(err)
	}
	for _, w := range b.Warnings {
		a.Note("warning: %s", w.Text)
	}
	s := &router.Study{Benchmark: b, Options: o, Variants: variants, Seed: seed,
		Caller: a, Env: a.Caller, Called: cli.FlagOf, Watch: a.Watch}
	if !o.Quiet {
		s.Tell = a.Note
	}
	if err := s.Check(); err != nil {
		return cli.Usage, fault.Usage(err)
	}
	release, err := a.Begin(cli.Outside{Web: &o.Web, Exports: &o.Exports, Late: o.Lag(),
		Dir: o.Dir(name), Quiet: o.Quiet})
	defer release()
	if err != nil {
		return cli.Failed, err
	}
	if err := s.Prepare(ctx, a.OptionSettings); err != nil {
		return cli.Failed, err
	}
	got, err := s.Run(ctx)
	if got != nil {
		leavePage(a, study.ComparisonIn(o.Dir(name), got), "")
		if e := showComparison(a, o, got); err == nil {
			err = e
		}
	}
	switch {
	case router.Refused(err):
		return cli.Usage, fault.Usage(err)
	case err != nil || got == nil:
		return cli.Failed, err
	}
	if err := s.Failure(); err != nil {
		return cli.Failed, err
	}
	return a.Invalid(&o.Audit, invalidArms(got)), nil
}

// comparedSeed is that of the call which is gone on with, where none is given.
func comparedSeed(o *options.Comparison, name string) (uint64, error) {
	if o.Seed != nil || !o.Resume {
		return options.SeedOr(o.Seed), nil
	}
	return router.SeedBefore(o, name)
}

// showComparison prints the result: a table, or JSON.
func showComparison(a cli.App, o *options.Comparison, c *report.Comparison) error {
	switch {
	case o.JSON:
		return c.WriteJSON(a.Stdout)
	case o.Quiet:
		return nil
	}
	return c.WriteTable(a.Stdout, a.Page(""))
}

// invalidArms are the runs that are not valid.
func invalidArms(c *report.Comparison) []cli.InvalidRun {
	var all []cli.InvalidRun
	for _, k := range c.Cases {
		for _, v := range k.Arms {
			all = append(all, cli.InvalidRuns(fmt.Sprintf("%s on %s", k.Name, v.Name), v.Runs())...)
		}
	}
	return all
}
