package report

import (
	"fmt"

	"headway/record"
)

// warmupText says when the measurement began, and why then, and by how many
// requests the load was kept up to its end.
func warmupText(w *record.Warmup, cooldown int) string {
	s := fmt.Sprintf("Warm-up: %d requests in %.2f sec", w.Requests, w.Seconds)
	switch w.EndedBy {
	case "":
		return fmt.Sprintf("Warm-up: %d requests; the run ended before the measurement began", w.Requests)
	case record.WarmupSettled:
		s += ", until two rounds of requests had like times to first token"
	case record.WarmupLimit:
		s += ", the most that is sent before a level"
	case record.WarmupDuration:
		s += ", the time that was asked for"
	default:
		s += ", as many as were asked for"
	}
	s += "; measured from then on without a pause"
	if cooldown > 0 {
		s += fmt.Sprintf(", with %d more requests to keep the load up until the last measured reply", cooldown)
	}
	return s
}
