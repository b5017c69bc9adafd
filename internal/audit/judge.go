package audit

import (
	"fmt"
	"math"
	"time"

	"headway/record"
)

// The bounds of docs/accuracy.md, "Is the client good enough".
const (
	leastLimit    = 1e-3   // seconds by which a delay may always move a latency or a send
	leastITL      = 0.2e-3 // the same of an inter-token latency
	shareMoved    = 0.05   // of the latency without the client's share, or of the time between sends
	shareOfTTFT   = 0.01   // of the median TTFT, in audits without the client's share of it
	spanOff       = 0.01   // by which the schedule's span may be off
	userStamped   = 0.01   // share of arrivals that may be stamped late
	readTogether  = 0.05   // share of arrivals that may be read with another
	ofCalibration = 0.80   // share of what the machine can carry
	heldBack      = 0.01   // share of the time in which requests may be held back
)

// Judge gives an audit its verdicts, from what was measured and the bound that
// the user has set for delays of the client's; 0 sets none. There are two, since
// figures may be right of a load that nobody planned, and a plan kept with
// figures that are not the server's; the verdict of the audit is the worse one.
//
// The stamps are invalid when the client moved a quantile of TTFT by more than
// the larger of 1 ms and 5 % of what the quantile is without the client's share
// (of ITL: 0.2 ms and 5 %), or when more than 1 % of the arrivals were stamped in
// user space while the 99th percentile of the delay of such a stamp was above
// that bound. The measured values themselves bound nothing: a client that has no
// processor raises them. The stamps are doubtful above half of any of these, when
// a late client read more than 5 % of the arrivals together with another, above
// 80 % of what calibration found, and when nothing was answered.
//
// The schedule is invalid when sends were late by more than the larger of 1 ms
// and 5 % of the mean planned time between sends at the 99th percentile, or when
// it took more than 1 % longer or shorter than planned. Requests that were held
// back, since finished Records had filled the memory that they may take, make it
// invalid where that was so in more than 1 % of the time. It is doubtful above
// half of these, and when Records took more than half of that memory.
//
// A span that differs by no more than one request may be late is not held against
// a run: of a schedule of 50 ms, 1 % is less
// than the clock of a busy machine can do.
func Judge(a *record.Audit, maxLag time.Duration) {
	a.LimitSet = maxLag > 0
	a.Limit, a.ScheduleLimit = usualDelay(a), usualLateness(a)
	if a.LimitSet {
		a.Limit, a.ScheduleLimit = maxLag.Seconds(), maxLag.Seconds()
	}
	a.Reasons, a.ScheduleVerdict = nil, ""
	if a.Schedule != nil {
		a.ScheduleVerdict = record.AuditValid
	}
	a.StampsVerdict = record.AuditValid
	for _, check := range []func(*record.Audit) *record.AuditReason{lateSends, wrongSpan, piledUp} {
		a.ScheduleVerdict = note(a, a.ScheduleVerdict, record.AboutSchedule, check(a))
	}
	for _, check := range []func(*record.Audit) *record.AuditReason{
		movedTTFT, movedITL, lateStamps, sharedReads, muchEvents, manyStreams, muchRequests, nothingAnswered,
	} {
		a.StampsVerdict = note(a, a.StampsVerdict, record.AboutStamps, check(a))
	}
	a.Verdict = a.StampsVerdict.Worse(a.ScheduleVerdict)
}

// note keeps a reason, if there is one, and returns the verdict with it.
func note(a *record.Audit, v record.Verdict, about string, r *record.AuditReason) record.Verdict {
	if r == nil {
		return v
	}
	r.About = about
	a.Reasons = append(a.Reasons, *r)
	return v.Worse(r.Level)
}

// usualDelay is the bound of what the client adds to a latency where the user
// has set none.
func usualDelay(a *record.Audit) float64 {
	if a.Stamps == nil {
		return max(leastLimit, shareOfTTFT*a.MedianTTFT)
	}
	return max(leastLimit, shareMoved*a.Stamps.TTFT.OwnP50)
}

// usualLateness is the same of a send.
func usualLateness(a *record.Audit) float64 {
	if a.Schedule == nil || a.Schedule.PlannedRate <= 0 {
		return leastLimit
	}
	return max(leastLimit, shareMoved/a.Schedule.PlannedRate)
}

// against is the verdict on the largest of ratios of what was found to what is
// allowed: all of them must be above 1 to be invalid, above a half to be
// doubtful.
func against(ratios ...float64) record.Verdict {
	least := math.Inf(1)
	for _, r := range ratios {
		least = min(least, r)
	}
	switch {
	case least > 1:
		return record.AuditInvalid
	case least > 0.5:
		return record.AuditDoubtful
	}
	return record.AuditValid
}

