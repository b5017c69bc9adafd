package main

import (
	"context"
	"fmt"
	"strings"

	"headway/internal/cli"
	"headway/internal/options/profiling"
	"headway/internal/profile"
	"headway/report"
)

// profileQueryCmd asks a profile what Dynamo's planner asks it.
type profileQueryCmd struct{ profiling.ProfileQuery }

// Help is shown below the options.
func (profileQueryCmd) Help() string {
	return `Examples:

  headway profile query --profile-results-dir out --isl 3000 --osl 150 --ttft 100 --itl 10

Each figure is given as the planner reads it, and as well as the measurements
allow; ± is what the curve misses by when a point is left out of it (root mean
square over the points), in brackets at the point nearest to the question.

There is no answer for a length outside of what was measured, nor where the KV
cache holds no request: the output says so, and the exit code is 1.`
}

func (c *profileQueryCmd) Run(_ context.Context, a cli.App) (int, error) {
	q, err := c.Question()
	if err != nil {
		return cli.Usage, err
	}
	answer, missing, err := profile.AskFolder(c.Dir, q)
	if err != nil {
		return cli.Failed, err
	}
	if missing != nil {
		a.Note("warning: %v", missing)
	}
	if c.JSON {
		err = report.WriteIndented(a.Stdout, answer)
	} else {
		page := a.Page("")
		page.Markdown = c.Markdown()
		err = answer.Document().Write(a.Stdout, page)
	}
	if none := answer.Unanswered(); err == nil && len(none) > 0 {
		err = fmt.Errorf("the profile does not answer the question: %s", strings.Join(none, "; "))
	}
	if err != nil {
		return cli.Failed, err
	}
	return cli.Done, nil
}

func (profileQueryCmd) EndsAtOnce() {}
