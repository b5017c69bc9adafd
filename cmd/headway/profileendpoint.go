package main

import (
	"context"

	"headway/internal/cli"
	"headway/internal/deploy"
	"headway/internal/openai"
	"headway/internal/options"
	"headway/internal/options/profiling"
	"headway/internal/profile"
	"headway/internal/settings"
	"headway/internal/study"
	"headway/internal/tokens"
	"headway/metric"
	"headway/report"
)

// profileEndpointCmd measures an engine that somebody else started.
type profileEndpointCmd struct{ profiling.ProfileEndpoint }

// Help is shown below the options.
func (profileEndpointCmd) Help() string {
	return `Examples:

  headway profile endpoint --mode prefill --model-name M --url http://localhost:8000 --num-gpus 1 \
      --max-context-length 16384 --interpolation-granularity 8 --work-dir out
  headway profile endpoint --mode decode --model-name M --url http://localhost:8000 --num-gpus 1 \
      --max-kv-tokens 200000 --work-dir out
  headway profile query --profile-results-dir out --isl 3000 --osl 150 --ttft 100 --itl 10
  headway report out --format markdown

Without an engine, 'headway sim serve --port 8000' simulates one (--max-kv-tokens 1048576).`
}

func (c *profileEndpointCmd) Run(ctx context.Context, a cli.App) (int, error) {
	client, err := c.Config(a.Caller)
	if err != nil {
		return cli.Usage, err
	}
	release, err := a.Begin(cli.Outside{Web: &c.Web, Exports: &c.Exports, Late: c.Lag(),
		Dir: c.WorkDir, Quiet: c.Quiet})
	defer release()
	if err != nil {
		return cli.Failed, err
	}
	measure, err := c.inDepth(ctx, a, client)
	if err != nil {
		return cli.Failed, err
	}
	half, err := measure.Run(ctx)
	if err != nil {
		return cli.Failed, err
	}
	leaveProfile(a, c.WorkDir)
	if err := c.show(a, half); err != nil {
		return cli.Failed, err
	}
	return a.InvalidPoints(&c.Audit, invalidOf(half.Verdicts()), cli.Done), nil
}

// inDepth is what is to be measured.
func (c *profileEndpointCmd) inDepth(ctx context.Context, a cli.App, client openai.Config) (deploy.InDepth, error) {
	d := deploy.InDepth{
		ProfileEndpoint: &c.ProfileEndpoint,
		Version:         cli.Version,
		Seed:            options.SeedOr(c.Seed),
		Note:            a.Note,
		Name:            cli.FlagOf,
	}
	if !c.Quiet {
		d.Tell = a.Note
	}
	d.Ready = func(ctx context.Context, client openai.Config) error {
		return study.WaitReady(ctx, a, &c.Endpoint, client)
	}
	tok, warning, err := study.LoadTokens(ctx, a, c.Tokens, c.Model[0], false)
	if err != nil {
		return d, err
	}
	secrets := report.Redactor{Redactor: client.Secrets()}
	if d.Settings, err = c.settings(a, client, secrets, tok); err != nil {
		return d, err
	}
	each, err := pointRun(a, &c.Audit, tok, secrets, d.Seed, warning, study.AboutProxies(a, client))
	each.Room = c.Room()
	d.Endpoint = deploy.EndpointConfig{Client: client, Tokenizer: tok.Tokenizer, Run: each,
		Sampling: study.Sampling{Telemetry: c.Telemetry, Path: a.Getenv("PATH")}}
	return d, err
}

// settings are what two calls must have in common to share points.
func (c *profileEndpointCmd) settings(
	a cli.App, client openai.Config, secrets report.Redactor, tok tokens.Tokens,
) (settings.Settings, error) {
	s, err := a.OptionSettings(secrets, false)
	if err == nil {
		study.Speaking(s, &c.Endpoint, client, tok, c.TokenSource(metric.TokensAuto).String())
	}
	return s, err
}

// show prints the points, and whose token counts they are made of.
func (c *profileEndpointCmd) show(a cli.App, half profile.Half) (err error) {
	switch {
	case c.JSON:
		err = report.WriteIndented(a.Stdout, half)
	case !c.Quiet:
		page := a.Page("")
		page.Markdown = c.Markdown()
		err = half.Document().Write(a.Stdout, page)
	}
	if err == nil && !c.Quiet {
		a.Note("%s", profile.Tokens(half.Qualities()))
		a.Note("results: %s", c.WorkDir)
	}
	return err
}
