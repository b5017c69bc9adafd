package metric

import "headway/record"

// measure is a metric of one Record in base units; false where it has none.
type measure = func(*record.Record) (float64, bool)

// Valid reports whether a Record's figures may be used: it was answered
// without an error, at least one arrival carried text, and the text came after
// the start. Everything else counts as an error and enters no latency, no
// throughput and no bound of the benchmark's duration (aiperf's rule).
//
// A reply whose outcome is OK can be invalid: a success without content, or
// one whose clock ran backwards.
func Valid(r *record.Record) bool {
	if r.Outcome != record.OK || !r.Start.Known() {
		return false
	}
	first, ok := firstOf(r, anyText)
	return ok && first >= r.Start && lastText(r) > r.Start
}

// Erred reports whether a Record counts as an error: it was sent and is not
// valid. Cancelled requests are errors, dropped ones were never sent.
func Erred(r *record.Record) bool { return r.Outcome != record.Dropped && !Valid(r) }

const anyText = record.Content | record.Reasoning | record.ToolCall

// firstOf is the time of the first arrival that carried any of the kinds.
func firstOf(r *record.Record, kinds record.Kind) (record.Time, bool) {
	for i := range r.Arrivals {
		if r.Arrivals[i].Kind&kinds != 0 {
			return r.Arrivals[i].At, true
		}
	}
	return 0, false
}

// lastText is the time of the last arrival that carried text, 0 where none
// did. Later arrivals (usage, the end marker, an empty delta) are overhead of
// the protocol and not of the model, so that a latency does not end at Done.
func lastText(r *record.Record) record.Time {
	for i := len(r.Arrivals) - 1; i >= 0; i-- {
		if r.Arrivals[i].Kind.Text() {
			return r.Arrivals[i].At
		}
	}
	return 0
}

// between is the time from a to b in seconds; false where either did not
// happen or they are the wrong way round.
func between(a, b record.Time) (float64, bool) {
	if !a.Known() || !b.Known() || b < a {
		return 0, false
	}
	return seconds(b - a), true
}

// seconds converts a difference of Times. Dividing, instead of multiplying by
// 1e-9, gives the float64 nearest to the decimal fraction.
func seconds(d record.Time) float64 { return float64(d) / 1e9 }
