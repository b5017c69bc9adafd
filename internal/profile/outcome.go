package profile

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"headway/internal/bound"
	"headway/internal/model"
)

// Status is how a candidate ended.
type Status string

// The statuses.
const (
	Measured Status = "measured"
	Dead     Status = "dead"   // it could not run, or died
	Broken   Status = "failed" // it ran and could not be measured
	Pruned   Status = "pruned" // it cannot win any more, and was never started
)

// Outcome is what became of a candidate.
type Outcome struct {
	Version int    `json:"version"`
	Phase   Phase  `json:"phase"`
	Mapping string `json:"mapping"`
	Status  Status `json:"status"`
	// Death is set when Status is Dead, Problem says why it is Broken or Pruned.
	Death   *Death `json:"death,omitempty"`
	Problem string `json:"problem,omitempty"`

	// OpenedAs is the phase that the engine was set up for where that is
	// another: a fresh prompt takes a decode worker as long as a prefill one.
	OpenedAs Phase `json:"opened_as,omitempty"`

	GPUs        int    `json:"gpus"`
	AttentionDP int    `json:"attention_dp,omitempty"`
	KVTokens    int    `json:"max_kv_tokens,omitempty"`
	Simulated   bool   `json:"simulated,omitempty"`
	Logs        string `json:"logs,omitempty"`
	// LoadSeconds is from the engine's start to its first answer,
	// MeasuredSeconds what measuring took in the engine's time. GPUMinutes are
	// both together times the GPUs.
	LoadSeconds     float64  `json:"load_seconds"`
	MeasuredSeconds float64  `json:"measured_seconds"`
	GPUMinutes      float64  `json:"gpu_minutes"`
	Trials          []Trial  `json:"trials,omitempty"`
	Warnings        []string `json:"warnings,omitempty"`
}

// Death is a DeadError in a file.
type Death struct {
	Reason  Reason `json:"reason"`
	Message string `json:"message"`
	Advice  string `json:"advice,omitempty"`
	Log     string `json:"log,omitempty"`
}

// outcomeVersion is that of the file.
const outcomeVersion = 1

// newOutcome is a candidate before anything is known of it.
func newOutcome(c Candidate) Outcome {
	return Outcome{Version: outcomeVersion, Phase: c.Phase, Mapping: c.Mapping.String(), GPUs: c.Mapping.GPUs(),
		AttentionDP: c.Mapping.AttentionDP()}
}

// Candidate is whose outcome it is.
func (o Outcome) Candidate() (Candidate, error) {
	m, err := model.ParseMapping(o.Mapping)
	return Candidate{Phase: o.Phase, Mapping: m}, err
}

// account fills in what the search cost.
func (o *Outcome) account(f Facts, spentSeconds float64) {
	if f.GPUs > 0 {
		o.GPUs = f.GPUs
	}
	if f.AttentionDP > 0 {
		o.AttentionDP = f.AttentionDP
	}
	o.KVTokens, o.Simulated, o.Logs = f.KVTokens, f.Simulated, f.Logs
	o.LoadSeconds, o.MeasuredSeconds = f.Load.Seconds(), spentSeconds
	o.GPUMinutes = float64(o.GPUs) * (o.LoadSeconds + o.MeasuredSeconds) / 60
}

// conclude says how the measuring ended. What was measured before an engine
// died counts.
func (o *Outcome) conclude(trials []Trial, err error) {
	o.Status, o.Trials = Measured, trials
	var dead *DeadError
	switch {
	case err == nil:
	case errors.As(err, &dead):
		o.Status, o.Death = Dead, &Death{Reason: dead.Reason, Message: dead.Message, Advice: dead.Advice, Log: dead.Log}
	case len(trials) > 0:
		o.Warnings = append(o.Warnings, "measuring ended early: "+err.Error())
	default:
		o.Status, o.Problem = Broken, err.Error()
	}
}

