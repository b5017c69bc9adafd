package study

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/record"
	"headway/report"
)

// Earlier are results that lie where new ones will. They stay until a measured
// request of the new ones was answered: a server that is down, or a mistyped
// address, must not cost what was measured before. A nil Earlier keeps nothing.
type Earlier struct {
	dir   string // where they are, for messages
	clear func(mine map[string]bool) error
	once  sync.Once
	err   error
	// stays says that they were not replaced yet.
	stays bool
}

// ErrOldStay says that results of an earlier call stay, since no request of
// this one was answered.
var ErrOldStay = errors.New("no request was answered, so that the earlier results stay")

// newEarlier looks for results of these names in folders below dir, given as
// patterns ("." is dir itself). clear, which may be nil, removes them when the
// first request was answered, but for the files that are being written (mine, by
// path); without it the new files take the names of the old ones. It is called
// at once where nothing is worth keeping.
func newEarlier(dir string, names report.Names, clear func(map[string]bool) error,
	patterns ...string) (*Earlier, error) {
	e := &Earlier{dir: dir, clear: clear}
	for _, p := range patterns {
		folders, err := bound.Glob(dir, p)
		if err != nil {
			return nil, fmt.Errorf("looking for earlier results: %w", err)
		}
		e.stays = e.stays || slices.ContainsFunc(folders, func(dir string) bool { return hasReplies(dir, names) })
	}
	if !e.stays && clear != nil {
		return e, clear(nil)
	}
	return e, nil
}

// EarlierIn are the results of a run that lie in a folder, to be replaced by those
// of another. Without overwrite they are a fault that wraps [ErrHasResults] and
// names the field that holds the folder.
func EarlierIn(dir string, names report.Names, overwrite bool, folder fault.Field) (*Earlier, error) {
	if HoldsRun(dir, names) && !overwrite {
		return nil, fault.Usage(fault.New("%s %w: %s replaces it, %s names another folder",
			dir, ErrHasResults, fault.Field("overwrite"), folder))
	}
	clear := func(map[string]bool) error {
		return distinct(remove(filepath.Join(dir, "profile_runs")), remove(filepath.Join(dir, "aggregate")))
	}
	return newEarlier(dir, names, clear, ".", runPattern)
}

// HoldsRun says whether a folder has results of one run or of repeats of one.
func HoldsRun(dir string, names report.Names) bool {
	return slices.ContainsFunc([]string{names.JSON, names.Records, "profile_runs"}, func(name string) bool {
		_, err := os.Stat(filepath.Join(dir, name))
		return err == nil
	})
}

// answered is told of every Record, until the first good one.
func (e *Earlier) answered(r *record.Record, mine func() map[string]bool) error {
	if e == nil || r.Warmup || r.Outcome != record.OK {
		return nil
	}
	e.once.Do(func() {
		if e.stays && e.clear != nil {
			e.err = e.clear(mine())
		}
		e.stays = false
	})
	return e.err
}

// kept reports whether the old results are still to stay.
func (e *Earlier) kept() bool { return e != nil && e.stays }

// hasReplies says whether there is a result in dir with a good reply. One that
// cannot be read is taken for one, and so are records without their summary,
// which a process leaves that is killed between the two.
func hasReplies(dir string, names report.Names) bool {
	l, err := report.Load(filepath.Join(dir, names.JSON))
	switch {
	case err == nil:
		return l.Answered()
	case errors.Is(err, fs.ErrNotExist):
		_, err := os.Stat(filepath.Join(dir, names.Records))
		return err == nil
	}
	return true
}

// removeBut removes a folder with everything in it but the files that are kept,
// by path, and the folders of those.
func removeBut(dir string, keep map[string]bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("removing earlier results: %w", err)
	}
	var errs []error
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case keep[path]:
		case e.IsDir():
			errs = append(errs, removeBut(path, keep))
		default:
			errs = append(errs, remove(path))
		}
	}
	if left, err := os.ReadDir(dir); err == nil && len(left) == 0 {
		errs = append(errs, remove(dir))
	}
	return distinct(errs...)
}
