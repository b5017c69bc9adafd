package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/internal/settings"
	"headway/record"
	"headway/report"
)

// Book is the folder of a procedure that makes several runs, each in a folder of
// its own: under which settings they are made, what of an earlier call is kept,
// and what is replaced.
//
// A run of an earlier call is kept with Resume when it came to its end, all its
// files are there, and it has the id of the run that was to be made. It is used by
// one goroutine at a time, which has claimed the folder.
type Book struct {
	Dir   string
	Names report.Names
	// Runs are patterns of the folders that hold runs, below Dir.
	Runs []string
	// Settings are what two calls have to have in common for one to keep the runs
	// of the other.
	Settings settings.Settings
	// Resume keeps runs, Overwrite replaces them. Without either a folder that
	// holds runs is refused.
	Resume, Overwrite bool

	earlier *Earlier
}

// settingsName is the file that holds the settings of a Book.
const settingsName = "settings.json"

func (b *Book) path() string { return filepath.Join(b.Dir, settingsName) }

// Before are the settings of the call that began the folder; nil where nothing
// was begun there. It changes nothing and may be called before Open.
func (b *Book) Before() (settings.Settings, error) {
	raw, err := bound.ReadFile(b.path(), bound.Document, "the settings")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the settings of an earlier call: %w", err)
	}
	s, err := settings.Read(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", b.path(), err)
	}
	return s, nil
}

// Open makes the folder this call's. It fails with [ErrHasResults] or
// [settings.ErrChanged] where it would lose runs or mix them. Runs that are to be
// overwritten stay until a request of this call was answered.
func (b *Book) Open() error {
	if err := report.Probe(b.Dir); err != nil {
		return err
	}
	old, err := b.held()
	if err != nil {
		return err
	}
	switch {
	case b.Overwrite:
		clear := func(mine map[string]bool) error { return b.replace(old, mine) }
		b.earlier, err = newEarlier(b.Dir, b.Names, clear, b.Runs...)
		return err
	case b.Resume:
		err = b.same(len(old) > 0)
	case len(old) > 0:
		err = fault.New("%s %w: %s goes on with them, %s replaces them, another %s leaves them", b.Dir, ErrHasResults,
			fault.Field("resume"), fault.Field("overwrite"), fault.Field("output-dir"))
	}
	if err != nil {
		return err
	}
	return b.begin()
}

// held are the folders that hold runs of an earlier call.
func (b *Book) held() ([]string, error) {
	var all []string
	for _, pattern := range b.Runs {
		files, err := bound.Glob(b.Dir, filepath.Join(pattern, b.Names.Records))
		if err != nil {
			return nil, fmt.Errorf("looking for earlier results: %w", err)
		}
		for _, path := range files {
			all = append(all, filepath.Dir(path))
		}
	}
	return all, nil
}

// same compares the settings with those of the call that began the folder.
func (b *Book) same(holds bool) error {
	before, err := b.Before()
	switch {
	case err != nil:
		return err
	case before == nil && holds:
		return fault.New("%s %w, and with which settings is not known, since it has no %s: "+
			"%s replaces them, another %s leaves them", b.Dir, ErrHasResults, settingsName,
			fault.Field("overwrite"), fault.Field("output-dir"))
	case before == nil:
		return nil
	}
	return settings.Compare(b.Dir, before, b.Settings)
}

// begin keeps the settings.
func (b *Book) begin() error {
	return report.WriteFile(b.path(), func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(b.Settings)
	})
}

// replace removes earlier runs, but for the files that are being written.
func (b *Book) replace(old []string, mine map[string]bool) error {
	var errs []error
	for _, dir := range old {
		if err := removeBut(dir, mine); !errors.Is(err, fs.ErrNotExist) { // it may be in one that went before
			errs = append(errs, err)
		}
	}
	return distinct(append(errs, b.begin())...)
}

// Measure makes a run in a folder of the book, or keeps that of an earlier call.
func (b *Book) Measure(ctx context.Context, dir string, m Measurement) (rep *report.Report, kept bool, err error) {
	m.Dir, m.Names = dir, b.Names
	if m.Earlier, err = b.replaced(dir); err != nil {
		return nil, false, err
	}
	if rep, err := b.keep(&m); rep != nil || err != nil {
		return rep, true, err
	}
	rep, err = m.Run(ctx)
	return rep, false, err
}

// Simulate makes a run in virtual time, or keeps that of an earlier call.
func (b *Book) Simulate(ctx context.Context, dir string, s Simulation) (rep *report.Report, kept bool, err error) {
	s.Dir, s.Names = dir, b.Names
	if s.Earlier, err = b.replaced(dir); err != nil {
		return nil, false, err
	}
	m := s.measurement()
	if rep, err := b.keep(&m); rep != nil || err != nil {
		return rep, true, err
	}
	s.Warnings = m.Warnings
	rep, err = s.Run(ctx)
	return rep, false, err
}

// replaced are the results that the first good reply of a run replaces.
func (b *Book) replaced(dir string) (*Earlier, error) {
	if b.Resume {
		return newEarlier(dir, b.Names, nil, ".")
	}
	return b.earlier, nil
}

// keep is the report of a run that an earlier call brought to its end, nil where
// it has to be made. Sinks that would have seen its Records see them.
func (b *Book) keep(m *Measurement) (*report.Report, error) {
	if !b.Resume {
		return nil, nil
	}
	rep := m.kept()
	if rep == nil || m.Header.ID != "" && rep.Run.ID != m.Header.ID {
		return nil, nil
	}
	if err := refresh(rep, m.Dir, m.Names, m.Others); err != nil || m.Also == nil {
		return rep, err
	}
	_, _, err := takeRecords(filepath.Join(m.Dir, m.Names.Records), m.Also)
	return rep, err
}

// kept is the report of a run that an earlier call brought to its end. Where its
// files are there and cannot be read, it is measured again, and says why.
func (m *Measurement) kept() *report.Report {
	rep, err := earlier(*m)
	if err != nil {
		m.warn("measured_again", "%s holds an earlier run that cannot be read, so it is measured again: %v", m.Dir, err)
	}
	return rep
}

// warn adds to the warnings that are known before the run.
func (m *Measurement) warn(code, format string, args ...any) {
	m.Warnings = append(slices.Clip(m.Warnings), record.Warning{Code: code, Text: fmt.Sprintf(format, args...)})
}
