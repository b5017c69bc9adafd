package report

import (
	"fmt"

	"headway/record"
)

// warmupText says when the measurement began, and why then.
func warmupText(w *record.Warmup) string {
	s := fmt.Sprintf("Warm-up: %d requests in %.2f sec", w.Requests, w.Seconds)
	switch w.EndedBy {
	case "":
		return fmt.Sprintf("Warm-up: %d requests; the run ended before the measurement began", w.Requests)
	case record.WarmupSettled:
		s += ", until every slot's first reply had ended and what queued behind the first prompts had its first token"
	case record.WarmupLimit:
		s += ", the most that is allowed: the first replies had not all ended by then"
	case record.WarmupDuration:
		s += ", the time that was asked for"
	default:
		s += ", as many as were asked for"
	}
	return s + "; measured from then on without a pause"
}
