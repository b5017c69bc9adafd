package metric

import "headway/record"

// TTST is the time to second token in seconds: from the first arrival with
// text to the second. The name is aiperf's; chunks are counted, not tokens,
// and both arrivals of one read give a bound and not a time. A Sparse Record has
// none.
func TTST(r *record.Record) (seconds float64, ok bool) {
	if !r.Streamed || r.Sparse || !Valid(r) {
		return 0, false
	}
	var first record.Time
	for i := range r.Arrivals {
		a := &r.Arrivals[i]
		if !a.Kind.Text() {
			continue
		}
		if first.Known() {
			return between(first, a.At)
		}
		first = a.At
	}
	return 0, false
}

func timeToSecondToken() Metric {
	return latency(Metric{
		Tag: "time_to_second_token", Console: true, Streaming: true,
		Formula: "second arrival with text − first arrival with text (chunks, not tokens); absent where only the " +
			"first and the last are known",
		Where: "ttst.go", value: TTST,
	})
}
