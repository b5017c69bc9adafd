package audit

import (
	"fmt"
	"math"

	"headway/record"
)

// Names as reasons say them.
const (
	nameTTFT   = "TTFT"
	nameMedian = "median"
	name99     = "99th percentile"
)

func movedTTFT(a *record.Audit) *record.AuditReason {
	if a.Stamps == nil {
		return nil
	}
	return moved(a, a.Stamps.TTFT, nameTTFT, "ttft_moved", leastLimit)
}

func movedITL(a *record.Audit) *record.AuditReason {
	if a.Stamps == nil || a.Stamps.ITL == nil {
		return nil
	}
	return moved(a, *a.Stamps.ITL, "ITL", "itl_moved", leastITL)
}

// sharer is who made several chunks come in one read.
type sharer int

const (
	sharedByServer sharer = iota // this program read promptly
	sharedByEither
	sharedByClient
)

// Of a client that was not late, 9 of 10 delays are below the larger of promptLag
// and a part of the time between chunks.
const (
	promptLag  = 1e-3
	promptPart = 1.0 / 8
)

// sharer tells whose fault shared reads are, from how late this program was at
// times that no server has a say in: the probe's. A program that uses all
// the processors that it has is late with what it has to read and may notice the
// probe in between.
func sharerOf(a *record.Audit) sharer {
	s := a.Stamps
	delay := userDelay(a, func(s *record.AuditSpread) float64 { return s.P90 })
	if 2*s.Late <= s.Shared && delay <= max(promptLag, promptPart*s.Gap) && spreads(a) > 0 {
		return sharedByServer
	}
	// A median that is late, since a busy machine makes 1 of 10 late of any
	// program, and the server's chunks come together then, too.
	starved := a.ProbeLag != nil && a.ProbeLag.P50 > promptLag && a.ProbeLag.P90 > s.Gap
	full := a.Machine != nil && a.Machine.ProcessPeak > fullProcess*float64(a.Runtime.Processors)
	if starved || full {
		return sharedByClient
	}
	return sharedByEither
}

// moved compares quantiles with what they are without the client's share. The
// bound follows from the latter: what starvation adds must not widen it.
func moved(a *record.Audit, s record.AuditShift, name, code string, least float64) *record.AuditReason {
	own := worstOf(a, least, quantile{nameMedian, s.P50, s.OwnP50}, quantile{name99, s.P99, s.OwnP99})
	prompt := worstOf(a, least, quantile{nameMedian, s.P50, s.PromptP50}, quantile{name99, s.P99, s.PromptP99})
	worst := own
	switch sharerOf(a) {
	case sharedByServer:
		worst = prompt
	case sharedByEither:
		// What sending took is certain, what reading did is not.
		if !sent(a, name, prompt) {
			worst.ratio = min(worst.ratio, 1)
		}
	}
	level := against(worst.ratio)
	if level == record.AuditValid {
		return nil
	}
	from := fmt.Sprintf("the larger of %s and %g %%", length(least), 100*shareMoved)
	if a.LimitSet {
		from = "--max-lag"
	}
	return &record.AuditReason{Level: level, Code: code,
		Found: fmt.Sprintf("this client's delays in sending and reading moved the %s of %s by %s: it is %s, and "+
			"about %s without them",
			worst.name, name, length(math.Abs(worst.measured-worst.own)), length(worst.measured), length(worst.own)),
		Bound:  fmt.Sprintf("%s %s (%s)", than(level), length(half(level)*worst.limit), from),
		Change: change(a, false)}
}

// sent reports whether the client's delays in sending alone move a quantile of
// TTFT by more than its bound.
func sent(a *record.Audit, name string, q movedBy) bool {
	if name != nameTTFT {
		return false
	}
	delay := a.Stamps.Send.P50
	if q.name != nameMedian {
		delay = a.Stamps.Send.P99
	}
	return q.ratio > 1 && delay > q.limit
}

// quantile is one of a metric, in seconds, and without the client's share.
type quantile struct {
	name          string
	measured, own float64
}

// movedBy is a quantile with the bound for how far it may be moved, and the
// part of that by which it was.
type movedBy struct {
	quantile
	limit, ratio float64
}

func worstOf(a *record.Audit, least float64, all ...quantile) (worst movedBy) {
	for _, q := range all {
		limit := max(least, shareMoved*q.own)
		if a.LimitSet {
			limit = a.Limit
		}
		if ratio := math.Abs(q.measured-q.own) / limit; ratio >= worst.ratio {
			worst = movedBy{q, limit, ratio}
		}
	}
	return worst
}

func nothingAnswered(a *record.Audit) *record.AuditReason {
	if !a.Load.NoneAnswered {
		return nil
	}
	return &record.AuditReason{Level: record.AuditDoubtful, Code: "nothing_answered",
		Found: fmt.Sprintf("none of %d requests was answered, so there is no latency to be "+
			"right or wrong", a.Load.Sent),
		Bound:  "a run without an answer",
		Change: "see why no request was answered, or let requests end"}
}
