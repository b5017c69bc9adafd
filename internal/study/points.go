package study

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"headway/report"
)

// Points are the folders of a procedure that decides as it goes what it
// measures next, and how often. Every point has a folder, and in it one for each
// run: <Dir>/<section>/<point>/<run>.
//
// What an earlier call left of a point is replaced when a request of this call
// was answered there, so that a point never has runs of two calls. It is used by
// one goroutine at a time.
type Points struct {
	Dir   string
	Names report.Names

	names    map[string]int // how often a folder's name was asked for
	sections map[string]*Earlier
	points   map[string]*Earlier
}

// PointRun names the folders of a run.
type PointRun struct {
	Section, Point, Run string
	// Anew says that nothing of the section is gone on with: all of it is
	// replaced, and not only the same point.
	Anew bool
}

// Run makes one run, into a folder that no other run of this call has. What it
// returns is as of [Measurement.Run], but that a run without an answer beside
// earlier results is no error: its Records say what happened, and are kept
// beside those results.
func (p *Points) Run(ctx context.Context, at PointRun, m Measurement) (*report.Report, error) {
	// Without all three what is replaced would be somebody else's folder.
	if at.Section == "" || at.Point == "" || at.Run == "" {
		return nil, fmt.Errorf("a run has to have a section, a point and a name, not %q, %q and %q", at.Section,
			at.Point, at.Run)
	}
	earlier, err := p.earlier(at)
	if err != nil {
		return nil, err
	}
	m.Dir, m.Names, m.Earlier = p.folder(at), p.Names, earlier
	if m.Header.ID == "" {
		m.Header.ID = NewID(m.Dir)
	}
	rep, err := m.Run(ctx)
	var errs []error
	for _, one := range parts(err) {
		if !errors.Is(one, ErrOldStay) {
			errs = append(errs, one)
		}
	}
	return rep, errors.Join(errs...)
}

// folder is where the run goes: the same name twice is another attempt.
func (p *Points) folder(at PointRun) string {
	dir := filepath.Join(p.Dir, at.Section, at.Point, at.Run)
	if p.names == nil {
		p.names = map[string]int{}
	}
	if p.names[dir]++; p.names[dir] > 1 {
		dir = fmt.Sprintf("%s_%d", dir, p.names[dir])
	}
	return dir
}

// earlier is what the first answer of the run replaces.
func (p *Points) earlier(at PointRun) (_ *Earlier, err error) {
	if p.sections == nil {
		p.sections, p.points = map[string]*Earlier{}, map[string]*Earlier{}
	}
	all, dir := p.points, filepath.Join(p.Dir, at.Section, at.Point)
	if at.Anew {
		all, dir = p.sections, filepath.Join(p.Dir, at.Section)
	}
	if all[dir] == nil {
		all[dir], err = everythingIn(dir)
	}
	return all[dir], err
}

// everythingIn is all of a folder, which may be missing, the records of killed
// runs included.
func everythingIn(dir string) (*Earlier, error) {
	there, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for earlier results: %w", err)
	}
	clear := func(mine map[string]bool) error { return removeBut(dir, mine) }
	return &Earlier{dir: dir, stays: len(there) > 0, clear: clear}, nil
}
