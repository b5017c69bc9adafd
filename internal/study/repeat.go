package study

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"headway/report"
)

// Repeat makes one measurement one or more times.
type Repeat struct {
	// Dir takes the files of a single run. Several runs go to
	// profile_runs/run_0001 … below it, with their aggregate beside them.
	Dir        string
	Runs       int
	Cooldown   time.Duration
	Confidence float64
	// Measure prepares a run, counted from 0.
	Measure func(run int, dir string) (Measurement, error)
	Watch   Watcher
	// Keep takes runs that an earlier call finished as they are.
	Keep bool
}

// Run makes the runs and returns their reports in order. Those that were made
// before an error or the end of ctx are returned with it.
func (r Repeat) Run(ctx context.Context) ([]*report.Report, error) {
	var all []*report.Report
	measured := 0
	for i := range max(1, r.Runs) {
		if measured > 0 && !pause(ctx, r.Cooldown) {
			break
		}
		rep, kept, err := r.one(ctx, i)
		if rep != nil {
			all = append(all, rep)
		}
		if !kept {
			measured++
		}
		if err != nil || ctx.Err() != nil {
			return all, err
		}
	}
	return all, r.aggregate(all)
}

func (r Repeat) dir(run int) string {
	if r.Runs <= 1 {
		return r.Dir
	}
	return filepath.Join(r.Dir, "profile_runs", report.RunLabel(run))
}

func (r Repeat) one(ctx context.Context, run int) (rep *report.Report, kept bool, err error) {
	m, err := r.Measure(run, r.dir(run))
	if err != nil {
		return nil, false, err
	}
	if r.Keep {
		path := filepath.Join(m.Dir, m.Names.Records)
		rep, err := Reread(path, m.Metrics, m.Secrets)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, false, fmt.Errorf("resuming %s: %w", m.Dir, err)
		}
		if rep != nil && !rep.Run.Cancelled && rep.Run.Aborted == "" && complete(m) {
			return rep, true, nil
		}
	}
	m.Watch = r.Watch
	rep, err = m.Run(ctx)
	return rep, false, err
}

// complete says whether a run's last file, which is written after all others,
// is there.
func complete(m Measurement) bool {
	_, err := os.Stat(filepath.Join(m.Dir, m.Names.JSON))
	return err == nil
}

// aggregate writes the intervals over several runs.
func (r Repeat) aggregate(all []*report.Report) error {
	if r.Runs <= 1 || len(all) == 0 {
		return nil
	}
	a := report.Aggregate{Runs: all, Confidence: r.Confidence, Cooldown: r.Cooldown.Seconds()}
	return a.WriteFiles(filepath.Join(r.Dir, "aggregate"))
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}
