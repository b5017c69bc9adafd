package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"headway/report"
)

// Sweep measures one endpoint at several concurrency levels, each one or more
// times, into <Dir>/c<N>.
type Sweep struct {
	Dir    string
	Levels []int
	// Runs is how often each level is measured, Cooldown the pause between.
	Runs       int
	Cooldown   time.Duration
	Confidence float64
	// Measure prepares one run.
	Measure func(level, run int, dir string) (Measurement, error)
	// Watch sees every run while it goes; see Measurement.Watch.
	Watch Watcher
	// Resume keeps levels that are done; Overwrite replaces what is there.
	// Without either a folder that holds results is refused.
	Resume, Overwrite bool
	// Fingerprint names the configuration, so that a resumed sweep cannot mix
	// two; any value that goes to JSON.
	Fingerprint any
	// Done is called after every level.
	Done func(Level)
}

// Level is what one concurrency level gave.
type Level struct {
	Concurrency int
	Reports     []*report.Report // one a run, in order
	Dir         string
}

// Run measures every level that is not done and returns all of them. It goes
// on after a level in which requests failed, and stops when ctx ends or a
// measurement could not be made or written.
func (s Sweep) Run(ctx context.Context) ([]Level, error) {
	if err := s.prepare(); err != nil {
		return nil, err
	}
	var all []Level
	for _, n := range s.Levels {
		l, err := s.level(ctx, n)
		if len(l.Reports) > 0 {
			all = append(all, l)
			if s.Done != nil {
				s.Done(l)
			}
		}
		if err != nil || ctx.Err() != nil {
			return all, err
		}
	}
	return all, nil
}

// ErrHasResults says that a folder holds results that would be lost.
var ErrHasResults = errors.New("holds results of an earlier run")

// ErrOtherConfig says that a sweep to be resumed was made with other settings.
var ErrOtherConfig = errors.New("holds results made with other settings")

// prepare checks the folder and leaves the sweep's configuration in it.
func (s Sweep) prepare() error {
	if err := report.Probe(s.Dir); err != nil {
		return err
	}
	mine, err := json.MarshalIndent(s.Fingerprint, "", "  ")
	if err != nil {
		return fmt.Errorf("describing the sweep: %w", err)
	}
	path := filepath.Join(s.Dir, "sweep.json")
	theirs, err := os.ReadFile(path)
	switch {
	case errors.Is(err, os.ErrNotExist) || s.Overwrite:
	case err != nil:
		return fmt.Errorf("reading the earlier sweep: %w", err)
	case !s.Resume:
		return fmt.Errorf("%s %w: --resume goes on with it, --overwrite replaces it, another --benchmark-name leaves it", s.Dir, ErrHasResults)
	case string(theirs) != string(mine):
		return fmt.Errorf("%s %w: repeat the command that made them (%s has the settings), or use --overwrite or another --benchmark-name", s.Dir, ErrOtherConfig, path)
	}
	if s.Overwrite {
		if err := s.clear(); err != nil {
			return err
		}
	}
	return report.WriteFile(path, func(w io.Writer) error { _, err := w.Write(mine); return err })
}

// clear removes the levels of an earlier sweep; nothing else in the folder is
// touched.
func (s Sweep) clear() error {
	old, err := filepath.Glob(filepath.Join(s.Dir, "c[0-9]*"))
	if err != nil {
		return err
	}
	for _, dir := range old {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("removing an earlier level: %w", err)
		}
	}
	return nil
}

func (s Sweep) level(ctx context.Context, n int) (Level, error) {
	l := Level{Concurrency: n, Dir: filepath.Join(s.Dir, fmt.Sprintf("c%d", n))}
	r := Repeat{Dir: l.Dir, Runs: s.Runs, Cooldown: s.Cooldown, Confidence: s.Confidence, Keep: s.Resume, Watch: s.Watch}
	r.Measure = func(run int, dir string) (Measurement, error) { return s.Measure(n, run, dir) }
	var err error
	l.Reports, err = r.Run(ctx)
	return l, err
}
