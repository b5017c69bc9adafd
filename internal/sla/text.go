package sla

import (
	"fmt"
	"slices"

	"headway/internal/fault"
	"headway/internal/profile"
	"headway/report"
)

// phases are what was found for both, prefill first.
func (s *Search) phases() []profile.PhaseResult {
	return []profile.PhaseResult{s.found.Result.Prefill, s.found.Result.Decode}
}

// Missed tells of each target that no candidate meets. The document has it in its
// place.
func (s *Search) Missed(tell func(format string, args ...any)) {
	for _, p := range s.phases() {
		if p.Pick != nil && p.Pick.Warning != "" {
			tell("headway: %s: %s", p.Phase, p.Pick.Warning)
		}
	}
}

// Document is what a search found that came to its end, for people.
func (s *Search) Document() *report.Document {
	d := s.Result().Document(s.Name)
	d.Line("results: %s", s.dir())
	return d
}

// Document is the result for people: every candidate, the picks and the
// deployments. name is what options are called; nil leaves them their own names.
func (r Result) Document(name func(fault.Field) string) *report.Document {
	v := view{Result: r, Document: &report.Document{}, name: name}
	v.Rows(2, r.rows())
	v.Gap()
	for _, h := range r.halves() {
		v.pick(h)
	}
	v.offers()
	v.recommended()
	v.Line("search: %.1f GPU-minutes (%s)%s", r.Minutes, r.Method, v.aggregatedMinutes())
	return v.Document
}

// rows are every candidate at its best point, titles first. What was observed there
// stands before the last column.
func (r Result) rows() [][]string {
	rows := [][]string{{"phase", "mapping", "GPUs", "status", "at a time", "TTFT (ms)", "ITL (ms)",
		"tokens/s/GPU", "GPU-minutes", ""}}
	var loads []profile.Observed
	var bases []*profile.Basis
	for _, h := range r.halves() {
		for _, o := range h.Outcomes {
			pick, _ := profile.SelectPhase(h.phase, []profile.Outcome{o}, h.target)
			rows, loads = append(rows, h.row(o)), append(loads, pick.Trial.Observed)
			bases = append(bases, pick.Trial.Basis)
		}
	}
	titles, cells := profile.ObservedCells(loads)
	for i, more := range append([][]string{titles}, cells...) {
		rows[i] = slices.Insert(rows[i], len(rows[i])-1, more...)
	}
	return withGrounds(rows, bases)
}

// withGrounds adds what each figure rests on, where that is not an engine that ran for
// all, before the last column.
func withGrounds(rows [][]string, bases []*profile.Basis) [][]string {
	told := func(b *profile.Basis) bool { return b != nil && b.Grounds != profile.OnEngine }
	if !slices.ContainsFunc(bases, told) {
		return rows
	}
	for i, r := range rows {
		cell := "rests on"
		if i > 0 {
			cell = basisText(bases[i-1])
		}
		rows[i] = slices.Insert(r, len(r)-1, cell)
	}
	return rows
}

// aggregatedMinutes is what measuring workers that do both halves cost.
func (v view) aggregatedMinutes() string {
	minutes := 0.0
	for _, o := range v.AggTrials {
		minutes += o.GPUMinutes
	}
	if minutes == 0 {
		return "" // none were measured, or by a version that did not count
	}
	return fmt.Sprintf(", and %.1f for aggregated workers", minutes)
}

// view is a document that is made of a result.
type view struct {
	Result
	*report.Document
	name func(fault.Field) string
}

// half is a phase of a result, with its pick as it was chosen.
type half struct {
	PhaseResult
	phase  profile.Phase
	target float64 // seconds
	pick   profile.Pick
	picked bool
}

// halves are both phases, prefill first. A pick follows from the outcomes.
func (r Result) halves() []half {
	all := []half{
		{PhaseResult: r.Prefill, phase: profile.Prefill, target: r.TTFT / 1e3},
		{PhaseResult: r.Decode, phase: profile.Decode, target: r.ITL / 1e3},
	}
	for i := range all {
		h := &all[i]
		h.pick, h.picked = profile.SelectPhase(h.phase, h.Outcomes, h.target)
	}
	return all
}

// pick adds the pick of a phase, and what would meet a target that it misses.
func (v view) pick(h half) {
	if !h.picked {
		v.Line("%s: no candidate could be measured", h.phase)
		return
	}
	v.Line("%s: %s on %s: %s%s", h.phase, h.pick.Mapping, profile.GPUs(h.pick.GPUs), pointText(h.pick),
		groundsText(h.pick.Trial))
	if h.pick.Warning != "" {
		v.Line("  warning: %s. To meet it:", h.pick.Warning)
		for _, r := range h.Remedies {
			v.Line("    %s", r)
		}
	}
	for _, n := range h.Notes {
		v.Line("  %s", n)
	}
}

// row is an outcome at its best point.
func (h half) row(o profile.Outcome) []string {
	row := []string{string(h.phase), o.Mapping, fmt.Sprint(o.GPUs), statusText(o), "", "", "", "",
		fmt.Sprintf("%.1f", o.GPUMinutes), ""}
	pick, ok := profile.SelectPhase(h.phase, []profile.Outcome{o}, h.target)
	if !ok {
		return row
	}
	row[4], row[7] = fmt.Sprint(pick.Trial.Concurrency), fmt.Sprintf("%.0f", pick.Trial.Throughput.Mean)
	if h.phase == profile.Prefill {
		row[5] = fmt.Sprintf("%.1f", pick.Trial.TTFT.Mean*1e3)
	} else {
		row[6] = fmt.Sprintf("%.2f", pick.Trial.ITL.Mean*1e3)
	}
	switch {
	case h.picked && o.Mapping == h.pick.Mapping.String():
		row[9] = "<- picked"
	case !pick.Met:
		row[9] = "misses the target"
	}
	return row
}
