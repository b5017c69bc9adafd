package study

import (
	"fmt"
	"strings"

	"headway/record"
)

// Line sums the level up for a log.
func (l Level) Line() string {
	last := l.Reports[len(l.Reports)-1]
	r := last.Result
	parts := []string{fmt.Sprintf("concurrency %4d: %d ok", l.Concurrency, r.OK)}
	if bad := r.Failed + r.Cancelled + r.Dropped; bad > 0 {
		parts = append(parts, fmt.Sprintf("%d failed, %d cancelled, %d not sent", r.Failed, r.Cancelled, r.Dropped))
	}
	for _, m := range []struct{ name, tag string }{{"TTFT", "time_to_first_token"}, {"ITL", "inter_token_latency"}} {
		if text := last.Figure(m.tag, "avg").String(); text != "" {
			parts = append(parts, m.name+" avg "+text+" ms")
		}
	}
	for _, m := range []struct{ unit, tag string }{{"req/s", "request_throughput"},
		{"tok/s", "output_token_throughput"}} {
		if text := last.Figure(m.tag, "avg").String(); text != "" {
			parts = append(parts, text+" "+m.unit)
		}
	}
	if a := last.Run.Audit; a != nil && a.Verdict != record.AuditValid {
		parts = append(parts, "client "+string(a.Verdict))
	}
	return strings.Join(parts, ", ")
}