func lateSends(a *record.Audit) *record.AuditReason {
	if a.Schedule == nil {
		return nil
	}
	late := a.Schedule.Lateness
	level := against(late.P99 / a.ScheduleLimit)
	if level == record.AuditValid {
		return nil
	}
	return &record.AuditReason{Level: level, Code: "late_sends",
		Found: fmt.Sprintf("sends were late by %s at the 99th percentile (%s at the median)", length(late.P99),
			length(late.P50)),
		Bound:  bound(a, level),
		Change: change(a, true)}
}

func wrongSpan(a *record.Audit) *record.AuditReason {
	s := a.Schedule
	if s == nil || s.Lateness.Count < 2 || s.Planned <= 0 {
		return nil
	}
	off := s.Achieved - s.Planned
	level := against(math.Abs(off)/(spanOff*s.Planned), math.Abs(off)/a.ScheduleLimit)
	if level == record.AuditValid {
		return nil
	}
	return &record.AuditReason{Level: level, Code: "schedule_span",
		Found: fmt.Sprintf("the schedule of %s took %s: %.4g requests/s were sent where %.4g were planned",
			length(s.Planned), length(s.Achieved), s.SentRate, s.PlannedRate),
		Bound:  fmt.Sprintf("a span off by more than %g %%", 100*half(level)*spanOff),
		Change: change(a, true)}
}

// stampDelay is the 99th percentile of the delay that a time taken in user
// space has: of the reads whose true time the kernel told, or of the probe,
// whichever is larger. A read over HTTP/2 passes through more hands than the
// first, and a transport without kernel stamps has only the second.
func stampDelay(a *record.Audit) (seconds float64, known bool) {
	return userDelay(a, func(s *record.AuditSpread) float64 { return s.P99 }), spreads(a) > 0
}

// userDelay is a quantile of the same.
func userDelay(a *record.Audit, quantile func(*record.AuditSpread) float64) (seconds float64) {
	for _, s := range []*record.AuditSpread{a.ReadLag, a.ProbeLag} {
		if s != nil && s.Count > 0 {
			seconds = max(seconds, quantile(s))
		}
	}
	return seconds
}

// spreads is how many of the two spreads of delays there are.
func spreads(a *record.Audit) (n int) {
	for _, s := range []*record.AuditSpread{a.ReadLag, a.ProbeLag} {
		if s != nil && s.Count > 0 {
			n++
		}
	}
	return n
}

func lateStamps(a *record.Audit) *record.AuditReason {
	if a.Arrivals.Count == 0 {
		return nil
	}
	share := float64(a.Arrivals.UserspaceStamps) / float64(a.Arrivals.Count)
	delay, known := stampDelay(a)
	level := against(share/userStamped, delay/a.Limit)
	found := fmt.Sprintf("%s of the arrivals were stamped in user space, where a stamp is late by %s at the "+
		"99th percentile", percent(share), length(delay))
	if !known && share > userStamped {
		level = record.AuditDoubtful
		found = fmt.Sprintf("%s of the arrivals were stamped in user space, and how late such a stamp is could not "+
			"be measured", percent(share))
	}
	if level == record.AuditValid {
		return nil
	}
	return &record.AuditReason{Level: level, Code: "late_stamps", Found: found,
		Bound: fmt.Sprintf("%s %g %% of them with a delay of %s (%s)", than(level), 100*half(level)*userStamped,
			length(half(level)*a.Limit), origin(a)),
		Change: change(a, false) + "; HTTP/1.1 over TCP on Linux has the kernel's stamps, with TLS too"}
}

func sharedReads(a *record.Audit) *record.AuditReason {
	if a.Arrivals.Count == 0 {
		return nil
	}
	share := float64(a.Arrivals.Coalesced) / float64(a.Arrivals.Count)
	if share <= readTogether {
		return nil
	}
	if a.Stamps != nil && sharerOf(a) == sharedByServer {
		return nil
	}
	r := &record.AuditReason{Level: record.AuditDoubtful, Code: "shared_reads",
		Found: fmt.Sprintf("%s of the chunks were coalesced with others in one read; only the last chunk of each "+
			"read has an exact timestamp", percent(share)),
		Bound:  fmt.Sprintf("more than %g %%", 100*readTogether),
		Change: change(a, false)}
	if d, known := stampDelay(a); known && d <= a.Limit {
		r.Change = fmt.Sprintf("this program read what came within %s, so the server sends several chunks at once: "+
			"time between tokens is then that of its writes", length(d))
	}
	return r
}

