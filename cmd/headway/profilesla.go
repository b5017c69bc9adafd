package main

import (
	"context"
	"errors"
	"os"
	"time"

	"headway/internal/cli"
	"headway/internal/deploy"
	"headway/internal/deploy/place"
	"headway/internal/fault"
	"headway/internal/openai"
	"headway/internal/options/profiling"
	"headway/internal/settings"
	"headway/internal/sla"
	"headway/internal/study"
	"headway/report"
)

// slaCmd finds the configuration that meets targets of TTFT and ITL, with the
// options of Dynamo's profile_sla.py.
type slaCmd struct{ profiling.SLA }

// Help is shown below the options.
func (slaCmd) Help() string {
	return `Examples:

  headway profile sla --model llama-3.1-70b --backend sglang --gpu h200_sxm --isl 3000 --osl 500 \
      --ttft 300 --itl 25 --output-dir out
  headway profile sla --model qwen3-235b-a22b --max-num-gpus-per-engine 32 --ttft 500 --itl 30 \
      --search thorough --request-rate 40
  headway profile sla --config disagg.yaml --backend vllm --ttft 300 --itl 20 --dry-run
  headway profile sla --model qwen3-32b --ttft 300 --itl 20 --planner-adjustment-interval 60
  headway profile sla --config dgdr.yaml --on sim --output-dir out

Here --config is the DynamoGraphDeployment, or a DynamoGraphDeploymentRequest for one, as in
Dynamo's profiler; options from a file are given with -f or with --profile-config. Exit code 3
says that a target was not met.`
}

func (c *slaCmd) Run(ctx context.Context, a cli.App) (code int, err error) {
	asked := func() (settings.Settings, error) { return a.OptionSettings(report.NewRedactor(), false) }
	s, err := sla.Asked{SLA: &c.SLA, Caller: a.Caller, Settings: asked, Note: a.Note, Name: cli.FlagOf,
		Stdin: os.Stdin}.Search(ctx)
	if err != nil {
		return cli.Failed, err
	}
	if !c.Quiet {
		s.Announce()
	}
	at := place.Place{
		SLA: &c.SLA, Caller: a.Caller, Space: s.Config.Search.Space, Document: s.Served.Document, Note: a.Note,
		Fitted:   s.Fitted,
		Endpoint: func(ctx context.Context) (deploy.EndpointConfig, error) { return c.endpoint(ctx, a, s.Served.Name) },
	}
	if c.DryRun {
		plan, err := s.Plan(ctx, at.Simulated())
		if err != nil {
			return cli.Failed, err
		}
		return cli.Done, plan.Write(a.Stdout, c.page(a))
	}
	release, err := a.Begin(cli.Outside{Web: &c.Web, Exports: &c.Exports, Late: c.Lag(),
		Dir: c.OutputDir, Quiet: c.Quiet})
	defer release()
	if err != nil {
		return cli.Failed, err
	}
	bench, end, err := at.Open(ctx)
	if err != nil {
		return cli.Failed, err
	}
	defer func() {
		if e := end(); e != nil {
			code, err = cli.Failed, errors.Join(err, e)
		}
	}()
	met, err := s.Run(ctx, bench)
	switch {
	case sla.Refused(err):
		return cli.Usage, fault.Usage(err)
	case err != nil:
		return cli.Failed, err
	case !met:
		code = cli.Missed
	}
	leaveProfile(a, c.OutputDir)
	return a.InvalidPoints(&c.Audit, invalidOf(s.Verdicts()), code), c.show(a, s)
}

// endpoint says how engines that serve a model under a name are spoken to.
func (c *slaCmd) endpoint(ctx context.Context, a cli.App, name string) (deploy.EndpointConfig, error) {
	tok, warning, err := study.LoadTokens(ctx, a, c.Tokens, c.Model, false)
	if err != nil {
		return deploy.EndpointConfig{}, err
	}
	each, err := pointRun(a, &c.Audit, tok, report.NewRedactor(), c.Seed, warning)
	client := openai.Config{Models: []string{name}, UserAgent: "headway/" + cli.Version, Timeout: 30 * time.Minute}
	return deploy.EndpointConfig{Tokenizer: tok.Tokenizer, NoPreconnect: c.NoPreconnect, Run: each, Client: client}, err
}

// page is how tables are shown.
func (c *slaCmd) page(a cli.App) report.ConsoleOptions {
	page := a.Page("")
	page.Markdown = c.Markdown()
	return page
}

// show prints the result.
func (c *slaCmd) show(a cli.App, s *sla.Search) error {
	if !c.JSON && !c.Quiet {
		return s.Document().Write(a.Stdout, c.page(a))
	}
	s.Missed(a.Note)
	if c.JSON {
		return report.WriteIndented(a.Stdout, s.Result())
	}
	return nil
}
