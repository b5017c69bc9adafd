package report

import (
	"fmt"
	"strings"

	"headway/metric"
	"headway/record"
)

// footer is what is said below the tables: counts, the steady part, verdicts
// and warnings.
func (r *Report) footer(d *Document) {
	d.gap()
	res := r.Result
	d.line("", fmt.Sprintf("Requests: %d planned, %d ok, %d failed, %d cancelled, %d dropped", res.Planned, res.OK,
		res.Failed, res.Cancelled, res.Dropped))
	if p := res.Whole; p != nil {
		d.line("", fmt.Sprintf("Benchmark Duration: %.2f sec", p.Duration))
	}
	if text := r.endingText(res.Finish); text != "" {
		d.text("", "Replies, "+text)
	}
	if w := r.Run.Warmup; w != nil {
		d.text("", warmupText(w, r.Run.Cooldown))
	}
	if s := r.Run.Schedule; s.Timed {
		d.line("", "Schedule: "+ScheduleText(s))
	}
	if line := r.tokenText(); line != "" {
		d.text("", "Tokens: "+line)
	}
	if line := r.hitLine(); line != "" {
		d.text("", line)
	}
	for _, line := range r.connecting().lines() {
		d.text("", line)
	}
	if s := res.Steady; s != nil && (s.Level > 0 || s.Duration > 0) && res.OK+res.Failed > 0 {
		d.text("", steadyText(s))
	}
	if c := res.Chunks; c.Rule == metric.ChunkSpread {
		d.line("",
			fmt.Sprintf("Chunk rule: spread; %d of %d chunks with text were read together with another, the times "+
				"of %d were moved", c.Coalesced, c.Arrivals, c.Spread))
	}
	if r.Run.Cancelled {
		d.line(styleYellow, "Cancelled by the user: the figures are of what was done until then.")
	}
	if r.Run.Aborted != "" {
		d.line(styleRed, "Ended early: "+r.clean(r.Run.Aborted))
	}
	r.verdictLines(d)
	r.auditLines(d)
	r.warningLines(d)
	if r.Run.Command != "" {
		d.text("", "Command: "+r.clean(r.Run.Command))
	}
}

// steadyText says what the steady part is; its figures have a table.
func steadyText(s *metric.Steady) string {
	of := fmt.Sprintf("without the start, in flight at least 90 %% of %d", s.Level)
	switch {
	case s.Level == 0:
		of = "without the start, up to the last request's"
	case !s.Reached:
		return fmt.Sprintf("Steady part: none, 90 %% of %d in flight was never reached", s.Level)
	case s.Duration <= 0:
		return "Steady part: none, the run ended before the requests that were first in flight did, or just after: " +
			"measure longer"
	}
	return fmt.Sprintf("Steady part (%s): %.2f sec, %.0f %% of the run", of, s.Duration, 100*s.Share)
}

// verdictLines say of each objective whether it was met, by how much, and how
// sure that is.
func (r *Report) verdictLines(d *Document) {
	for _, v := range r.Result.Verdicts {
		_, style := decisionMark(v.Decision)
		d.text(style, r.verdictText(v))
	}
}

func (r *Report) verdictText(v metric.Verdict) string {
	mark, _ := decisionMark(v.Decision)
	line := fmt.Sprintf("%s %s: %s", mark, r.clean(v.Objective.Text), strings.ReplaceAll(string(v.Decision), "_", " "))
	if v.Known {
		line += ", measured " + measured(v)
	}
	if v.Known && ofWhole(r.Result, v) {
		line += " over the whole run"
	}
	if v.Why != "" {
		line += " (" + v.Why + ")"
	}
	return line
}

// Unmet has a line for each objective that was missed or is not decided, in the
// words of the tables, for callers that show no table.
func (r *Report) Unmet() []string {
	var lines []string
	for _, v := range r.Result.Verdicts {
		if v.Decision != metric.Met {
			lines = append(lines, r.verdictText(v))
		}
	}
	return lines
}

func decisionMark(d metric.Decision) (mark, style string) {
	switch d {
	case metric.Met:
		return "✓", styleGreen
	case metric.Missed:
		return "✗", styleRed
	}
	return "?", styleYellow
}

// ofWhole reports whether an objective was held against another part of the run
// than tables lead with.
func ofWhole(r *metric.Result, v metric.Verdict) bool {
	p, steady := r.Lead()
	_, has := ofPart(p, v.Objective.Tag, v.Objective.Stat)
	return steady && has
}

// measured is a verdict's value with its unit.
func measured(v metric.Verdict) string {
	value, unit := verdictValue(v)
	return strings.TrimSpace(Figure{Value: value, AtLeast: v.AtLeast}.text() + " " + unit)
}

// warningLines say each warning once. Too few samples are marked in the tables.
func (r *Report) warningLines(d *Document) {
	seen := map[record.Warning]bool{}
	for _, w := range r.Warnings() {
		if !seen[w] && w.Code != "few_samples" {
			seen[w] = true
			d.text(styleYellow, "Warning: "+r.clean(w.Text))
		}
	}
}
