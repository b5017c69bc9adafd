package metric

import (
	"cmp"
	"fmt"
	"slices"

	"headway/record"
)

// FinishCount is how many replies ended with a finish_reason, failed ones
// included.
type FinishCount struct {
	Reason string // as the server said it
	Count  int
}

// OtherReasons stands for all reasons beyond the hundred that are listed.
const OtherReasons = "(others)"

// maxReasons is how many finish_reasons a result lists; a server that writes a
// message there makes one of every reply.
const maxReasons = 100

// endings counts how replies ended.
type endings struct {
	reasons map[string]int
	unknown int // lines of valid replies that are no field of a stream
	strange int // valid replies that have such
}

func (e *endings) add(r *record.Record) {
	if r.Finish != "" {
		if e.reasons == nil {
			e.reasons = map[string]int{}
		}
		e.reasons[r.Finish]++
	}
	if r.Unknown > 0 && Valid(r) {
		e.unknown += r.Unknown
		e.strange++
	}
}

// counts lists the reasons, the most frequent first. As with failures the list
// is cut at the end, so that it does not depend on the order of records.
func (e *endings) counts() []FinishCount {
	var list []FinishCount
	for reason, n := range e.reasons {
		list = append(list, FinishCount{reason, n})
	}
	slices.SortFunc(list, func(a, b FinishCount) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	if len(list) <= maxReasons {
		return list
	}
	others := FinishCount{Reason: OtherReasons}
	for _, f := range list[maxReasons:] {
		others.Count += f.Count
	}
	return append(list[:maxReasons:maxReasons], others)
}

// warnings say what replies held that is in no count.
func (e *endings) warnings() []record.Warning {
	if e.unknown == 0 {
		return nil
	}
	lines, replies := "1 line is", "1 reply"
	if e.unknown > 1 {
		lines = fmt.Sprintf("%d lines are", e.unknown)
	}
	if e.strange > 1 {
		replies = fmt.Sprintf("%d replies", e.strange)
	}
	return []record.Warning{{Code: "unknown_lines", Text: fmt.Sprintf(
		"in %s %s no field of an event stream and skipped: what they held is in no count", replies, lines)}}
}
