package sla

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/internal/model"
	"headway/internal/profile"
)

// ReadResult reads the result of a search in a folder, of any version. It wraps
// [fs.ErrNotExist] where there is none.
func ReadResult(dir string) (Result, error) {
	path := filepath.Join(dir, ResultName)
	data, err := bound.ReadFile(path, bound.Document, "the result")
	if err != nil {
		return Result{}, fmt.Errorf("reading the result of a search: %w", err)
	}
	var r Result
	if err := json.Unmarshal(data, &r); err != nil {
		return r, fmt.Errorf("reading the result of a search: %s: %w", path, err)
	}
	if len(r.Prefill.Outcomes)+len(r.Decode.Outcomes) == 0 {
		return r, fmt.Errorf("reading the result of a search: %s has no outcome of a candidate", path)
	}
	return r, nil
}

// WritePictures draws the pictures of the result into a folder again.
func (r Result) WritePictures(dir string, name func(fault.Field) string) error {
	_, err := r.pictures(name).WritePictures(dir)
	return err
}

// pictures are those of the result.
func (r Result) pictures(name func(fault.Field) string) profile.Pictures {
	halves := r.halves()
	made := profile.Pictures{
		Result:     profile.Result{Prefill: halves[0].result(), Decode: halves[1].result()},
		SLO:        profile.SLO{TTFT: halves[0].target, ITL: halves[1].target},
		Demand:     r.demand(),
		Aggregated: r.AggTrials,
	}
	made.Title, made.Note = r.captions(name)
	return made
}

// Untold says what the file does not tell that the search knew, a sentence each.
func (r Result) Untold() []string {
	if r.GPUHour > 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s is of a version that did not keep what the pools were sized for: "+
		"costs in pictures are those of a GPU at $%g an hour, without a rate or a number of GPUs", ResultName,
		usualGPUHour)}
}

// usualGPUHour is what a GPU costs for an hour where nothing else is said ($).
const usualGPUHour = 3.0

func (r Result) demand() profile.Demand {
	d := profile.Demand{ISL: r.ISL, OSL: r.OSL, RequestRate: r.RequestRate, TotalGPUs: r.TotalGPUs, GPUHour: r.GPUHour}
	if d.GPUHour == 0 {
		d.GPUHour = usualGPUHour
	}
	return d
}

// result is the phase as a search has it.
func (h half) result() profile.PhaseResult {
	p := profile.PhaseResult{Phase: h.phase, Outcomes: h.Outcomes, GPUMinutes: h.Minutes, Notes: h.Notes}
	if h.picked {
		p.Pick = &h.pick
	}
	return p
}

// captions are the title of the pictures, and the note under them.
func (r Result) captions(name func(fault.Field) string) (title, note string) {
	gpu := r.GPU
	if g, err := model.LookupGPU(r.GPU); err == nil {
		gpu = g.Title
	}
	title = fmt.Sprintf("%s on %s · ISL %d, OSL %d", r.Model, gpu, r.ISL, r.OSL)
	note = fmt.Sprintf("%s search on %s", r.Method, r.On)
	if r.Repeats > 0 {
		note += fault.Text(name, ", %s %d", fault.Field("repeats"), r.Repeats)
	}
	note += " · headway " + r.Version
	if r.Simulated {
		note += " · simulated by " + r.simulator()
	}
	return title, note
}

// simulator is what simulated candidates were timed by.
func (r Result) simulator() string {
	const roofline = "a roofline whose efficiencies are assumptions"
	by := map[bool]bool{}
	for _, o := range slices.Concat(r.Prefill.Outcomes, r.Decode.Outcomes) {
		for _, t := range o.Trials {
			by[t.Basis != nil && (t.Basis.Grounds == profile.OnTwin || t.Basis.Grounds == profile.BeyondTwin)] = true
		}
	}
	switch {
	case by[true] && by[false]:
		return "a twin of a server, other mappings by " + roofline
	case by[true]:
		return "a twin of a server"
	}
	return roofline
}
