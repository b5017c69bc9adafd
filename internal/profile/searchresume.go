package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/internal/settings"
)

// ErrHasOutcomes says that a folder holds an earlier search.
var ErrHasOutcomes = fault.New("holds the outcomes of an earlier search: %s goes on with it, %s replaces it, "+
	"another %s leaves it",
	fault.Field("resume"), fault.Field("overwrite"), fault.Field("output-dir"))

// Claim makes the folder this search's own, which Run does first of all. It
// fails with [ErrHasOutcomes] or [settings.ErrChanged] where the folder is another's.
// Outcomes that are to be overwritten stay, with their settings, until a
// candidate was measured.
func (s Search) Claim() error {
	if s.Dir == "" {
		return nil
	}
	old, err := bound.Glob(s.Dir, "*/"+outcomeFile)
	if err != nil {
		return err
	}
	if len(old) > 0 && s.Overwrite {
		return nil
	}
	if len(old) > 0 && !s.Resume {
		return fmt.Errorf("%s %w", s.Dir, ErrHasOutcomes)
	}
	path := filepath.Join(s.Dir, settingsFile)
	if s.Resume {
		if err := s.same(path, len(old) > 0); err != nil {
			return err
		}
	}
	return writeJSON(path, s.Settings)
}

// same compares the settings with those of the search that is resumed.
func (s Search) same(path string, outcomes bool) error {
	data, err := bound.ReadFile(path, bound.Document, "the search")
	if errors.Is(err, fs.ErrNotExist) && !outcomes {
		return nil // nothing was begun here
	}
	if err != nil {
		return fmt.Errorf("resuming: %w", err)
	}
	before, err := settings.Read(data)
	if err != nil {
		return fmt.Errorf("resuming: %s: %w", path, err)
	}
	return settings.Compare("the search in "+filepath.Dir(path), before, s.Settings)
}

// replace removes the outcomes of an earlier search, and nothing else, and makes
// the folder this one's.
func (s Search) replace() error {
	if s.Dir == "" {
		return nil
	}
	old, err := bound.Glob(s.Dir, "*/"+outcomeFile)
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing an earlier search: %w", err)
		}
	}
	return writeJSON(filepath.Join(s.Dir, settingsFile), s.Settings)
}

// place keeps outcomes. Those before the first that was measured wait where they
// would take the place of another search's.
type place struct {
	folder folder
	claim  func() error

	mu      sync.Mutex
	ours    bool
	waiting []Outcome
}

func (p *place) keep(c Candidate, o Outcome) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ours {
		return p.folder.keep(c, o)
	}
	p.waiting = append(p.waiting, o)
	if o.Status != Measured {
		return nil
	}
	if err := p.claim(); err != nil {
		return err
	}
	p.ours = true
	for _, o := range p.waiting {
		c, err := o.Candidate()
		if err == nil {
			err = p.folder.keep(c, o)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// recall puts what an earlier search left in the folder on the boards.
func (s Search) recall(all boards) error {
	if !s.Resume {
		return nil
	}
	d := folder{s.Dir}
	for _, p := range []Phase{Prefill, Decode} {
		for _, c := range all[p].candidates {
			o, found, err := d.recall(c)
			if err != nil {
				return err
			}
			if found {
				all[p].settle(c, o)
				s.tell(all[p], Progress{Ended: &o, Recalled: true})
			}
		}
	}
	return nil
}
