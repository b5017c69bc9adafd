package main

import (
	"context"
	"errors"
	"time"

	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/study"
	"headway/report"
)

// runCmd is one measurement with the options of `aiperf profile`.
type runCmd struct {
	options.OneRun
	forwardFlags
}

// Run makes the measurement, or the runs of --num-profile-runs.
func (c *runCmd) Run(ctx context.Context, a cli.App) (int, error) {
	p := c.Plan(a.Caller)
	if err := c.validate(a, p); err != nil {
		return cli.Usage, err
	}
	if c.Simulated {
		url, stop, err := simulate(c.Model[0])
		if err != nil {
			return cli.Failed, err
		}
		defer stop()
		c.URLs = []string{url}
	}
	unforward, err := c.forwardFlags.replace(ctx, a, &c.URLs, &c.Telemetry)
	defer unforward()
	if err != nil {
		return cli.Failed, err
	}
	release, err := a.Begin(cli.Outside{Web: &c.Web, Exports: &c.Exports, Late: c.Lag(),
		Dir: c.Folder(p), Quiet: c.Quiet})
	defer release()
	if err != nil {
		return cli.Failed, err
	}
	if err := c.earlier(a, c.Folder(p)); err != nil {
		return cli.Usage, err
	}
	g, err := study.OpenRun(ctx, a, a.Caller, &c.OneRun, p)
	if err != nil {
		return cli.Failed, err
	}
	defer g.Close()
	g.Way = c.way
	return c.measure(ctx, a, g, p)
}

// Faults are those of the options.
func (c *runCmd) Faults(a cli.App) error { return c.validate(a, c.Plan(a.Caller)) }

func (c *runCmd) validate(a cli.App, p *options.Plan) error {
	c.Forwarded = len(c.Forward)
	var bad fault.List
	c.forwardFlags.Faults(a, len(c.URLs), &bad)
	return c.Validate(a.Caller, p, bad)
}

// measure makes the runs and shows what they gave.
func (c *runCmd) measure(ctx context.Context, a cli.App, g *study.Setup, p *options.Plan) (int, error) {
	r := g.Repeat(&c.OneRun, p)
	d := cli.NewDisplay(a, &c.Output, g.Header, g.Name, []int{max(1, p.Concurrency.Value)})
	r.Watch, d.Duration = d.Watch, time.Duration(p.Duration)
	d.Begin(p.LengthText(false), p.LengthText(true), r.Dir)
	reports, err := r.Run(ctx)
	if len(reports) > 0 {
		if err := c.show(a, reports); err != nil {
			return cli.Failed, err
		}
		if !errors.Is(err, study.ErrOldStay) {
			leavePage(a, study.RunsIn(r.Dir, c.Prefix, reports), c.Prefix)
			c.told(a, r.Dir)
		}
	}
	if err != nil {
		return cli.Failed, err
	}
	for _, rep := range reports {
		if err := g.Advise(rep); err != nil {
			return cli.Failed, err
		}
	}
	if err := c.draw(a, r.Dir); err != nil {
		return cli.Failed, err
	}
	return a.Conclude([]cli.Judged{{Reports: reports}}, &c.Audit, &c.Output), nil
}

// show prints the result: tables, or JSON.
func (c *runCmd) show(a cli.App, reports []*report.Report) error {
	if c.Quiet && !c.JSON {
		return nil
	}
	page := a.Page("")
	page.HTTP = c.ShowTrace
	return study.View{Page: page, JSON: c.JSON}.Runs(a.Stdout, reports, c.Confidence)
}
