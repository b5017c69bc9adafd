package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"headway/internal/profile"
)

// slaResult is sla_result.json.
type slaResult struct {
	Version   string    `json:"headway_version"`
	Model     string    `json:"model"`
	GPU       string    `json:"gpu"`
	Backend   string    `json:"backend"`
	On        string    `json:"on"`
	Method    string    `json:"search"`
	Simulated bool      `json:"simulated"`
	ISL       int       `json:"isl"`
	OSL       int       `json:"osl"`
	TTFT      float64   `json:"ttft_target_ms"`
	ITL       float64   `json:"itl_target_ms"`
	Prefill   slaPhase  `json:"prefill"`
	Decode    slaPhase  `json:"decode"`
	Minutes   float64   `json:"gpu_minutes"`
	Disagg    *slaOffer `json:"disaggregated,omitempty"`
	Agg       *slaOffer `json:"aggregated,omitempty"`
	AggTrials any       `json:"aggregated_outcomes,omitempty"`
	Warnings  []string  `json:"warnings,omitempty"`
	Avoided   []string  `json:"x-defects-avoided"`
}

// slaOffer is a deployment.
type slaOffer = profile.Deployment

// slaPhase is what was found for a phase.
type slaPhase struct {
	Pick     *slaPick          `json:"pick"`
	Outcomes []profile.Outcome `json:"outcomes"`
	Rejected map[string]string `json:"rejected,omitempty"`
	Minutes  float64           `json:"gpu_minutes"`
	Notes    []string          `json:"notes,omitempty"`
	Remedies []string          `json:"to_meet_the_target,omitempty"`
}

type slaPick struct {
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
}

// picked is a pick as the result has it.
func picked(p profile.Pick) *slaPick {
	latency := latencyOf(p)
	return &slaPick{p.Mapping.String(), p.GPUs, p.Trial.Concurrency, p.Trial.TTFT.Mean * 1e3, p.Trial.ITL.Mean * 1e3, p.Trial.Throughput.Mean,
		halfWidth(latency, 1e3), halfWidth(p.Trial.Throughput, 1), latency.N, p.Met}
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
	if f.N < 2 {
		return nil
	}
	h := f.HalfWidth()
	if h < 1e-9*f.Mean {
		h = 0 // what rounding leaves of equal repeats
	}
	h *= scale
	return &h
}

// withinText is a figure, scaled, with its interval, or with how often it was
// measured where that is once.
func withinText(f profile.Figure, scale float64, digits int) string {
	if h := halfWidth(f, scale); h != nil {
		return fmt.Sprintf("%.*f ±%.2g", digits, f.Mean*scale, *h)
	}
	return fmt.Sprintf("%.*f (one run)", digits, f.Mean*scale)
}