// piledUp looks at what came after the wire: it must not fill the memory, and
// what is done against that must not be taken for the server.
func piledUp(a *record.Audit) *record.AuditReason {
	b := a.Backlog
	if b == nil || b.Limit <= 0 {
		return nil
	}
	r := &record.AuditReason{Level: record.AuditDoubtful, Code: "records_piled_up",
		Found: fmt.Sprintf("%s of finished requests (%d of them) waited in memory to be counted and written",
			size(b.Bytes), b.Records),
		Bound:  fmt.Sprintf("more than half of %s", size(b.Limit)),
		Change: takeFaster}
	switch {
	case b.HeldRequests > 0:
		r.Found += fmt.Sprintf(", and sending was held back until there was room, %d times, for %s in all",
			b.HeldRequests, length(b.Held))
		r.Bound = fmt.Sprintf("holding requests back (above %s)", size(b.Limit))
		if a.Load.Requests <= 0 || b.Held > heldBack*float64(a.Load.Sent)/a.Load.Requests {
			r.Level, r.Bound = record.AuditInvalid, fmt.Sprintf("holding requests back (above %s) for more than %g "+
				"%% of the time", size(b.Limit), 100*heldBack)
		}
	// Replies that end at one moment wait for a moment, as many as there are
	// places.
	case 2*b.Bytes <= b.Limit || b.Records <= a.Load.Asked:
		return nil
	}
	return r
}

func muchEvents(a *record.Audit) *record.AuditReason {
	c := a.Calibration
	if c == nil {
		return nil
	}
	return load(a, "near_events", "chunks a second", a.Load.Events, c.Events)
}

func manyStreams(a *record.Audit) *record.AuditReason {
	c := a.Calibration
	if c == nil {
		return nil
	}
	return load(a, "near_streams", "streams at a time", float64(a.Load.Peak), float64(c.Streams))
}

func muchRequests(a *record.Audit) *record.AuditReason {
	c := a.Calibration
	if c == nil {
		return nil
	}
	return load(a, "near_requests", "requests a second", a.Load.Requests, c.Requests)
}

// load compares with a figure of the calibration, which is 0 where it was not
// measured.
func load(a *record.Audit, code, what string, found, can float64) *record.AuditReason {
	if can <= 0 || found <= ofCalibration*can {
		return nil
	}
	return &record.AuditReason{Level: record.AuditDoubtful, Code: code,
		Found:  fmt.Sprintf("%.4g %s, where headway calibrate found this machine to carry %.4g", found, what, can),
		Bound:  fmt.Sprintf("more than %g %%", 100*ofCalibration),
		Change: change(a, false)}
}

// half is the part of a bound above which a verdict is given.
func half(level record.Verdict) float64 {
	if level == record.AuditDoubtful {
		return 0.5
	}
	return 1
}

// than words a bound.
func than(level record.Verdict) string {
	if level == record.AuditDoubtful {
		return "more than half the bound,"
	}
	return "more than"
}

func bound(a *record.Audit, level record.Verdict) string {
	from := "--max-lag"
	switch {
	case a.LimitSet:
	case a.ScheduleLimit > leastLimit:
		from = fmt.Sprintf("%g %% of the mean planned time between sends", 100*shareMoved)
	default:
		from = "the least that is held against a client"
	}
	return fmt.Sprintf("%s %s (%s)", than(level), length(half(level)*a.ScheduleLimit), from)
}

// origin says where the bound of a delay comes from.
func origin(a *record.Audit) string {
	switch {
	case a.LimitSet:
		return "--max-lag"
	case a.Limit > leastLimit && a.Stamps == nil:
		return "1 % of the median TTFT"
	case a.Limit > leastLimit:
		return fmt.Sprintf("%g %% of the median TTFT without the client's share", 100*shareMoved)
	}
	return "the least that is held against a client"
}

func percent(share float64) string { return fmt.Sprintf("%.3g %%", 100*share) }

// size is a number of bytes as people read it.
func size(bytes int) string {
	switch b := float64(bytes); {
	case b < 999.5e3:
		return fmt.Sprintf("%.3g kB", b/1e3)
	case b < 999.5e6:
		return fmt.Sprintf("%.3g MB", b/1e6)
	default:
		return fmt.Sprintf("%.3g GB", b/1e9)
	}
}

// length is a time as people read it.
func length(seconds float64) string {
	switch s := math.Abs(seconds); {
	case s == 0:
		return "0"
	case s < 999.5e-6: // which would be shown as 1e+03
		return fmt.Sprintf("%.3g µs", 1e6*seconds)
	case s < 999.5e-3:
		return fmt.Sprintf("%.3g ms", 1e3*seconds)
	}
	return fmt.Sprintf("%.4g s", seconds)
}
