package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	if err := s.Prepare(); err != nil {
		return nil, err
	}
	if err := s.begin(); err != nil {
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

// Prepare finds out, before any load, whether the sweep can be made: that its
// folder can be written to and holds nothing that would be lost or mixed
// ([ErrHasResults], [ErrOtherConfig]). It may be called any number of times and
// leaves nothing but the folder. Run calls it too; a caller with several
// sweeps calls it for all of them before the first Run.
func (s Sweep) Prepare() error {
	if err := report.Probe(s.Dir); err != nil {
		return err
	}
	mine, err := s.settings()
	if err != nil || s.Overwrite {
		return err
	}
	theirs, err := os.ReadFile(s.path())
	switch {
	case errors.Is(err, os.ErrNotExist):
		return s.foreign()
	case err != nil:
		return fmt.Errorf("reading the earlier sweep: %w", err)
	case !s.Resume:
		return fmt.Errorf("%s %w: --resume goes on with it, --overwrite replaces it, another --benchmark-name leaves it", s.Dir, ErrHasResults)
	case !json.Valid(theirs):
		return fmt.Errorf("%s %w, and with which settings cannot be read from %s, which is damaged: --overwrite replaces them, another --benchmark-name leaves them",
			s.Dir, ErrHasResults, s.path())
	case string(theirs) != string(mine):
		return fmt.Errorf("%s %w: repeat the command that made them (%s has the settings), or use --overwrite or another --benchmark-name", s.Dir, ErrOtherConfig, s.path())
	}
	return nil
}

// path is the file that holds the sweep's settings.
func (s Sweep) path() string { return filepath.Join(s.Dir, "sweep.json") }

func (s Sweep) settings() ([]byte, error) {
	b, err := json.MarshalIndent(s.Fingerprint, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("describing the sweep: %w", err)
	}
	return b, nil
}

// foreign refuses levels that no sweep of ours made: those of aiperf, of a
// script around it, or of a single run. Their settings are not known, so that
// they cannot be gone on with either.
func (s Sweep) foreign() error {
	levels, err := filepath.Glob(filepath.Join(s.Dir, "c[0-9]*"))
	if err != nil {
		return err
	}
	own := report.FileNames("")
	for _, dir := range levels {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && (d.Name() == own.JSON || d.Name() == own.Records || d.Name() == own.JSONL || d.Name() == own.JSONL+report.Zst) {
				return fmt.Errorf("%s %w (%s) that --resume cannot go on with, since their settings are not known: --overwrite replaces them, another --benchmark-name leaves them",
					s.Dir, ErrHasResults, path)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// begin removes what is to be overwritten and leaves the sweep's settings in
// its folder.
func (s Sweep) begin() error {
	mine, err := s.settings()
	if err != nil {
		return err
	}
	if s.Overwrite {
		if err := s.clear(); err != nil {
			return err
		}
	}
	return report.WriteFile(s.path(), func(w io.Writer) error { _, err := w.Write(mine); return err })
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
