package main

import (
	"context"
	"errors"
	"fmt"

	"headway/internal/cli"
	"headway/internal/study"
	"headway/report"
)

// measure measures one endpoint after the other and shows each.
func (b *benchCmd) measure(ctx context.Context, a cli.App, trials []*study.Trial) []error {
	var faults []error
	for _, t := range trials {
		if err := b.one(ctx, a, t, len(trials) > 1); err != nil {
			faults = append(faults, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return faults
}

// one measures an endpoint. several says that there are others.
func (b *benchCmd) one(ctx context.Context, a cli.App, t *study.Trial, several bool) error {
	show := cli.NewDisplay(a, &b.Output, t.Setup.Header, t.Endpoint.Name, b.Levels)
	t.Ready = func() { show.Begin(fmt.Sprintf("%g", b.ISL.Value), fmt.Sprintf("%g", b.OSL.Value), t.Sweep.Dir) }
	t.Sweep.Watch, t.Sweep.Done = show.Watch, func(l study.Level) { show.Level(l.Line()) }
	name := ""
	if several {
		name = t.Endpoint.Name
	}
	err := t.Run(ctx)
	leavePage(a, study.SweepIn(t.Sweep.Dir, t.Levels), "")
	if err = errors.Join(err, b.table(a, t, name), t.Failed()); err != nil && several {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return err
}

// table prints what a sweep gave.
func (b *benchCmd) table(a cli.App, t *study.Trial, name string) error {
	switch {
	case len(t.Levels) == 0:
		return nil
	case b.JSON:
		return study.WriteLevelsJSON(a.Stdout, t.Endpoint.Name, t.Levels, b.Confidence)
	case b.Quiet:
		return nil
	}
	var levels []report.Level
	for _, l := range t.Levels {
		levels = append(levels, report.Level{Runs: l.Reports})
	}
	fmt.Fprintln(a.Stdout)
	return report.WriteLevels(a.Stdout, levels, a.Page(name))
}

// exit is the exit code of what was measured. It says which measurements are not
// valid, whatever else went wrong.
func (b *benchCmd) exit(a cli.App, trials []*study.Trial) int {
	var all []cli.Judged
	for _, t := range trials {
		for _, l := range t.Levels {
			where := fmt.Sprintf("concurrency %d", l.Concurrency)
			if len(trials) > 1 {
				where = t.Endpoint.Name + ", " + where
			}
			all = append(all, cli.Judged{Where: where, Reports: l.Reports})
		}
	}
	return a.Conclude(all, &b.Audit, &b.Output)
}
