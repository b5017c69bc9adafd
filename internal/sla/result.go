package sla

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"headway/internal/profile"
)

// ResultName is the file of a search's result.
const ResultName = "sla_result.json"

// Result is sla_result.json. Times are milliseconds where their names say so.
type Result struct {
	Version   string  `json:"headway_version"`
	Model     string  `json:"model"`
	GPU       string  `json:"gpu"`
	Backend   string  `json:"backend"`
	On        string  `json:"on"`
	Method    string  `json:"search"`
	Simulated bool    `json:"simulated"`
	ISL       int     `json:"isl"`
	OSL       int     `json:"osl"`
	TTFT      float64 `json:"ttft_target_ms"`
	ITL       float64 `json:"itl_target_ms"`
	// Repeats, and what the pools were sized for: requests per second, GPUs and $ an
	// hour of one. Files of the first versions have none of these.
	Repeats     int     `json:"repeats,omitempty"`
	RequestRate float64 `json:"request_rate,omitempty"`
	TotalGPUs   int     `json:"total_gpus,omitempty"`
	// InFlight is how many requests in flight RequestRate follows from, Latency the
	// target of a request from end to end that TTFT and ITL follow from.
	InFlight float64 `json:"concurrency,omitempty"`
	Latency  float64 `json:"e2e_latency_target_ms,omitempty"`
	GPUHour  float64 `json:"gpu_cost_per_hour,omitempty"`

	Prefill   PhaseResult                 `json:"prefill"`
	Decode    PhaseResult                 `json:"decode"`
	Minutes   float64                     `json:"gpu_minutes"`
	Disagg    *profile.Deployment         `json:"disaggregated,omitempty"`
	Agg       *profile.Deployment         `json:"aggregated,omitempty"`
	AggTrials []profile.AggregatedOutcome `json:"aggregated_outcomes,omitempty"`
	// Recommended says which deployment to take; absent where there is none, and in
	// files of earlier versions, which have no Files either.
	Recommended *Recommendation `json:"recommended,omitempty"`
	Files       []File          `json:"files,omitempty"`
	Warnings    []string        `json:"warnings,omitempty"`
}

// PhaseResult is what was found for a phase.
type PhaseResult struct {
	Pick     *Pick             `json:"pick"`
	Outcomes []profile.Outcome `json:"outcomes"`
	Rejected map[string]string `json:"rejected,omitempty"`
	Minutes  float64           `json:"gpu_minutes"`
	Notes    []string          `json:"notes,omitempty"`
	Remedies []string          `json:"to_meet_the_target,omitempty"`
}

// Pick is the worker that was picked for a phase, at its best load.
type Pick struct {
	Mapping     string  `json:"mapping"`
	GPUs        int     `json:"gpus"`
	Concurrency int     `json:"concurrency"`
	TTFT        float64 `json:"ttft_ms"`
	ITL         float64 `json:"itl_ms,omitzero"`
	Rate        float64 `json:"tokens_per_second_per_gpu"`
	// The half-widths are of 95 % intervals over the repeats, absent where there
	// was one.
	Within     *float64 `json:"latency_half_width_ms,omitempty"`
	RateWithin *float64 `json:"tokens_per_second_per_gpu_half_width,omitempty"`
	Repeats    int      `json:"repeats"`
	Met        bool     `json:"target_met"`
	// Basis says what the figures rest on; nil in files of earlier versions.
	Basis *profile.Basis `json:"basis,omitempty"`
	// Energy is what the worker's GPUs took at that load; nil where it is not known.
	Energy *profile.Energy `json:"energy,omitempty"`
}

// picked is a pick as the result has it.
func picked(p profile.Pick) *Pick {
	latency := latencyOf(p)
	return &Pick{
		Mapping:     p.Mapping.String(),
		GPUs:        p.GPUs,
		Concurrency: p.Trial.Concurrency,
		TTFT:        p.Trial.TTFT.Mean * 1e3,
		ITL:         p.Trial.ITL.Mean * 1e3,
		Rate:        p.Trial.Throughput.Mean,
		Within:      halfWidth(latency, 1e3),
		RateWithin:  halfWidth(p.Trial.Throughput, 1),
		Repeats:     latency.N,
		Met:         p.Met,
		Basis:       p.Trial.Basis,
		Energy:      p.Trial.Energy,
	}
}

// latencyOf is what the target of a pick's phase bounds.
func latencyOf(p profile.Pick) profile.Figure {
	if p.Phase == profile.Prefill {
		return p.Trial.TTFT
	}
	return p.Trial.ITL
}

// halfWidth is that of a figure's interval, scaled; nil where there is none.
func halfWidth(f profile.Figure, scale float64) *float64 {
	if h := f.In(scale, "").Half(); f.N > 1 {
		return &h
	}
	return nil
}

