package profile

import (
	"path/filepath"
	"time"

	"sigs.k8s.io/yaml"
)

// StatusFile is where a search says how it goes, for who waits for it.
const StatusFile = "profiler_status.yaml"

// Stage is a part of a search, as Dynamo's operator knows them.
type Stage string

// The stages, in their order.
const (
	Initializing    Stage = "Initializing"
	SweepingPrefill Stage = "SweepingPrefill"
	SweepingDecode  Stage = "SweepingDecode"
	SelectingConfig Stage = "SelectingConfig"
	BuildingCurves  Stage = "BuildingCurves"
	GeneratingDGD   Stage = "GeneratingDGD"
	Done            Stage = "Done"
)

// StatusReport is profiler_status.yaml.
type StatusReport struct {
	// Status is running, success or failed.
	Status string `json:"status"`
	// Timestamp is UTC, to the second.
	Timestamp string `json:"timestamp"`
	Message   string `json:"message,omitempty"`
	Error     string `json:"error,omitempty"`
	// Outputs are files by what they are, relative to the folder.
	Outputs map[string]string `json:"outputs,omitempty"`
	Phase   Stage             `json:"phase,omitempty"`
}

// WriteStatus replaces the status in a folder.
func WriteStatus(dir string, s StatusReport, now time.Time) error {
	s.Timestamp = now.UTC().Format("2006-01-02T15:04:05Z")
	data, err := yaml.Marshal(s)
	if err != nil {
		return err
	}
	return ReplaceFile(filepath.Join(dir, StatusFile), data)
}

// StageOf is the stage in which a phase is searched.
func StageOf(p Phase) Stage {
	if p == Prefill {
		return SweepingPrefill
	}
	return SweepingDecode
}