func (s *slaSearch) phaseResult(r profile.PhaseResult) slaPhase {
	x := slaPhase{Outcomes: r.Outcomes, Minutes: r.GPUMinutes, Notes: r.Notes, Remedies: s.search.Remedies(r), Rejected: map[string]string{}}
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

func (s *slaSearch) document() slaResult {
	r, c := s.found.Result, s.c
	d := slaResult{
		Version: version, Model: s.name, GPU: s.search.Space.GPU.Name, Backend: c.Backend, On: c.On, Method: c.Method, Simulated: c.On == "sim",
		ISL: c.ISL, OSL: c.OSL, TTFT: s.search.Target.TTFT * 1e3, ITL: s.search.Target.ITL * 1e3,
		Prefill: s.phaseResult(r.Prefill), Decode: s.phaseResult(r.Decode), Minutes: r.GPUMinutes(),
		Disagg: s.best, Agg: s.whole, Warnings: slices.Clone(s.warnings), Avoided: c.avoided(),
	}
	if len(s.found.Aggregated) > 0 {
		d.AggTrials = s.found.Aggregated
	}
	for _, p := range []profile.PhaseResult{r.Prefill, r.Decode} {
		if p.Pick != nil && p.Pick.Warning != "" {
			d.Warnings = append(d.Warnings, p.Pick.Warning)
		}
	}
	if s.best == nil {
		d.Warnings = append(d.Warnings, "disaggregated: "+s.unmatched())
	}
	return d
}

// conclude matches pools, draws the pictures and writes the result.
func (s *slaSearch) conclude() error {
	r := s.found.Result
	s.best = profile.Match(r, s.found.Target, s.found.Demand)
	s.whole = profile.MatchAggregated(s.found.Aggregated, s.found.Target, s.found.Demand)
	s.found.Title = fmt.Sprintf("%s on %s · ISL %d, OSL %d", s.name, s.search.Space.GPU.Title, s.c.ISL, s.c.OSL)
	s.found.Note = fmt.Sprintf("%s search on %s, --repeats %d · headway %s", s.c.Method, s.c.On, s.c.Repeats, version)
	if s.c.On == "sim" {
		s.found.Note += " · simulated by a roofline whose efficiencies are assumptions"
	}
	names, err := s.found.WritePictures(s.c.OutputDir)
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
func (s *slaSearch) writeResult() error {
	data, err := json.MarshalIndent(s.document(), "", "  ")
	if err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return s.writeFile("sla_result", "sla_result.json", append(data, '\n'))
}

// nothing is the error of a phase in which no candidate could be measured.
func (s *slaSearch) nothing() error {
	text := "no candidate could be measured:"
	for _, p := range []profile.PhaseResult{s.found.Result.Prefill, s.found.Result.Decode} {
		if p.Pick != nil {
			continue
		}
		for _, o := range p.Outcomes {
			text += fmt.Sprintf("\n  %s %s: %s", p.Phase, o.Mapping, o.Reason())
		}
	}
	return fmt.Errorf("%s", text)
}

// show prints the result.
func (s *slaSearch) show() error {
	if s.c.JSON {
		return printJSON(s.a.stdout, s.document())
	}
	if s.c.Quiet {
		return nil
	}
	rows := [][]string{{"phase", "mapping", "GPUs", "status", "at a time", "TTFT (ms)", "ITL (ms)", "tokens/s/GPU", "GPU-minutes", ""}}
	for _, p := range []profile.PhaseResult{s.found.Result.Prefill, s.found.Result.Decode} {
		for _, o := range p.Outcomes {
			rows = append(rows, s.row(p, o))
		}
	}
	if err := writeRows(s.a.stdout, rows); err != nil {
		return err
	}
	out := s.a.stdout
	fmt.Fprintln(out)
	for _, p := range []profile.PhaseResult{s.found.Result.Prefill, s.found.Result.Decode} {
		fmt.Fprintf(out, "%s: %s on %s: %s\n", p.Phase, p.Pick.Mapping, gpuCount(p.Pick.GPUs), pointText(*p.Pick))
		if p.Pick.Warning != "" {
			fmt.Fprintf(out, "  warning: %s. To meet it:\n", p.Pick.Warning)
			for _, r := range s.search.Remedies(p) {
				fmt.Fprintf(out, "    %s\n", r)
			}
		}
		for _, n := range p.Notes {
			fmt.Fprintf(out, "  %s\n", n)
		}
	}
	s.offers()
	fmt.Fprintf(out, "search: %.1f GPU-minutes (%s)\n", s.found.Result.GPUMinutes(), s.c.Method)
	fmt.Fprintf(out, "results: %s\n", s.c.OutputDir)
	return nil
}

// row is an outcome at its best point.
func (s *slaSearch) row(p profile.PhaseResult, o profile.Outcome) []string {
	row := []string{string(p.Phase), o.Mapping, fmt.Sprint(o.GPUs), string(o.Status), "", "", "", "", fmt.Sprintf("%.1f", o.GPUMinutes), ""}
	pick, ok := profile.SelectPhase(p.Phase, []profile.Outcome{o}, s.targetOf(p.Phase))
	if !ok {
		return row
	}
	row[4], row[7] = fmt.Sprint(pick.Trial.Concurrency), fmt.Sprintf("%.0f", pick.Trial.Throughput.Mean)
	if p.Phase == profile.Prefill {
		row[5] = fmt.Sprintf("%.1f", pick.Trial.TTFT.Mean*1e3)
	} else {
		row[6] = fmt.Sprintf("%.2f", pick.Trial.ITL.Mean*1e3)
	}
	switch {
	case p.Pick != nil && o.Mapping == p.Pick.Mapping.String():
		row[9] = "<- picked"
	case !pick.Met:
		row[9] = "misses the target"
	}
	return row
}