// Reason is why there is no figure, in a line.
func (o Outcome) Reason() string {
	if o.Death != nil {
		e := DeadError{Reason: o.Death.Reason, Message: o.Death.Message, Advice: o.Death.Advice}
		return e.Error()
	}
	return o.Problem
}

// folder keeps a search's files. An empty path keeps nothing.
type folder struct{ path string }

// The files of a search's folder.
const (
	outcomeFile  = "outcome.json"
	settingsFile = "sla_settings.json"
)

// at is the path of a file of a candidate.
func (d folder) at(c Candidate, name string) string { return filepath.Join(d.path, c.Tag(), name) }

// keep writes an outcome.
func (d folder) keep(c Candidate, o Outcome) error {
	if d.path == "" {
		return nil
	}
	return writeJSON(d.at(c, outcomeFile), o)
}

// recall reads what a search before this one found out of a candidate.
func (d folder) recall(c Candidate) (Outcome, bool, error) {
	if d.path == "" {
		return Outcome{}, false, nil
	}
	path := d.at(c, outcomeFile)
	data, err := bound.ReadFile(path, bound.Document, "the outcome")
	if errors.Is(err, fs.ErrNotExist) {
		return Outcome{}, false, nil
	}
	if err != nil {
		return Outcome{}, false, fmt.Errorf("resuming: %w", err)
	}
	o, err := ParseOutcome(data)
	if err != nil {
		return o, false, fmt.Errorf("resuming: %s: %w; delete it to measure %s again", path, err, c.Tag())
	}
	if o.Phase != c.Phase || o.Mapping != c.Mapping.String() {
		return o, false, fmt.Errorf("resuming: %s is that of %s %s; delete it to measure %s again", path, o.Phase,
			o.Mapping, c.Tag())
	}
	return o, true, nil
}

// ParseOutcome reads an outcome.json. The error says what does not make sense.
func ParseOutcome(data []byte) (Outcome, error) {
	var o Outcome
	if err := json.Unmarshal(data, &o); err != nil {
		return o, fmt.Errorf("reading an outcome: %w", err)
	}
	if o.Version != outcomeVersion {
		return o, fmt.Errorf("reading an outcome: version %d, and this headway reads %d", o.Version, outcomeVersion)
	}
	if _, err := o.Candidate(); err != nil {
		return o, fmt.Errorf("reading an outcome: %w", err)
	}
	if !slices.Contains([]Status{Measured, Dead, Broken}, o.Status) || o.Status == Measured && len(o.Trials) == 0 ||
		o.Status == Dead && o.Death == nil {
		return o, fmt.Errorf("reading an outcome: status %q without what belongs to it", o.Status)
	}
	for _, t := range o.Trials {
		// The few tokens of a prefill need no pace.
		itl := t.ITL.sound() || o.Phase == Prefill && t.ITL == Figure{}
		if t.Concurrency < 1 || !t.TTFT.sound() || !itl || !t.Throughput.sound() || t.Throughput.Mean <= 0 {
			return o, fmt.Errorf("reading an outcome: the trial at concurrency %d has figures that cannot be",
				t.Concurrency)
		}
	}
	return o, nil
}

// sound says that a figure can have been measured.
func (f Figure) sound() bool { return f.N > 0 && f.Mean >= 0 && f.Std >= 0 }

// writeJSON replaces a file at once: a reader sees the old one or the new one.
func writeJSON(path string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	return ReplaceFile(path, append(data, '\n'))
}

// ReplaceFile writes beside the file, waits for the disk and renames: a reader
// sees the old file or the new one. Folders are made.
func ReplaceFile(path string, data []byte) (err error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	f, err := os.CreateTemp(dir, "."+filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, err)
	}
	defer func() {
		if err != nil {
			_ = f.Close() // a second error says nothing new
			_ = os.Remove(f.Name())
			err = fmt.Errorf("writing %s: %w", path, err)
		}
	}()
	if _, err = f.Write(data); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
