package metric

import "headway/record"

// TTFT is the time to first token in seconds: from the start of a request to
// the first arrival that carried text, reasoning and tool calls included. It
// exists only for replies that came as a stream; a reply that came whole has
// no first token that could be told from its last.
//
// It is the client's view: DNS, connect, TLS and the wait for a connection are
// inside, as in aiperf.
func TTFT(r *record.Record) (seconds float64, ok bool) {
	if !r.Streamed || !Valid(r) {
		return 0, false
	}
	first, _ := firstOf(r, anyText)
	return between(r.Start, first)
}

func timeToFirstToken() Metric {
	return latency(Metric{
		Tag: "time_to_first_token", Console: true, Streaming: true,
		Formula: "first arrival with text (content, reasoning or tool call) − start",
		Where:   "ttft.go", value: TTFT,
	})
}
