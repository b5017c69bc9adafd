package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"headway/internal/deploy"
	"headway/internal/deploy/kube"
)

// cleanupCmd removes what searches that were killed left behind.
type cleanupCmd struct {
	Namespace string `name:"namespace" short:"n" placeholder:"NAME" help:"Look for deployments of headway's in this namespace, too, whatever the list on disk says."`
	All       bool   `name:"all" help:"With --namespace: remove also those of other hosts and of searches that still run."`

	clusterAccessFlags
}

// Help is shown below the options.
func (cleanupCmd) Help() string {
	return `headway keeps a list of every process and every Kubernetes object that a search starts, in
$XDG_STATE_HOME/headway (~/.local/state/headway), and removes them when the search ends. After a kill -9 or a
power cut the next search removes what is left, and so does this command. Searches that still run keep theirs.

Examples:

  headway profile cleanup
  headway profile cleanup --namespace dynamo-sla-profiler
  headway profile cleanup --namespace dynamo-sla-profiler --all --context my-cluster`
}

func (c *cleanupCmd) run(ctx context.Context, a app) (int, error) {
	var bad faultList
	bad.dependents(a.given, []dependents{{c.Namespace == "", "all kubeconfig context", "--namespace"}})
	if err := bad.err(); err != nil {
		return exitUsage, err
	}
	n, err := a.sweep(ctx, a.stateDir(), func(format string, args ...any) { fmt.Fprintf(a.stdout, format+"\n", args...) })
	faults := []error{err}
	if c.Namespace != "" {
		more, err := c.namespace(ctx, a)
		n += more
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return exitFailed, err
	}
	if n == 0 {
		fmt.Fprintln(a.stdout, "nothing was left behind")
	}
	return exitDone, nil
}

// namespace looks through one by its labels.
func (c *cleanupCmd) namespace(ctx context.Context, a app) (removed int, err error) {
	cluster, err := kube.Connect(kube.Access{Kubeconfig: c.Kubeconfig, Context: c.Context, Namespace: c.Namespace})
	if err != nil {
		return 0, err
	}
	found, err := cluster.Cleanup(ctx, c.All)
	faults := []error{err}
	for _, f := range found {
		switch {
		case f.Err != nil:
			faults = append(faults, fmt.Errorf("%s (%s): %w", f.Name, f.Candidate, f.Err))
		case f.Removed:
			removed++
			fmt.Fprintf(a.stdout, "removed DynamoGraphDeployment %s/%s (%s)\n", c.Namespace, f.Name, f.Candidate)
		default:
			fmt.Fprintf(a.stdout, "left alone: %s/%s (%s) of process %d on %s, which may still run; --all removes it\n", c.Namespace, f.Name, f.Candidate, f.Owner.PID, f.Owner.Host)
		}
	}
	return removed, errors.Join(faults...)
}

// stateDir is where lists of what was started are kept; "" where there is no
// home.
func (a app) stateDir() string {
	if dir := a.getenv("XDG_STATE_HOME"); dir != "" {
		return filepath.Join(dir, "headway")
	}
	if home := a.getenv("HOME"); home != "" {
		return filepath.Join(home, ".local", "state", "headway")
	}
	return ""
}

// ledger removes what searches left behind that are dead, and begins the list
// of this one: in the user's folder of state, or with the results where that
// cannot be written.
func (a app) ledger(ctx context.Context, results string) (*deploy.Ledger, error) {
	aside := filepath.Join(results, ".started")
	for _, dir := range []string{a.stateDir(), aside} {
		if _, err := a.sweep(ctx, dir, func(format string, args ...any) { a.note("note: "+format, args...) }); err != nil {
			a.note("warning: %v", err)
		}
	}
	if dir := a.stateDir(); dir != "" {
		if l, err := deploy.OpenLedger(dir); err == nil {
			return l, nil
		}
	}
	return deploy.OpenLedger(aside)
}

func (app) removers() map[string]deploy.Remover {
	return map[string]deploy.Remover{deploy.KindProcess: deploy.RemoveProcess, deploy.KindObject: kube.RemoveObject}
}

// sweep removes what dead processes have on their lists in a folder, and says
// how many things they were.
func (a app) sweep(ctx context.Context, dir string, say func(format string, args ...any)) (int, error) {
	if dir == "" {
		return 0, nil
	}
	swept, err := deploy.Sweep(ctx, dir, a.removers())
	faults := []error{err}
	for _, s := range swept {
		if s.Err != nil {
			faults = append(faults, fmt.Errorf("%s, left behind by process %d of %s: %w", s.Entry, s.Owner.PID, s.Entry.Made.Local().Format(time.DateTime), s.Err))
			continue
		}
		say("removed %s, left behind by process %d of %s", s.Entry, s.Owner.PID, s.Entry.Made.Local().Format(time.DateTime))
	}
	return len(swept), errors.Join(faults...)
}

// settle ends a search's list. What is still on it, after a panic or when an
// engine could not be stopped, is tried once more.
func (a app) settle(l *deploy.Ledger) error {
	var faults []error
	for _, e := range l.Left() {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		err := a.removers()[e.Kind](ctx, e)
		cancel()
		if err == nil {
			err = l.Gone(e)
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s may be left behind: %w; `headway profile cleanup` tries again", e, err))
		}
	}
	return errors.Join(append(faults, l.Close())...)
}
