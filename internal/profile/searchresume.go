package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrHasOutcomes says that a folder holds an earlier search.
var ErrHasOutcomes = errors.New("holds the outcomes of an earlier search: --resume goes on with it, --overwrite replaces it, another --output-dir leaves it")

// Claim makes the folder this search's own, which Run does first of all. It
// fails with [ErrHasOutcomes] or a *SettingsError where the folder is another's.
func (s Search) Claim() error {
	if s.Dir == "" {
		return nil
	}
	old, err := filepath.Glob(filepath.Join(s.Dir, "*", outcomeFile))
	if err != nil {
		return err
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
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !outcomes {
		return nil // nothing was begun here
	}
	if err != nil {
		return fmt.Errorf("resuming: %w", err)
	}
	var before map[string]string
	if err := json.Unmarshal(data, &before); err != nil {
		return fmt.Errorf("resuming: reading %s: %w", path, err)
	}
	var changed []string
	names := map[string]bool{}
	for _, m := range []map[string]string{before, s.Settings} {
		for name := range m {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if before[name] != s.Settings[name] {
			changed = append(changed, fmt.Sprintf("--%s was %q and is %q", name, before[name], s.Settings[name]))
		}
	}
	if len(changed) > 0 {
		return &SettingsError{Dir: filepath.Dir(path), Changed: changed}
	}
	return nil
}

// SettingsError says that a folder has a search with other settings.
type SettingsError struct {
	Dir     string
	Changed []string // a sentence for each
}

// Error lists them.
func (e *SettingsError) Error() string {
	return fmt.Sprintf("resuming %s: it was begun with other settings: %s; give the same, or search in another folder", e.Dir, strings.Join(e.Changed, "; "))
}

// ClearOutcomes removes the outcomes of an earlier search from a folder, and
// nothing else.
func ClearOutcomes(dir string) error {
	old, err := filepath.Glob(filepath.Join(dir, "*", outcomeFile))
	if err != nil {
		return err
	}
	for _, path := range append(old, filepath.Join(dir, settingsFile)) {
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing an earlier search: %w", err)
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
