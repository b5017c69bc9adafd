package main

import (
	"encoding/json"
	"fmt"
	"path/filepath"

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
	ITL         float64 `json:"itl_ms"`
	Rate        float64 `json:"tokens_per_second_per_gpu"`
	Met         bool    `json:"target_met"`
}

func (s *slaSearch) phaseResult(r profile.PhaseResult) slaPhase {
	x := slaPhase{Outcomes: r.Outcomes, Minutes: r.GPUMinutes, Notes: r.Notes, Remedies: s.search.Remedies(r), Rejected: map[string]string{}}
	if p := r.Pick; p != nil {
		x.Pick = &slaPick{p.Mapping.String(), p.GPUs, p.Trial.Concurrency, p.Trial.TTFT.Mean * 1e3, p.Trial.ITL.Mean * 1e3, p.Trial.Throughput.Mean, p.Met}
	}
	for _, rej := range r.Rejected {
		for _, why := range rej.Reasons {
			x.Rejected[rej.Candidate.Mapping.String()] = why.Reason
		}
	}
	return x
}

func (s *slaSearch) document() slaResult {
	r, c := s.found.Result, s.c
	d := slaResult{
		Version: version, Model: s.name, GPU: s.search.Space.GPU.Name, Backend: c.Backend, On: c.On, Method: c.Method, Simulated: c.On == "sim",
		ISL: c.ISL, OSL: c.OSL, TTFT: s.search.Target.TTFT * 1e3, ITL: s.search.Target.ITL * 1e3,
		Prefill: s.phaseResult(r.Prefill), Decode: s.phaseResult(r.Decode), Minutes: r.GPUMinutes(),
		Disagg: s.best, Agg: s.whole,
	}
	if len(s.found.Aggregated) > 0 {
		d.AggTrials = s.found.Aggregated
	}
	for _, p := range []profile.PhaseResult{r.Prefill, r.Decode} {
		if p.Pick != nil && p.Pick.Warning != "" {
			d.Warnings = append(d.Warnings, p.Pick.Warning)
		}
	}
	return d
}

// conclude matches pools, draws the pictures and writes the result.
func (s *slaSearch) conclude() error {
	r := s.found.Result
	s.best = profile.Match(r, s.found.Target, s.found.Demand)
	s.whole = profile.MatchAggregated(s.found.Aggregated, s.found.Target, s.found.Demand)
	s.found.Title = fmt.Sprintf("%s on %s · ISL %d, OSL %d", s.name, s.search.Space.GPU.Title, s.c.ISL, s.c.OSL)
	s.found.Note = fmt.Sprintf("%s search on %s, %d repeats at most, whiskers: 95 %% interval · headway %s", s.c.Method, s.c.On, s.c.Repeats, version)
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
		fmt.Fprintf(out, "%s: %s on %d GPUs: %s\n", p.Phase, p.Pick.Mapping, p.Pick.GPUs, pointText(*p.Pick))
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

// offers prints the deployments and what they cost.
func (s *slaSearch) offers() {
	for _, x := range []struct {
		name string
		d    *profile.Deployment
	}{{"disaggregated", s.best}, {"aggregated", s.whole}} {
		d := x.d
		if d == nil {
			continue
		}
		text := ""
		for _, p := range []struct {
			what string
			pool *profile.Pool
		}{{"prefill", d.Prefill}, {"decode", d.Decode}, {"worker", d.Aggregated}} {
			if p.pool != nil {
				text += fmt.Sprintf("%d× %s %s, ", p.pool.Workers, p.what, p.pool.Mapping)
			}
		}
		note := ""
		if !d.Met {
			note = "; a target is missed"
		}
		if d.Short {
			note += fmt.Sprintf("; the GPUs do not suffice for %g requests/s", s.found.Demand.RequestRate)
		}
		fmt.Fprintf(s.a.stdout, "%s: %s%d GPUs: up to %.2f requests/s, $%.3f per 1000 requests, $%.3f per million tokens at %.2f requests/s%s\n",
			x.name, text, d.GPUs, d.RequestRate, d.Per1000Requests, d.PerMillionTokens, d.Served, note)
	}
}
