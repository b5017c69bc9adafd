package main

import (
	"context"
	"fmt"

	"headway/internal/cli"
	"headway/internal/deploy"
	"headway/internal/deploy/place"
	"headway/internal/options"
)

// cleanupCmd removes what searches that were killed left behind.
type cleanupCmd struct{ options.Cleanup }

// Help is shown below the options.
func (cleanupCmd) Help() string {
	return `headway keeps a list of every process and every Kubernetes object that a search starts, in
$XDG_STATE_HOME/headway (~/.local/state/headway), and removes them when the search ends. After a kill -9 or a
power cut the next search removes what is left, and so does this command: it lists it, then ends it. Only lists of
this host whose search is dead are looked at, and only processes that carry the search's mark are ended.

Examples:

  headway profile cleanup --dry-run
  headway profile cleanup
  headway profile cleanup --namespace dynamo-sla-profiler
  headway profile cleanup --namespace dynamo-sla-profiler --all --context my-cluster`
}

func (c *cleanupCmd) Run(ctx context.Context, a cli.App) (int, error) {
	if err := c.Faults(a.Caller); err != nil {
		return cli.Usage, err
	}
	n, err := place.Cleanup{
		Cleanup: c.Cleanup, State: deploy.StateDir(a.Getenv), Name: cli.FlagOf,
		Say: func(format string, args ...any) { fmt.Fprintf(a.Stdout, format+"\n", args...) },
	}.Run(ctx)
	if err != nil {
		return cli.Failed, err
	}
	if n == 0 {
		fmt.Fprintln(a.Stdout, "nothing was left behind")
	}
	return cli.Done, nil
}
