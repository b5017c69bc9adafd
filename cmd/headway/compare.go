package main

import (
	"context"
	"fmt"

	"headway/internal/cli"
	"headway/internal/compare"
	"headway/internal/options"
)

// compareCmd says whether one set of results is better than another.
type compareCmd struct{ options.Compare }

// Help is shown below the options.
func (compareCmd) Help() string {
	return `Loads that both sides have are matched by what they measured. For each figure there is the change with its
95 % interval and one word: better, worse, same (within --margin) or not decided, with what it would take.
Runs are the unit where a side has several; their variation is not known with one run a side, so that
only large changes are decided then. Results of run, bench, router, profile, sim replay and aiperf's
profile_export.jsonl can be compared.

Examples:

  headway compare results/main results/candidate
  headway compare --a main/1 --a main/2 --a main/3 --b new/1 --b new/2 --b new/3
  headway compare main candidate --baseline nightly
      nightly holds three or more runs of one configuration, which tell how much runs vary
  headway compare main candidate --gate 'time_to_first_token p99 < +5%' --gate 'ttft p99 < 500ms' \
      --output gates.xml --format markdown
      for a pull request: exit code 3 when a gate is missed, with --strict 5 when one is not decided
  headway compare main candidate --figures 'request_latency p90','goodput' --output page.html`
}

func (c *compareCmd) Run(_ context.Context, a cli.App) (int, error) {
	quiet := a
	if c.Quiet {
		quiet = a.Silent()
	}
	res, err := compare.Asked(&c.Compare, cli.Version, quiet.Note)
	if err != nil {
		return cli.Failed, err
	}
	if c.Printed() {
		v := compare.View{Format: c.Shown(), Page: a.Page(""), Strict: c.Strict, Version: cli.Version}
		if err := v.Of(res)(a.Stdout); err != nil {
			return cli.Failed, fmt.Errorf("printing the comparison: %w", err)
		}
	}
	switch {
	case res.Missed():
		return cli.Missed, nil
	case c.Strict && res.Undecided():
		return cli.Undecided, nil
	}
	return cli.Done, nil
}

func (compareCmd) EndsAtOnce() {}
