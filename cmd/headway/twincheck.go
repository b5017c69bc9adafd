package main

import (
	"context"

	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/twin"
	"headway/internal/twin/fit"
	"headway/internal/twin/live"
	"headway/internal/twin/probe"
	"headway/report"
)

// twinCheckCmd judges a twin.
type twinCheckCmd struct {
	File string `arg:"" name:"file" type:"path" help:"The twin."`
	options.TwinCheck
	JSON bool `name:"json" help:"Print the comparison as JSON on standard output."`
}

// Help is shown below the options.
func (twinCheckCmd) Help() string {
	return `With --url a load is measured now, for a quarter of a minute, that no calibration has
fitted. Exit code 3 says that the twin does not hold.

Examples:

  headway twin check twin.json --url http://localhost:8000 --model M
  headway twin check twin.json results`
}

func (c *twinCheckCmd) Run(ctx context.Context, a cli.App) (int, error) {
	if err := c.Check(a.Caller); err != nil {
		return cli.Usage, err
	}
	f, err := twin.Read(c.File)
	if err != nil {
		return cli.Usage, fault.Usage(err)
	}
	loads, code, err := c.loads(ctx, a, f)
	if err != nil {
		return code, err
	}
	judged, err := fit.Judge(ctx, f, loads)
	if err != nil {
		return cli.Failed, err
	}
	h := probe.Holds(f, judged, c.Tolerance/100)
	if code == cli.Done && !h.Holds {
		code = cli.Missed
	}
	if c.JSON {
		return code, report.WriteIndented(a.Stdout, h)
	}
	return code, h.Document(f).Write(a.Stdout, a.Page(""))
}

// loads are those of the folders, or of the server, with the code that the verdict on
// the client asks for.
func (c *twinCheckCmd) loads(ctx context.Context, a cli.App, f *twin.File) ([]*fit.Load, int, error) {
	if len(c.URLs) == 0 {
		loads, err := fit.ReadLoads(c.Folders)
		if err != nil {
			return nil, cli.Usage, fault.Usage(err)
		}
		return loads, cli.Done, nil
	}
	err := a.Open(cli.Outside{Exports: &c.Exports, Late: c.Lag(), Dir: c.WorkDir})
	if err != nil {
		return nil, cli.Failed, err
	}
	server, end, err := live.Open(ctx, live.Asked{Caller: a, Env: a.Caller, TwinURL: &c.TwinURL, Dir: c.WorkDir})
	defer end()
	if err != nil {
		return nil, cli.Failed, err
	}
	m, err := server.Check(ctx, f)
	if err != nil {
		return nil, cli.Failed, err
	}
	return []*fit.Load{m.HeldOut}, a.InvalidPoints(&c.Audit, invalidOf(m.Verdicts), cli.Done), nil
}
