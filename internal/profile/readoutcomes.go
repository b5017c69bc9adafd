package profile

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"

	"headway/internal/bound"
	"headway/internal/settings"
)

// KeptOutcomes is what a search has measured so far.
type KeptOutcomes struct {
	// Outcomes are in the order of their GPUs and mappings.
	Outcomes []Outcome
	// Settings are what the search was asked for; empty where that is not known.
	Settings settings.Settings
	// Untold says which files could not be read.
	Untold []string
}

// Of are those of a phase.
func (k KeptOutcomes) Of(p Phase) []Outcome {
	return slices.DeleteFunc(slices.Clone(k.Outcomes), func(o Outcome) bool { return o.Phase != p })
}

// ReadOutcomes reads what a search has left in a folder, whether it came to its end
// or not. It wraps [fs.ErrNotExist] where there is no outcome.
func ReadOutcomes(dir string) (k KeptOutcomes, err error) {
	paths, err := bound.Glob(dir, "*/"+outcomeFile)
	if err != nil {
		return k, fmt.Errorf("reading the outcomes of a search: %w", err)
	}
	for _, path := range paths {
		o, err := readOutcome(path)
		if err != nil {
			k.Untold = append(k.Untold, err.Error())
			continue
		}
		k.Outcomes = append(k.Outcomes, o)
	}
	if len(k.Outcomes) == 0 {
		return k, fmt.Errorf("reading the outcomes of a search in %s: %w", dir, fs.ErrNotExist)
	}
	slices.SortStableFunc(k.Outcomes, func(a, b Outcome) int {
		return cmp.Or(cmp.Compare(a.GPUs, b.GPUs), cmp.Compare(a.Mapping, b.Mapping))
	})
	data, err := bound.ReadFile(filepath.Join(dir, settingsFile), bound.Document, "the search")
	if err == nil {
		k.Settings, err = settings.Read(data)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		k.Untold = append(k.Untold, err.Error())
	}
	return k, nil
}

func readOutcome(path string) (Outcome, error) {
	data, err := bound.ReadFile(path, bound.Document, "the outcome")
	if err != nil {
		return Outcome{}, err
	}
	o, err := ParseOutcome(data)
	if err != nil {
		return o, fmt.Errorf("%s: %w", path, err)
	}
	return o, nil
}
