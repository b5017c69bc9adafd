package probe

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/internal/profile"
)

// JournalName is the file in a calibration's folder that says which probes are
// there.
const JournalName = "calibration.json"

// section is the folder of all probes.
const section = "probes"

// Journal is what a calibration has measured, so that the next call goes on there.
type Journal struct {
	Version int `json:"headway_calibration"`
	// URL, Model and the limits are what two calls must have in common.
	URL         string `json:"url"`
	Model       string `json:"model"`
	Concurrency int    `json:"max_concurrency"`
	Context     int    `json:"max_context_length"`
	// Attempts counts the calls: prompts of another call are not sent again.
	Attempts int    `json:"attempts"`
	Done     []Done `json:"probes"`

	dir string
}

// Done is a probe that was measured.
type Done struct {
	Probe Probe  `json:"probe"`
	Run   string `json:"run"`
	// Seconds are of load.
	Seconds float64 `json:"seconds"`
	Seen    Seen    `json:"seen"`
	// Invalid says why the figures are the client's, empty where they are not.
	Invalid string `json:"invalid,omitempty"`
}

const journalVersion = 1

// errChanged says that a calibration cannot go on as another.
var errChanged = errors.New("the probes that are there are of another calibration")

// OpenJournal begins a calibration in a folder, or goes on with it. want has what
// two calls must have in common. The error is a usage error where the folder has
// probes and neither resume nor overwrite is said.
func OpenJournal(dir string, want Journal, resume, overwrite bool) (*Journal, error) {
	want.Version, want.dir = journalVersion, dir
	data, err := bound.ReadFile(want.path(), bound.Document, "the calibration")
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return &want, nil
	case err != nil:
		return nil, err
	case overwrite:
		return &want, nil
	case !resume:
		return nil, fault.Usage(fault.New("%s has probes of an earlier call: %s goes on with them, %s discards them",
			dir, fault.Field("resume"), fault.Field("overwrite")))
	}
	j := Journal{dir: dir}
	if err := json.Unmarshal(data, &j); err != nil || j.Version != journalVersion {
		return nil, fault.Usage(fault.New("%s is no journal of version %d: %s begins again", want.path(),
			journalVersion, fault.Field("overwrite")))
	}
	if j.URL != want.URL || j.Model != want.Model || j.Concurrency != want.Concurrency || j.Context != want.Context {
		return nil, fault.Usage(fault.New("%w: of model %s at %s, %s %d, %s %d; give the same, or %s", errChanged,
			j.Model, j.URL, fault.Field("max-concurrency"), j.Concurrency, fault.Field("max-context-length"),
			j.Context, fault.Field("overwrite")))
	}
	j.Done = j.there()
	return &j, nil
}

// there are the probes whose Records are still there.
func (j *Journal) there() []Done {
	var all []Done
	for _, d := range j.Done {
		if _, err := os.Stat(filepath.Join(j.folder(d), "records.jsonl")); err == nil {
			all = append(all, d)
		}
	}
	return all
}

func (j *Journal) path() string { return filepath.Join(j.dir, JournalName) }

// folder is where a probe's results are.
func (j *Journal) folder(d Done) string { return filepath.Join(j.dir, section, d.Probe.Name, d.Run) }

// add keeps a probe.
func (j *Journal) add(d Done) error {
	j.Done = append(j.Done, d)
	return j.write()
}

func (j *Journal) write() error {
	data, err := json.MarshalIndent(j, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the journal of the calibration: %w", err)
	}
	return profile.ReplaceFile(j.path(), append(data, '\n'))
}

// runs is how often a probe was measured.
func (j *Journal) runs(name string) int {
	n := 0
	for _, d := range j.Done {
		if d.Probe.Name == name {
			n++
		}
	}
	return n
}
