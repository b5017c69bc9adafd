package metric

import "headway/record"

// toldOf makes a measure of what servers say of their requests, in seconds or as a
// share. It exists where the reply had it.
func toldOf(pick func(*record.Told) *float64) measure {
	return func(r *record.Record) (float64, bool) {
		if r.Told == nil || !Valid(r) {
			return 0, false
		}
		if v := pick(r.Told); v != nil {
			return *v, true
		}
		return 0, false
	}
}

const dynamo = "Dynamo's frontend"

// serverTold are what a server says of itself, by its own clock.
func serverTold() []Metric {
	took := func(tag, header, formula string, pick func(*record.Told) *float64) Metric {
		return latency(Metric{Tag: tag, Header: header, Group: GroupServer, Console: true, Source: dynamo,
			Formula: formula, Where: "told.go", value: toldOf(pick)})
	}
	return []Metric{
		took("server_prefill_wait_time", "Server Wait for Prefill",
			"nvext.timing.prefill_wait_time_ms of the reply: until a worker began with the prompt",
			func(t *record.Told) *float64 { return t.Wait }),
		took("server_prefill_time", "Server Prefill Time",
			"nvext.timing.prefill_time_ms: from there to the first token",
			func(t *record.Told) *float64 { return t.Prefill }),
		took("server_time_to_first_token", "Server Time to First Token",
			"nvext.timing.ttft_ms: from the request's arrival at the server to the first token",
			func(t *record.Told) *float64 { return t.TTFT }),
		took("server_request_latency", "Server Request Latency",
			"nvext.timing.total_time_ms: to the last token",
			func(t *record.Told) *float64 { return t.Total }),
		filled(Metric{Tag: "router_kv_hit_rate", Header: "Router KV Hit Rate", Unit: "%", Scale: 100, Better: Higher,
			Group: GroupServer, Console: true, Source: dynamo,
			Formula: "nvext.timing.kv_hit_rate: share of the prompt that the router took for cached on the worker " +
				"of its choice", Where: "told.go",
			value: toldOf(func(t *record.Told) *float64 { return t.HitRate })}),
	}
}
