package main

import (
	"context"

	"headway/internal/cli"
	"headway/internal/options/profiling"
	"headway/internal/profile"
	"headway/report"
)

// profileRooflineCmd holds a measured profile against the roofline.
type profileRooflineCmd struct{ profiling.ProfileRoofline }

// Help is shown below the options.
func (profileRooflineCmd) Help() string {
	return `Examples:

  headway profile roofline --profile-results-dir out --known-model llama-3.1-8b --gpu h200_sxm
  headway profile roofline --profile-results-dir out --model-config ./config.json --gpu h100_sxm --mapping TP=4

The efficiencies that fit are what 'headway profile sla --on sim' and
'headway sim serve --timing roofline' take as --compute-efficiency and
--memory-efficiency, to plan with a machine that was measured.`
}

func (c *profileRooflineCmd) Run(_ context.Context, a cli.App) (int, error) {
	setup, err := c.Setup()
	if err != nil {
		return cli.Usage, err
	}
	comparison, err := profile.CompareRoofline(c.Dir, setup)
	if err != nil {
		return cli.Failed, err
	}
	if c.JSON {
		err = report.WriteIndented(a.Stdout, comparison)
	} else {
		page := a.Page("")
		page.Markdown = c.Markdown()
		err = comparison.Document(cli.FlagOf).Write(a.Stdout, page)
	}
	if err != nil {
		return cli.Failed, err
	}
	return cli.Done, nil
}

func (profileRooflineCmd) EndsAtOnce() {}
