package metric

import "headway/record"

// RequestLatency is the time from the start of a request to the last arrival
// with text, in seconds: the whole reply as its reader sees it. The start is
// taken before DNS, connect and TLS, so that a new connection counts. A reply
// that did not stream has one arrival, its body when it was read whole.
func RequestLatency(r *record.Record) (seconds float64, ok bool) {
	if !Valid(r) {
		return 0, false
	}
	return between(r.Start, lastText(r))
}

func requestLatency() Metric {
	return latency(Metric{
		Tag: "request_latency", Console: true,
		Formula: "last arrival with text − start",
		Where:   "request_latency.go", value: RequestLatency,
	})
}
