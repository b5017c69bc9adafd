package main

import (
	"context"

	"headway/internal/cli"
	"headway/internal/duel"
)

// duelCmd decides between two servers.
type duelCmd struct{ duel.Command }

func (c *duelCmd) Run(ctx context.Context, a cli.App) (int, error) {
	claim := func(dir string) (func(), error) {
		return a.Begin(cli.Outside{Web: &c.Web, Exports: &c.Exports, Late: c.Lag(), Dir: dir, Quiet: c.Quiet})
	}
	o, err := c.Decide(ctx, duel.Around{Caller: a, Env: a.Caller, Claim: claim, Asked: a.OptionSettings,
		Called: cli.FlagOf, Parse: a.OptionsIn, Watch: a.Watch, Out: a.Stdout, Page: a.Page(""), Version: cli.Version})
	return cli.CodeOf(o.Worse, o.Invalid, o.Undecided), err
}
