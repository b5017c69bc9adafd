package report

import (
	"fmt"
	"strings"

	"headway/metric"
	"headway/record"
)

// footer is what is said below the tables: counts, the steady part, verdicts
// and warnings.
func (r *Report) footer(b *strings.Builder, o ConsoleOptions) {
	b.WriteByte('\n')
	res := r.Result
	fmt.Fprintf(b, "Requests: %d planned, %d ok, %d failed, %d cancelled, %d dropped\n", res.Planned, res.OK, res.Failed, res.Cancelled, res.Dropped)
	if p := res.Whole; p != nil {
		fmt.Fprintf(b, "Benchmark Duration: %.2f sec\n", p.Duration)
	}
	if text := r.endingText(res.Finish); text != "" {
		b.WriteString(wrap("Replies, "+text, o.width()) + "\n")
	}
	if w := r.Run.Warmup; w != nil {
		b.WriteString(wrap(warmupText(w, r.Run.Cooldown), o.width()) + "\n")
	}
	if s := r.Run.Schedule; s.Timed {
		b.WriteString("Schedule: " + ScheduleText(s) + "\n")
	}
	if line := r.tokenText(); line != "" {
		b.WriteString(wrap("Tokens: "+line, o.width()) + "\n")
	}
	for _, line := range r.connecting().lines() {
		b.WriteString(wrap(line, o.width()) + "\n")
	}
	if s := res.Steady; s != nil && s.Level > 0 && res.OK+res.Failed > 0 {
		b.WriteString(wrap(steadyText(s), o.width()) + "\n")
	}
	if c := res.Chunks; c.Rule == metric.ChunkSpread {
		fmt.Fprintf(b, "Chunk rule: spread; %d of %d chunks with text were read together with another, the times of %d were moved\n", c.Together, c.Arrivals, c.Spread)
	}
	if r.Run.Cancelled {
		b.WriteString(paint(o.Color, styleYellow, "Cancelled by the user: the figures are of what was done until then.") + "\n")
	}
	if r.Run.Aborted != "" {
		b.WriteString(paint(o.Color, styleRed, "Ended early: "+r.clean(r.Run.Aborted)) + "\n")
	}
	r.verdictLines(b, o)
	r.auditLines(b, o)
	r.warningLines(b, o)
	if r.Run.Command != "" {
		b.WriteString(wrap("Command: "+r.clean(r.Run.Command), o.width()) + "\n")
	}
}

func steadyText(s *metric.Steady) string {
	switch {
	case !s.Reached:
		return fmt.Sprintf("Steady part: none, 90 %% of %d in flight was never reached", s.Level)
	case s.Duration <= 0:
		return "Steady part: none, the run ended before the requests that were first in flight did, or just after: measure longer"
	}
	var rates []string
	for _, tag := range []string{"output_token_throughput", "request_throughput"} {
		if r, ok := s.Rate(tag); ok {
			rates = append(rates, amount(r.Value)+" "+strings.Replace(r.Metric.Unit, "tokens", "output tokens", 1))
		}
	}
	if len(rates) == 0 {
		rates = []string{"nothing answered"}
	}
	return fmt.Sprintf("Steady part (without the start, in flight at least 90 %% of %d): %s over %.2f sec, %.0f %% of the run",
		s.Level, strings.Join(rates, ", "), s.Duration, 100*s.Share)
}

// verdictLines say of each objective whether it was met, by how much, and how
// sure that is.
func (r *Report) verdictLines(b *strings.Builder, o ConsoleOptions) {
	for _, v := range r.Result.Verdicts {
		mark, style := decisionMark(v.Decision)
		line := fmt.Sprintf("%s %s: %s", mark, r.clean(v.Objective.Text), strings.ReplaceAll(string(v.Decision), "_", " "))
		if v.Known {
			line += ", measured " + measured(v)
		}
		if v.Why != "" {
			line += " (" + v.Why + ")"
		}
		b.WriteString(paint(o.Color, style, wrap(line, o.width())) + "\n")
	}
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

// measured is a verdict's value with its unit.
func measured(v metric.Verdict) string {
	value, unit := verdictValue(v)
	return strings.TrimSpace(estimate{value: value, atLeast: v.AtLeast}.text() + " " + unit)
}

func (r *Report) warningLines(b *strings.Builder, o ConsoleOptions) {
	seen := map[record.Warning]bool{}
	for _, w := range r.Warnings() {
		if !seen[w] {
			seen[w] = true
			b.WriteString(paint(o.Color, styleYellow, wrap("Warning: "+r.clean(w.Text), o.width())) + "\n")
		}
	}
}