// withinText is a figure, scaled, with its interval, or with how often it was
// measured where that is once.
func withinText(f profile.Figure, scale float64, digits int) string {
	shown := f.In(scale, "")
	if !shown.Known() {
		return shown.Fixed(digits) + " (one run)"
	}
	return shown.Within(fmt.Sprintf("%%.%df", digits))
}

func (s *Search) phaseResult(r profile.PhaseResult) PhaseResult {
	x := PhaseResult{
		Outcomes: r.Outcomes,
		Minutes:  r.GPUMinutes,
		Notes:    r.Notes,
		Remedies: s.Search.Remedies(r),
		Rejected: map[string]string{},
	}
	if p := r.Pick; p != nil {
		x.Pick = picked(*p)
	}
	for _, rej := range r.Rejected {
		var reasons []string
		for _, why := range rej.Reasons {
			reasons = append(reasons, why.Reason)
		}
		x.Rejected[rej.Candidate.Mapping.String()] = strings.Join(reasons, "; ")
	}
	return x
}

// Result is what the search found, as it is written to sla_result.json.
func (s *Search) Result() Result {
	r, space := s.found.Result, s.space()
	d := Result{
		Version:     s.Version,
		Model:       s.Served.Name,
		GPU:         space.GPU.Name,
		Backend:     s.Served.Backend,
		On:          s.On,
		Method:      string(s.Search.Method),
		Simulated:   s.Simulated,
		ISL:         space.ISL,
		OSL:         space.OSL,
		TTFT:        s.Search.SLO.TTFT * 1e3,
		ITL:         s.Search.SLO.ITL * 1e3,
		Repeats:     s.Search.Repeats,
		RequestRate: s.Demand.RequestRate,
		TotalGPUs:   s.Demand.TotalGPUs,
		InFlight:    s.InFlight,
		Latency:     s.Latency * 1e3,
		GPUHour:     s.Demand.GPUHour,
		Prefill:     s.phaseResult(r.Prefill),
		Decode:      s.phaseResult(r.Decode),
		Minutes:     r.GPUMinutes(),
		Disagg:      s.best,
		Agg:         s.whole,
		AggTrials:   s.found.Aggregated,
		Recommended: s.advice,
		Files:       slices.Clone(s.files),
		Warnings:    slices.Clone(s.warnings),
	}
	for _, p := range s.phases() {
		if p.Pick != nil && p.Pick.Warning != "" {
			d.Warnings = append(d.Warnings, p.Pick.Warning)
		}
	}
	if s.best == nil {
		d.Warnings = append(d.Warnings, noPools+s.unmatched())
	}
	return d
}

// noPools begins the warning that there are no matched pools.
const noPools = "disaggregated: "

// unmatched says why there are no matched pools.
func (s *Search) unmatched() string {
	p, q := s.found.Result.Prefill.Pick, s.found.Result.Decode.Pick
	switch {
	case p == nil || q == nil:
		return "none: a phase has no measured worker"
	case s.Demand.RequestRate == 0 && s.Demand.TotalGPUs == 0 && !(p.Met && q.Met):
		return s.text("none: a target is missed, so there is no load to match the pools for; "+
			"%s or %s sizes them with the nearest workers", rate, gpusOver)
	}
	if s.Demand.TotalGPUs > 0 {
		return s.text("none: no prefill and decode worker that were measured fit %s %d together",
			gpusOver, s.Demand.TotalGPUs)
	}
	return s.text("none: TTFT leaves no room for a prompt to wait; a higher %s does", ttft)
}

// conclude matches pools, draws the pictures and writes the result.
func (s *Search) conclude() error {
	r := s.found.Result
	s.sizeByConcurrency()
	s.best = profile.Match(r, s.Search.SLO, s.Demand)
	s.whole = profile.MatchAggregated(s.found.Aggregated, s.Search.SLO, s.Demand)
	s.advice = s.recommend()
	s.unmeasured()
	s.found.Title, s.found.Note = s.Result().captions(s.Name)
	names, err := s.found.WritePictures(s.dir())
	if err != nil {
		return err
	}
	for _, n := range names {
		if filepath.Ext(n) == ".png" {
			s.outputs[n[:len(n)-len(".png")]] = n
		}
	}
	return s.writeResult()
}

// writeResult writes sla_result.json as things stand.
func (s *Search) writeResult() error {
	data, err := json.MarshalIndent(s.Result(), "", "  ")
	if err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return s.writeFile("sla_result", ResultName, append(data, '\n'))
}

// nothing is the error of a phase in which no candidate could be measured.
func (s *Search) nothing() error {
	text := "no candidate could be measured:"
	for _, p := range s.phases() {
		if p.Pick != nil {
			continue
		}
		for _, o := range p.Outcomes {
			text += fmt.Sprintf("\n  %s %s: %s", p.Phase, o.Mapping, o.Reason())
		}
	}
	return fmt.Errorf("%s", text)
}
