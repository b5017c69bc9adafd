package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"headway/record"
)

// audit is the client's account of itself as it stands in records.jsonl, with
// the rates beside what was asked for.
func (r *Report) audit() any {
	a := r.Run.Audit
	if a == nil {
		return nil
	}
	text, err := json.Marshal(a)
	if err != nil { // a figure that is no number
		return object{{"verdict", string(a.Verdict)}}
	}
	o, ok := r.raw(text).(object)
	if !ok {
		return nil
	}
	var delivered object
	if a.Schedule != nil {
		delivered.add("asked_rate", a.Schedule.AskedRate)
		if a.Schedule.PlannedRate > 0 { // two sends at different times
			delivered.add("planned_rate", a.Schedule.PlannedRate)
			delivered.add("sent_rate", a.Schedule.SentRate)
		}
	}
	if rate, ok := r.Result.Whole.Rate("request_throughput"); ok {
		delivered.add("completed_rate", shown(rate.Metric, rate.Value))
	}
	if a.Load.Asked > 0 {
		delivered.add("asked_in_flight", a.Load.Asked)
	}
	delivered.add("mean_in_flight", a.Load.Mean)
	delivered.add("peak_in_flight", a.Load.Peak)
	return append(o, field{"delivered", delivered})
}

func auditStyle(v record.Verdict) string {
	switch v {
	case record.AuditInvalid:
		return styleRed
	case record.AuditDoubtful:
		return styleYellow
	}
	return styleGreen
}

// auditLines are the verdict, its reasons, and what it rests on.
func (r *Report) auditLines(d *Document) {
	a := r.Run.Audit
	if a == nil {
		return
	}
	d.text(auditStyle(a.Verdict), verdictText(a))
	for _, reason := range a.Reasons {
		about := ""
		if reason.About != "" {
			about = reason.About + ": "
		}
		d.text(auditStyle(reason.Level), "- "+about+reasonText(reason))
	}
	for _, line := range []string{sendText(a), r.flightText(a), arrivalText(a), stampText(a), machineText(a)} {
		if line != "" {
			d.text("", line)
		}
	}
}

// verdictText is the verdict, both parts of it, and which figures it is about
// where it is invalid.
func verdictText(a *record.Audit) string {
	line := "Client: " + string(a.Verdict)
	var parts, wrong []string
	if v := a.StampsVerdict; v != "" {
		parts = append(parts, "stamps "+string(v))
		if v == record.AuditInvalid {
			wrong = append(wrong, "latencies (TTFT, ITL, request latency) are this client's as much as the server's")
		}
	}
	if v := a.ScheduleVerdict; v != "" {
		parts = append(parts, "schedule "+string(v))
		if v == record.AuditInvalid {
			wrong = append(wrong, "all figures are of another load than the planned one")
		}
	}
	if len(parts) > 0 {
		line += " (" + strings.Join(parts, ", ") + ")"
	}
	if len(parts) == 0 && a.Verdict == record.AuditInvalid { // from before there were two
		wrong = append(wrong, "this is not the load that was asked for, or these are not the server's times")
	}
	if len(wrong) > 0 {
		line += ": " + strings.Join(wrong, "; ")
	}
	return line
}

func reasonText(r record.AuditReason) string {
	return fmt.Sprintf("%s; %s is %s. To change it: %s.", r.Found, r.Bound, r.Level, r.Change)
}

func sendText(a *record.Audit) string {
	s := a.Schedule
	if s == nil {
		return ""
	}
	rate := ""
	if s.PlannedRate > 0 {
		rate = fmt.Sprintf("%s requests/sec sent of %s planned, ", significant(s.SentRate), significant(s.PlannedRate))
		if s.AskedRate > 0 {
			rate = fmt.Sprintf("%s requests/sec sent of %s planned and %s asked, ", significant(s.SentRate),
				significant(s.PlannedRate), significant(s.AskedRate))
		}
	}
	return fmt.Sprintf("Sends: %slate by %s p50, %s p99, %s at most (bound %s)", rate,
		timeText(s.Lateness.P50), timeText(s.Lateness.P99), timeText(s.Lateness.Max),
		timeText(cmp.Or(a.ScheduleLimit, a.Limit)))
}

func (r *Report) flightText(a *record.Audit) string {
	s := fmt.Sprintf("In flight: %s on average, %d at most", significant(a.Load.Mean), a.Load.Peak)
	if a.Load.Asked > 0 {
		s += fmt.Sprintf(", of %d asked", a.Load.Asked)
	}
	if t, ok := r.Result.Whole.Rate("request_throughput"); ok {
		s += fmt.Sprintf("; %s requests/sec completed", significant(shown(t.Metric, t.Value)))
	}
	return s
}

