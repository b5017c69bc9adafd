package metric

import "headway/record"

// TTFO is the time to first output token in seconds: from the start of a
// request to the first arrival with text that is not reasoning. For a model
// that does not reason it equals [TTFT].
func TTFO(r *record.Record) (seconds float64, ok bool) {
	if !r.Streamed || !Valid(r) {
		return 0, false
	}
	first, ok := firstOf(r, record.Content|record.ToolCall)
	if !ok {
		return 0, false
	}
	return between(r.Start, first)
}

func timeToFirstOutputToken() Metric {
	return latency(Metric{
		Tag: "time_to_first_output_token", Console: true, Streaming: true,
		Formula: "first arrival with text that is not reasoning − start",
		Where:   "ttfo.go", value: TTFO,
	})
}
