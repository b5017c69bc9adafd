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
	if d, ok := res.Scalar("benchmark_duration"); ok {
		fmt.Fprintf(b, "Benchmark Duration: %.2f sec\n", shown(d.Metric, d.Value))
	}
	if s := r.Run.Schedule; s.Timed {
		fmt.Fprintf(b, "Schedule: %d arrivals over %.3f sec, %.4g requests/sec; variance/mean of counts %.3f, gap CV² %.3f\n",
			s.Count, s.Span, s.Rate, s.Dispersion, s.GapCV2)
	}
	for _, line := range r.connecting().lines() {
		b.WriteString(wrap(line, o.width()) + "\n")
	}
	if s := res.Steady; s != nil && res.OK+res.Failed > 0 {
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
	if s.Duration <= 0 {
		return fmt.Sprintf("Steady part: none, 90 %% of %d in flight was never reached", s.Level)
	}
	return fmt.Sprintf("Steady part (in flight at least 90 %% of %d): %s output tokens/sec, %s requests/sec over %.2f sec, %.0f %% of the run",
		s.Level, amount(s.OutputTokenThroughput), amount(s.RequestThroughput), s.Duration, 100*s.Share)
}

// verdictLines say of each objective whether it was met, by how much, and how
// sure that is.
func (r *Report) verdictLines(b *strings.Builder, o ConsoleOptions) {
	for _, v := range r.Result.Verdicts {
		mark, style := "✓", styleGreen
		if !v.Met {
			mark, style = "✗", styleRed
		}
		text := "not measured"
		if v.Known {
			value, unit := verdictValue(v)
			text = strings.TrimSpace("measured " + significant(value) + " " + unit)
		}
		if v.Unsure {
			text += " (unsure: the 95 % interval contains the bound)"
		}
		line := fmt.Sprintf("%s %s: %s", mark, r.clean(v.Objective.Text), text)
		b.WriteString(paint(o.Color, style, wrap(line, o.width())) + "\n")
	}
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