func arrivalText(a *record.Audit) string {
	n := a.Arrivals
	if n.Count == 0 {
		return ""
	}
	s := fmt.Sprintf("Arrivals: %s read together with another, %s stamped in user space", share(n.Coalesced, n.Count),
		share(n.UserspaceStamps, n.Count))
	if l := a.ReadLag; l != nil {
		s += fmt.Sprintf("; read %s p50, %s p99 after the kernel had them", timeText(l.P50), timeText(l.P99))
	}
	if l := a.ProbeLag; l != nil {
		s += fmt.Sprintf("; an event of the kernel is noticed after %s p50, %s p99", timeText(l.P50), timeText(l.P99))
	}
	return s
}

// stampText is by how much the client moved latencies, if it was the client
// that shared reads.
func stampText(a *record.Audit) string {
	s := a.Stamps
	if s == nil {
		return ""
	}
	text := fmt.Sprintf("Stamps: this client moved TTFT by at most %s p50, %s p99", timeText(s.TTFT.P50-s.TTFT.OwnP50),
		timeText(s.TTFT.P99-s.TTFT.OwnP99))
	if i := s.ITL; i != nil {
		text += fmt.Sprintf("; ITL by %s p50, %s p99", timeText(i.OwnP50-i.P50), timeText(i.OwnP99-i.P99))
	}
	return text + fmt.Sprintf("; %s from start to wire p99; first chunk coalesced in %s of replies",
		timeText(s.Send.P99), share(s.Shared, s.Count))
}

func machineText(a *record.Audit) string {
	gc := fmt.Sprintf("%d GC pauses", a.Runtime.Pauses)
	if a.Runtime.Pauses == 1 {
		gc = "1 GC pause"
	}
	if a.Runtime.Pauses > 0 {
		gc += " of at most " + timeText(a.Runtime.PauseMax)
	}
	m := a.Machine
	if m == nil {
		return "Machine: " + gc + "; CPU, open files and retransmits are not known on this system"
	}
	s := fmt.Sprintf("Machine: %.2f of %d processors used by this process (%.2f in its busiest second), %.0f %% of "+
		"the host's by all (%.0f %%); %s; %d open files of %d; %d of %d TCP segments sent again (all programs here)",
		m.Process, a.Runtime.Processors, m.ProcessPeak, 100*m.Host, 100*m.HostPeak, gc, m.Files, m.FileLimit,
		m.Retransmits, m.Segments)
	if m.StolenPeak > 0 {
		s += fmt.Sprintf("; %.1f %% stolen by the hypervisor", 100*m.StolenPeak)
	}
	if m.Throttled > 0 {
		s += "; held back by a CPU limit for " + timeText(m.Throttled)
	}
	return s
}

func share(part, whole int) string {
	return significant(100*float64(part)/float64(max(1, whole))) + " %"
}

// timeText is a time in the unit in which people say it.
func timeText(seconds float64) string {
	switch {
	case seconds == 0:
		return "0"
	case seconds < 1e-3:
		return significant(1e6*seconds) + " µs"
	case seconds < 1:
		return significant(1e3*seconds) + " ms"
	}
	return significant(seconds) + " s"
}

// audit is the worst verdict of a level's runs, "" where no run has one.
func (l Level) audit() record.Verdict {
	worst := record.Verdict("")
	for _, r := range l.Runs {
		if r.Run.Audit != nil {
			worst = worst.Worse(r.Run.Audit.Verdict)
		}
	}
	return worst
}

// levelAudits has a line a kind of reason: the first level's own words, and at
// which other levels it was so.
func levelAudits(d *Document, levels []Level) {
	type kind struct {
		level record.Verdict
		code  string
	}
	var order []kind
	first := map[kind]record.AuditReason{}
	at := map[kind][]string{}
	audited, bad := 0, 0
	for _, l := range levels {
		if v := l.audit(); v != "" {
			audited++
			if v != record.AuditValid {
				bad++
			}
		}
		for _, r := range l.Runs {
			if r.Run.Audit == nil {
				continue
			}
			for _, reason := range r.Run.Audit.Reasons {
				k := kind{reason.Level, reason.Code}
				if _, known := first[k]; !known {
					order, first[k] = append(order, k), reason
				}
				if name := l.name(); !slices.Contains(at[k], name) {
					at[k] = append(at[k], name)
				}
			}
		}
	}
	if audited > 0 && bad == 0 {
		d.line(styleGreen, "Client: valid at every level.")
	}
	for _, k := range order {
		text := fmt.Sprintf("Client %s at %s: %s", k.level, strings.Join(at[k], ", "), reasonText(first[k]))
		if len(at[k]) > 1 {
			text = fmt.Sprintf("Client %s at %s, for example at %s: %s", k.level, strings.Join(at[k], ", "), at[k][0],
				reasonText(first[k]))
		}
		d.text(auditStyle(k.level), text)
	}
}
