package metric

import "headway/record"

// Head is from the start of a request to the head of its reply.
func Head(r *record.Record) (seconds float64, ok bool) {
	if !r.Ack.Known() || !r.Start.Known() {
		return 0, false
	}
	return float64(r.Ack-r.Start) / 1e9, true
}
