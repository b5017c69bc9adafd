package metric

import "headway/record"

// CreditToStart is the time in seconds by which a request started after its
// planned time: the client's own lateness, and in an open loop with a limit on
// requests in flight the wait for a free slot.
func CreditToStart(r *record.Record) (seconds float64, ok bool) {
	if !Valid(r) {
		return 0, false
	}
	return between(r.Planned, r.Start)
}

// EffectiveLatency is the time in seconds from the planned time to the last
// arrival with text. A client that falls behind its schedule hides the
// server's delay from request_latency (coordinated omission); it cannot hide
// it from this. Failed requests stay out: one that is refused at once would
// make the figure smaller.
func EffectiveLatency(r *record.Record) (seconds float64, ok bool) {
	if !Valid(r) {
		return 0, false
	}
	return between(r.Planned, lastText(r))
}

// EffectiveTTFT is [TTFT] from the planned time, in seconds.
func EffectiveTTFT(r *record.Record) (seconds float64, ok bool) {
	if !r.Streamed || !Valid(r) {
		return 0, false
	}
	first, _ := firstOf(r, anyText)
	return between(r.Planned, first)
}

func effectiveLatency() Metric {
	return latency(Metric{
		Tag: "effective_latency", Header: "Effective Latency (CO-aware)", Console: true,
		Formula: "last arrival with text − planned time",
		Source: "aiperf (0.13.0 counts failed requests in and ends with the connection's reply; later versions " +
			"take valid requests alone, as here)",
		Where: "waits.go", value: EffectiveLatency,
	})
}

// waits are latencies from the planned time.
func waits() []Metric {
	return []Metric{
		latency(Metric{
			Tag: "credit_to_start_latency", Header: "Credit-to-Start Latency",
			Formula: "start − planned time",
			Source:  "aiperf (which counts failed requests in)",
			Where:   "waits.go", value: CreditToStart,
		}),
		effectiveLatency(),
		latency(Metric{
			Tag: "effective_time_to_first_token", Header: "Effective Time to First Token (CO-aware)",
			Console: true, Streaming: true, Source: ours,
			Formula: "first arrival with text − planned time",
			Where:   "waits.go", value: EffectiveTTFT,
		}),
	}
}
