package study

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"headway/internal/cluster"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// Simulation is one run of a load on a simulated cluster in virtual time. It
// leaves the files that a [Measurement] leaves, but for request bodies, which
// are never made.
type Simulation struct {
	Header  record.Header
	Plan    workload.Plan
	Cluster cluster.Config
	Metrics metric.Options

	Dir   string
	Names report.Names
	// Lines asks for profile_export.jsonl.
	Lines   bool
	Secrets report.Redactor
	// Also takes every Record, too; nil does not.
	Also record.Sink
	// Warnings are known before the run.
	Warnings []record.Warning
}

// TooLongError says that a load has requests that no worker can ever run.
type TooLongError struct {
	// Requests is how many, Tokens the longest, prompt and output together,
	// Capacity what fits.
	Requests, Tokens, Capacity int
}

// Error gives the numbers and what to do.
func (e *TooLongError) Error() string {
	which := fmt.Sprintf("%d requests do not fit the simulated workers: the longest", e.Requests)
	if e.Requests == 1 {
		which = "1 request does not fit the simulated workers: it"
	}
	return fmt.Sprintf("%s has %d tokens, prompt and output together, and %d fit; "+
		"raise --num-gpu-blocks-override, --block-size or --max-model-len, or ask for shorter requests", which, e.Tokens, e.Capacity)
}

// Fits finds out before a run whether the cluster can run every request; the
// history of later turns is not counted. The Source must have an end.
func Fits(c cluster.Config, src workload.Source) error {
	e := TooLongError{Capacity: c.Engine.Capacity()}
	if c.MaxModelLen > 0 {
		e.Capacity = min(e.Capacity, c.MaxModelLen)
	}
	for r, err := range src {
		if err != nil {
			return err
		}
		n := r.Prompt.Tokens + r.Prompt.Prefix.Tokens + r.Prompt.SystemTokens + max(r.OutputTokens, 1)
		if n > e.Capacity {
			e.Requests++
			e.Tokens = max(e.Tokens, n)
		}
	}
	if e.Requests > 0 {
		return &e
	}
	return nil
}

// Run simulates and writes every file. The times in them count from 1970,
// since virtual time has no other beginning: the same configuration gives the
// same bytes on every day.
func (s Simulation) Run(ctx context.Context) (*report.Report, error) {
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("making the result folder: %w", err)
	}
	s.Header.Origin, s.Header.Simulated = time.Unix(0, 0).UTC(), true
	s.Metrics.Clock = record.ClockAt(s.Header.Origin)
	m := Measurement{Header: s.Header, Plan: s.Plan, Metrics: s.Metrics, Dir: s.Dir, Names: s.Names, Lines: s.Lines, Secrets: s.Secrets}
	schedule, err := m.writeSchedule(ctx)
	if err != nil {
		return nil, err
	}
	out, err := m.open(schedule)
	if err != nil {
		return nil, err
	}
	if s.Also != nil {
		out.sinks = append(out.sinks, s.Also)
	}
	facts, o, err := cluster.Replay(ctx, s.Cluster, s.Plan, out)
	run := record.Run{Header: m.Header}
	run.Begin, run.End, run.Cancelled, run.Aborted, run.Cluster = o.Begin, o.End, o.Cancelled, o.Aborted, &facts
	run.Warnings = append(s.Warnings, silentWorkers(s.Cluster, facts)...)
	rep := &report.Report{Run: run, Result: out.collector.Result(), Secrets: s.Secrets}
	err = distinct(err, out.finish(rep))
	if err == nil && o.TooLong > 0 {
		err = &TooLongError{Requests: o.TooLong, Tokens: o.TooLongTokens, Capacity: o.Capacity}
	}
	return rep, err
}

// silentWorkers warns of KV-aware routing that was blind.
func silentWorkers(c cluster.Config, facts record.Cluster) []record.Warning {
	if facts.RouterMode != "kv" || !c.Router.UseKVEvents || facts.EventsApplied > 0 {
		return nil
	}
	return []record.Warning{{Code: "no_kv_events", Text: "the router is in mode kv, and not one KV event was applied: every overlap was 0, so it routed by load alone. " +
		"Prompts shorter than a block, or workers without prefix caching, publish nothing"}}
}

// Contest puts each of several loads on each of several arms, into
// <Dir>/<load>/<arm>.
type Contest struct {
	Dir       string
	Overwrite bool
	Loads     []Load
	Arms      []string
	// Repeats is how many runs there are of each load on each arm; 0 is one. All
	// but the first go to <Dir>/<load>/<arm>/repeat_<n>, n from 2.
	Repeats int
	// Measure makes one run, the repeat counted from 0; tiers may be nil.
	Measure func(ctx context.Context, load Load, arm string, repeat int, dir string) (rep *report.Report, tiers []report.Tier, err error)
	// Done is called after every run.
	Done func(load Load, arm report.Arm)
}

// Load is one of the loads; X is where it stands on the axis of all.
type Load struct {
	Name string
	X    float64
}

// Run makes all runs. Those that were made before an error or the end of ctx
// are returned with it.
func (c Contest) Run(ctx context.Context) ([]report.Case, error) {
	if err := c.prepare(); err != nil {
		return nil, err
	}
	var all []report.Case
	for _, l := range c.Loads {
		k := report.Case{Name: l.Name, X: l.X}
		for _, name := range c.Arms {
			arm, err := c.arm(ctx, l, name)
			if arm.Report != nil {
				k.Arms = append(k.Arms, arm)
				if c.Done != nil {
					c.Done(l, arm)
				}
			}
			if err != nil || ctx.Err() != nil {
				if len(k.Arms) > 0 {
					all = append(all, k)
				}
				if err != nil {
					err = fmt.Errorf("%s on %s: %w", l.Name, name, err)
				}
				return all, err
			}
		}
		all = append(all, k)
	}
	return all, nil
}

// arm makes the runs of a load on an arm, and returns those that were made
// before an error or the end of ctx.
func (c Contest) arm(ctx context.Context, l Load, name string) (report.Arm, error) {
	at := filepath.Join(l.Name, name)
	arm := report.Arm{Name: name, Dir: filepath.ToSlash(at)}
	for i := range max(1, c.Repeats) {
		dir := filepath.Join(c.Dir, at)
		if i > 0 {
			dir = filepath.Join(dir, fmt.Sprintf("repeat_%d", i+1))
		}
		rep, tiers, err := c.Measure(ctx, l, name, i, dir)
		switch {
		case rep == nil:
		case i == 0:
			arm.Report, arm.Tiers = rep, tiers
		default:
			arm.Repeats = append(arm.Repeats, rep)
		}
		if err != nil || ctx.Err() != nil {
			return arm, err
		}
	}
	return arm, nil
}

// prepare makes the folder, and refuses one that holds results.
func (c Contest) prepare() error {
	if err := report.Probe(c.Dir); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(c.Dir, "*", "*", report.FileNames("").Records))
	if err != nil || len(old) == 0 {
		return err
	}
	if !c.Overwrite {
		return fmt.Errorf("%s %w: --overwrite replaces it, another --output-dir leaves it", c.Dir, ErrHasResults)
	}
	for _, path := range old {
		if err := os.RemoveAll(filepath.Dir(path)); err != nil {
			return fmt.Errorf("removing an earlier run: %w", err)
		}
	}
	return nil
}
