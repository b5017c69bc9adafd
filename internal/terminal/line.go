package terminal

import "strings"

// Line is a state as one line of plain text, for logs and pipes: no styles, no
// newline, nothing left out for want of room.
func Line(s State) string {
	n := s.Snapshot
	var parts []string
	if share, known := s.fraction(); known {
		parts = append(parts, percent(share))
	}
	requests := grouped(n.Finished)
	if n.Planned > 0 {
		requests += " of " + grouped(n.Planned)
	}
	parts = append(parts, requests+" requests", grouped(n.InFlight)+" in flight")
	for _, c := range []struct {
		count int64
		what  string
	}{{s.failed(), "failed"}, {n.Dropped, "dropped"}, {int64(s.Live.Cancelled), "cancelled"}} {
		if c.count > 0 {
			parts = append(parts, grouped(c.count)+" "+c.what)
		}
	}
	parts = append(parts, rates(s),
		"TTFT "+quantiles(s.Live.TTFT50, s.Live.TTFT99), "ITL "+quantiles(s.Live.ITL50, s.Live.ITL99),
		clock(s.Elapsed)+" elapsed, "+remaining(s))
	if s.Note != "" {
		parts = append(parts, clean(s.Note))
	}
	return clean(s.Title) + ": " + clean(s.Phase) + " " + strings.Join(parts, " · ")
}
