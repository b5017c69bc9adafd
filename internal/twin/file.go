package twin

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"headway/internal/bound"
	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/internal/fault"
)

// FileVersion is that of the format of twin.json that this headway writes.
const FileVersion = 1

// File is twin.json: a calibrated model, what it was fitted on, and how well it
// holds.
type File struct {
	Version int `json:"headway_twin"`
	// Headway is the version that wrote the file, Created when.
	Headway string    `json:"headway"`
	Created time.Time `json:"created"`
	// Engine is the server as it was configured, Model what its times follow from.
	Engine Engine `json:"engine"`
	Model  Model  `json:"model"`
	// Range is what the fit has seen.
	Range Range `json:"range"`
	// Fitted and HeldOut are loads that the fit used and did not use, measured and
	// simulated.
	Fitted  []Judged `json:"fitted"`
	HeldOut []Judged `json:"held_out,omitempty"`
	// Uncertainty says how far figures may be off; nil where it is not known.
	Uncertainty *Uncertainty `json:"uncertainty,omitempty"`
	// Calibration is nil where the loads were measured before.
	Calibration *Calibration `json:"calibration,omitempty"`
}

// Range is what a fit has seen, lowest and highest.
type Range struct {
	ISL      [2]int `json:"isl"`
	OSL      [2]int `json:"osl"`
	InFlight [2]int `json:"in_flight"`
}

// Read reads a twin.json.
func Read(path string) (*File, error) {
	data, err := bound.ReadFile(path, bound.Document, "the twin")
	if err != nil {
		return nil, err
	}
	var f File
	if err := json.Unmarshal(data, &f); err != nil {
		return nil, fmt.Errorf("reading the twin %s: not a twin.json, or not all of it: %w", path, err)
	}
	switch {
	case f.Version == 0:
		return nil, fmt.Errorf("reading the twin %s: not a twin.json: there is no \"headway_twin\"", path)
	case f.Version > FileVersion || f.Version < 0:
		return nil, fmt.Errorf("reading the twin %s: version %d of the format is unknown; this headway reads up to %d",
			path,
			f.Version, FileVersion)
	}
	if f.Model.KVAlone == 0 { // a file of before there was this parameter
		f.Model.KVAlone = Usual.KVAlone
	}
	if err := f.validate(); err != nil {
		return nil, fmt.Errorf("reading the twin %s: %w", path, err)
	}
	return &f, nil
}

// validate refuses numbers that no fit gives.
func (f *File) validate() error {
	var bad fault.List
	for _, p := range Parameters {
		v := *p.Of(&f.Model)
		within(&bad, "model."+p.Name, v, p.Low, p.High)
	}
	within(&bad, "model.launch_tail_ms", f.Model.LaunchTail, 0, 1000)
	within(&bad, "model.collect_ms", f.Model.Collect, 0, 1000)
	within(&bad, "model.first_ms", f.Model.First, 0, 1000)
	if _, known := servers[f.Engine.Type]; !known {
		bad.Add("engine.type %q: must be vllm, sglang or trtllm", f.Engine.Type)
	}
	for _, n := range []struct {
		name string
		n    int
	}{
		{"max_num_seqs", f.Engine.MaxNumSeqs}, {"max_num_batched_tokens", f.Engine.MaxNumBatchedTokens},
		{"blocks", f.Engine.Blocks}, {"block_size", f.Engine.BlockSize},
	} {
		within(&bad, "engine."+n.name, float64(n.n), 1, math.MaxInt32)
	}
	f.Uncertainty.validate(&bad)
	if err := bad.Err(); err != nil {
		return err
	}
	return f.Engine.Config(&f.Model).Validate()
}

// within checks a number of the file. It has the name that it has there, since no
// option gives it.
func within(bad *fault.List, name string, v, low, high float64) {
	bad.When(!(v >= low && v <= high), "%s %v: must be from %v to %v", name, v, low, high)
}

// Apply has a cluster's workers behave as the twin. What c.Engine says of the
// scheduler and the cache holds, where it says something: that prices other
// settings of the same engine.
func (f *File) Apply(c *cluster.Config) {
	want := f.Engine.Config(&f.Model)
	e := &c.Engine
	fill(&e.Type, want.Engine.Type)
	fill(&e.MaxNumSeqs, want.Engine.MaxNumSeqs)
	fill(&e.MaxNumBatchedTokens, want.Engine.MaxNumBatchedTokens)
	if e.NumGPUBlocks == 0 && e.BlockSize > 0 {
		e.NumGPUBlocks = max(f.Engine.Blocks*f.Engine.BlockSize/e.BlockSize, 1)
	}
	fill(&e.NumGPUBlocks, want.Engine.NumGPUBlocks)
	fill(&e.BlockSize, want.Engine.BlockSize)
	if e.Type == engine.SGLang {
		fill(&e.SGLang.ChunkedPrefillSize, want.Engine.SGLang.ChunkedPrefillSize)
	}
	e.Timing, c.API, c.Frontend = want.Engine.Timing, want.API, 0
	c.Calibration, c.Basis = f.calibration(), cluster.Basis{}
}

func fill[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// JSON is the file's text.
func (f *File) JSON() ([]byte, error) {
	data, err := json.MarshalIndent(f, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("writing the twin: %w", err)
	}
	return append(data, '\n'), nil
}
