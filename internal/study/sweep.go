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

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/settings"
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
	// Until ends the repeats of a level before Runs are made; see [Repeat].
	Until []options.Wanted
	// Enough says after a level that those after it are left out; nil leaves out none.
	Enough func([]Level) bool
	// Measure prepares one run.
	Measure func(level, run int, dir string) (Measurement, error)
	// Watch sees every run while it goes; see Measurement.Watch.
	Watch Watcher
	// Resume keeps levels that are done; Overwrite replaces what is there.
	// Without either a folder that holds results is refused.
	Resume, Overwrite bool
	// Settings are what was asked for, so that a resumed sweep cannot mix two
	// calls.
	Settings settings.Settings
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
	earlier, err := s.begin()
	if err != nil {
		return nil, err
	}
	var all []Level
	for _, n := range s.Levels {
		l, err := s.level(ctx, n, earlier)
		if len(l.Reports) > 0 {
			all = append(all, l)
			if s.Done != nil {
				s.Done(l)
			}
		}
		if err != nil || ctx.Err() != nil || s.Enough != nil && s.Enough(all) {
			return all, err
		}
	}
	return all, nil
}

// ErrHasResults says that a folder holds results that would be lost.
var ErrHasResults = errors.New("holds results of an earlier run")

// Prepare finds out, before any load, whether the sweep can be made: that its
// folder can be written to and holds nothing that would be lost or mixed
// ([ErrHasResults], [settings.ErrChanged]). It may be called any number of times and
// leaves nothing but the folder. Run calls it too; a caller with several
// sweeps calls it for all of them before the first Run.
func (s Sweep) Prepare() error {
	if err := report.Probe(s.Dir); err != nil {
		return err
	}
	if s.Overwrite {
		return nil
	}
	theirs, err := bound.ReadFile(s.path(), bound.Document, "the settings")
	switch {
	case errors.Is(err, os.ErrNotExist):
		return s.foreign()
	case err != nil:
		return fmt.Errorf("reading the earlier sweep: %w", err)
	}
	return s.compare(theirs)
}

// compare says why the sweep cannot go on with one that was made with the
// settings theirs; nil where it can.
func (s Sweep) compare(theirs []byte) error {
	if !s.Resume {
		return fault.New("%s %w: %s goes on with it, %s replaces it, another %s leaves it", s.Dir, ErrHasResults,
			fault.Field("resume"), fault.Field("overwrite"), fault.Field("benchmark-name"))
	}
	before, err := settings.Read(theirs)
	if err != nil {
		return fault.New("%s %w, and with which settings cannot be read from %s, which is damaged: %s replaces "+
			"them, another %s leaves them",
			s.Dir, ErrHasResults, s.path(), fault.Field("overwrite"), fault.Field("benchmark-name"))
	}
	return settings.Compare(s.Dir, before, s.Settings)
}

// path is the file that holds the sweep's settings.
func (s Sweep) path() string { return filepath.Join(s.Dir, "sweep.json") }

func (s Sweep) kept() ([]byte, error) {
	b, err := json.MarshalIndent(s.Settings, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("describing the sweep: %w", err)
	}
	return b, nil
}

// foreign refuses levels that no sweep of ours made: those of aiperf, of a
// script around it, or of a single run. Their settings are not known, so that
// they cannot be gone on with either.
func (s Sweep) foreign() error {
	levels, err := bound.Glob(s.Dir, levelPattern)
	if err != nil {
		return err
	}
	own := report.FileNames("")
	for _, dir := range levels {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && (d.Name() == own.JSON || d.Name() == own.Records || d.Name() == own.JSONL ||
				d.Name() == own.JSONL+report.Zst) {
				return fault.New("%s %w (%s) that %s cannot go on with, since their settings are not known: %s "+
					"replaces them, another %s leaves them",
					s.Dir, ErrHasResults, path, fault.Field("resume"), fault.Field("overwrite"),
					fault.Field("benchmark-name"))
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// begin leaves the sweep's settings in its folder: at once, or, where there are
// results to be overwritten, when a good reply replaces those. Only levels are
// removed then.
func (s Sweep) begin() (*Earlier, error) {
	mine, err := s.kept()
	if err != nil {
		return nil, err
	}
	write := func() error {
		return report.WriteFile(s.path(), func(w io.Writer) error { _, err := w.Write(mine); return err })
	}
	if !s.Overwrite {
		return nil, write()
	}
	return newEarlier(s.Dir, report.FileNames(""), func(mine map[string]bool) error {
		old, err := bound.Glob(s.Dir, levelPattern)
		errs := []error{err}
		for _, dir := range old {
			errs = append(errs, removeBut(dir, mine))
		}
		return distinct(append(errs, write())...)
	}, levelPattern, levelPattern+"/*", levelPattern+"/"+runPattern)
}

// levelPattern matches the folders of levels.
const levelPattern = "c[0-9]*"

func (s Sweep) level(ctx context.Context, n int, earlier *Earlier) (Level, error) {
	l := Level{Concurrency: n, Dir: filepath.Join(s.Dir, fmt.Sprintf("c%d", n))}
	r := Repeat{Dir: l.Dir, Runs: s.Runs, Cooldown: s.Cooldown, Confidence: s.Confidence, Keep: s.Resume,
		Watch: s.Watch, Earlier: earlier, Until: s.Until}
	r.Measure = func(run int, dir string) (Measurement, error) { return s.Measure(n, run, dir) }
	var err error
	l.Reports, err = r.Run(ctx)
	return l, err
}
