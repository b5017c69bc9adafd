package main

import (
	"context"
	"time"

	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/profile"
	"headway/internal/twin"
	"headway/internal/twin/fit"
	"headway/internal/twin/live"
	"headway/internal/twin/probe"
	"headway/report"
)

// twinCmd is about calibrated simulators of a server.
type twinCmd struct {
	Fit   twinFitCmd   `cmd:"" help:"Fit a simulator to a server from loads that were measured on it."`
	Check twinCheckCmd `cmd:"" help:"Hold a twin against loads that it has not seen."`
}

// twinFitCmd makes a twin.
type twinFitCmd struct {
	options.TwinFit
	JSON  bool `name:"json" help:"Print the twin as JSON on standard output, too."`
	Quiet bool `name:"quiet" short:"q" help:"Only errors: no tables and no notes."`
}

// Help is shown below the options.
func (twinFitCmd) Help() string {
	return `A twin simulates one server: steps on the GPU, launches, and the process in front of
the engine, with about twenty numbers that follow from loads measured on that server.

With --url they are measured now, in about two minutes of load. It ends by itself where
requests fail or wait far longer than expected; --resume goes on. With folders they are
there: a profile of the endpoint, a closed loop and half a minute of requests at random
times are enough; hold one load out to see what the twin is worth.

Examples:

  headway twin fit --url http://localhost:8000 --model M -o twin.json
  headway twin fit --url http://localhost:8000 --model M --max-concurrency 32 --resume
  headway twin fit prof c8 open --hold-out c64 -o twin.json
  headway twin fit results --engine-type sglang --max-kv-tokens 857665
  headway sim replay --trace mooncake_trace.jsonl --timing twin:twin.json`
}

func (c *twinFitCmd) Run(ctx context.Context, a cli.App) (int, error) {
	if err := c.Faults(a.Caller); err != nil {
		return cli.Usage, err
	}
	asked := fit.Asked{Headway: cli.Version, Now: time.Now()}
	err := asked.Read(c.Folders, c.HoldOut)
	if err != nil {
		return cli.Usage, fault.Usage(err)
	}
	m := &probe.Measured{}
	if len(c.URLs) > 0 {
		if m, err = c.measure(ctx, a); err != nil {
			return cli.Failed, err
		}
		asked.Loads, asked.HeldOut = append(asked.Loads, m.Loads...), append(asked.HeldOut, m.HeldOut)
	}
	if asked.Engine, err = c.TwinServer.Config(); err != nil {
		return cli.Usage, err
	}
	if !c.Quiet {
		a.Note("fitting %d loads and %d points of a profile", len(asked.Loads), len(asked.Points))
	}
	f, err := fit.Make(ctx, asked)
	if err != nil {
		return cli.Failed, err
	}
	f.Calibration = m.Calibration
	return c.write(a, f, m)
}

// measure calibrates on the server.
func (c *twinFitCmd) measure(ctx context.Context, a cli.App) (*probe.Measured, error) {
	err := a.Open(cli.Outside{Exports: &c.Exports, Late: c.Lag(), Dir: c.WorkDir, Quiet: c.Quiet})
	if err != nil {
		return nil, err
	}
	server, end, err := live.Open(ctx, live.Asked{Caller: a, Env: a.Caller, TwinURL: &c.TwinURL, Dir: c.WorkDir,
		Quiet: c.Quiet})
	defer end()
	if err != nil {
		return nil, err
	}
	return server.Calibrate(ctx, &c.TwinFit)
}

// write keeps the twin and shows it.
func (c *twinFitCmd) write(a cli.App, f *twin.File, m *probe.Measured) (int, error) {
	data, err := f.JSON()
	if err != nil {
		return cli.Failed, err
	}
	if err := profile.ReplaceFile(c.Output, data); err != nil {
		return cli.Failed, err
	}
	code := a.InvalidPoints(&c.Audit, invalidOf(m.Verdicts), cli.Done)
	switch {
	case c.JSON:
		return code, report.WriteIndented(a.Stdout, f)
	case c.Quiet:
		return code, nil
	}
	a.Note("%s: the twin, for --timing twin:%s", c.Output, c.Output)
	return code, fit.Document(f).Write(a.Stdout, a.Page(""))
}
