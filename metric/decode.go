package metric

import "headway/record"

// DecodeDuration is the time from the first to the last arrival with text, in
// seconds: [RequestLatency] less [TTFT].
func DecodeDuration(r *record.Record) (seconds float64, ok bool) {
	if !r.Streamed || !Valid(r) {
		return 0, false
	}
	first, _ := firstOf(r, anyText)
	return between(first, lastText(r))
}

func decodeDuration() Metric {
	return latency(Metric{
		Tag: "decode_duration", Console: true, Streaming: true,
		Formula: "request_latency − time_to_first_token",
		Where:   "decode.go", value: DecodeDuration,
	})
}
