package main

import (
	"context"
	"errors"
	"fmt"

	"headway/internal/cli"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/study"
	"headway/report"
)

// simReplayCmd runs a plan on a simulated cluster in virtual time.
type simReplayCmd struct{ options.Replay }

// Help is shown below the options.
func (simReplayCmd) Help() string {
	return `Examples:

  headway sim replay --trace mooncake_trace.jsonl --workers 8 --router-mode kv
  headway sim replay --trace mooncake_trace.jsonl --synthesis-speedup-ratio 2 --workers 8
  headway sim replay --concurrency 32 --request-count 1000 --isl 4000 --osl 200 \
      --num-prefix-prompts 20 --prefix-prompt-length 3000 --workers 4 --router-mode kv
  headway sim replay --timing roofline --known-model qwen3-32b --gpu h100_sxm --tp 4 --isl 2000`
}

func (c *simReplayCmd) Run(ctx context.Context, a cli.App) (int, error) {
	seed := options.SeedOr(c.Seed)
	settings, err := c.Settings(a.Given, seed)
	if err != nil {
		return cli.Usage, err
	}
	s := &study.Simulation{Dir: c.Dir, Names: report.FileNames(""), Lines: true, SomeTooLong: true, Foretell: true,
		Secrets: report.NewRedactor()}
	release, err := c.files(a, s)
	defer release()
	if err != nil {
		return cli.Failed, err
	}
	if err := c.prepare(ctx, a, s, settings, seed); err != nil {
		return cli.Failed, err
	}
	rep, err := s.Run(ctx)
	if rep != nil && !errors.Is(err, study.ErrOldStay) {
		leavePage(a, study.RunsIn(c.Dir, "", []*report.Report{rep}), "")
		err = errors.Join(err, c.show(a, rep))
	}
	if err != nil {
		return cli.Failed, err
	}
	if r := rep.Result; r.OK == 0 && r.Failed > 0 {
		return cli.Failed, fmt.Errorf("every request failed: %s", s.Secrets.Text(r.Failures[0].Failure.Message))
	}
	return a.Decide([]cli.Judged{{Reports: []*report.Report{rep}}}, options.NoLimit, !c.Quiet && !c.JSON), nil
}

// files takes the folder of the results.
func (c *simReplayCmd) files(a cli.App, s *study.Simulation) (release func(), err error) {
	if c.Dir == "" {
		return func() {}, nil
	}
	if release, err = a.Claim(c.Dir); err != nil {
		return release, err
	}
	s.Earlier, err = study.EarlierIn(c.Dir, s.Names, c.Overwrite, "artifact-dir")
	return release, err
}

// prepare makes of the options what is to be run.
func (c *simReplayCmd) prepare(ctx context.Context, a cli.App, s *study.Simulation, o options.Replayed,
	seed uint64) (err error) {
	if s.Header, err = a.Header(s.Secrets, seed); err != nil {
		return err
	}
	h := &s.Header
	h.ID, h.Model, h.NumGPUs = fmt.Sprintf("%012x", uint64(o.Run)>>16), c.Model, c.NumGPUs
	h.Endpoint, h.Streaming = "simulated", true
	if s.Plan, err = o.Make(h); err != nil {
		return fault.Usage(err)
	}
	s.Cluster, s.Metrics = o.Cluster, o.Metrics
	if c.Tokenizer != "" { // only prompts that are given as text need one
		tok, _, err := study.LoadTokens(ctx, a, c.Tokens, c.Model, true)
		if err != nil {
			return err
		}
		s.Cluster.Tokenizer, h.Tokenizer = tok.Tokenizer, tok.Info
	}
	c.tell(a, s, o)
	return nil
}

// tell says on standard error what is known before the run.
func (c *simReplayCmd) tell(a cli.App, s *study.Simulation, o options.Replayed) {
	for _, idle := range o.Idle {
		if !c.Quiet {
			a.Note("note: %v", idle)
		}
	}
	s.Warnings = o.Plan.FileWarnings()
	for _, w := range s.Warnings {
		a.Note("warning: %s", w.Text)
	}
}

// show prints the tables, or the JSON.
func (c *simReplayCmd) show(a cli.App, rep *report.Report) error {
	if !c.JSON && c.Quiet {
		return nil
	}
	if !c.JSON {
		return rep.WriteConsole(a.Stdout, a.Page(""))
	}
	if n := options.FrontendNote(*rep.Run.Cluster); n != "" && !c.Quiet {
		a.Note("note: %s", n)
	}
	return rep.WriteJSON(a.Stdout)
}
