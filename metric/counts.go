package metric

import (
	"strings"

	"headway/record"
)

func countOK(t *Totals) (float64, bool) { return float64(t.OK), t.OK > 0 }

// counts are how many requests there were and what became of them. As in
// aiperf each side's counters exist once there is a request on that side: a
// run that failed altogether has no request_count, a run without a failure no
// error_request_count and no context_overflow_count, and one with failures of
// other kinds a context_overflow_count of 0.
func counts() []Metric {
	return []Metric{
		count(Metric{Tag: "completed_request_count", Header: "Completed Requests (Success + Error)",
			Unit: "requests", Kind: Derived, Console: true,
			Formula: "request_count + error_request_count; absent if 0",
			derive: func(t *Totals) (float64, bool) {
				n := t.OK + t.Errors
				return float64(n), n > 0
			}}),
		filled(Metric{Tag: "failed_request_rate", Unit: "%", Scale: 100, Kind: Derived, Console: true,
			Better: Lower, Source: ours,
			Formula: "requests that the server failed / those and request_count; requests that were ended on " +
				"purpose or at the end of the run count as neither", Where: "counts.go",
			derive: func(t *Totals) (float64, bool) {
				n := t.OK + t.Failed
				return float64(t.Failed) / float64(n), n > 0
			}}),
		filled(Metric{Tag: "request_error_rate", Unit: "%", Scale: 100, Kind: Derived, Console: true, Better: Lower,
			Formula: "error_request_count / (request_count + error_request_count), cancelled ones included",
			Where:   "counts.go",
			derive: func(t *Totals) (float64, bool) {
				n := t.OK + t.Errors
				return float64(t.Errors) / float64(n), n > 0
			}}),
		count(Metric{Tag: "request_count", Unit: "requests", Console: true, Better: Higher, absentIsZero: true,
			Formula: "valid requests: answered, with text, without an error; absent if 0",
			derive:  countOK}),
		count(Metric{Tag: "error_request_count", Unit: "requests", Better: Lower, absentIsZero: true,
			Formula: "requests sent that are not valid, cancelled ones included; absent if 0",
			derive:  func(t *Totals) (float64, bool) { return float64(t.Errors), t.Errors > 0 }}),
		count(Metric{Tag: "context_overflow_count", Unit: "requests", Better: Lower, absentIsZero: true,
			Formula: "errors whose message says that the prompt exceeds the model's context; absent if no " +
				"request failed",
			Source: "aiperf (the phrases that are looked for are ours)",
			derive: func(t *Totals) (float64, bool) { return float64(t.Overflows), t.Errors > 0 }}),
	}
}

// count fills in what counters share.
func count(m Metric) Metric {
	m.Scale, m.Integer = 1, true
	if m.Kind == PerRecord {
		m.Kind = Aggregate
	}
	if m.Where == "" {
		m.Where = "counts.go"
	}
	return filled(m)
}

// overflowPhrases are how servers say that a prompt does not fit, in lower
// case: the OpenAI API, vLLM, SGLang and TensorRT-LLM.
var overflowPhrases = [...]string{
	"context_length_exceeded",
	"maximum context length",
	"max_model_len",
	"longer than the maximum model length",
	"longer than the model's context length",
	"exceeds the context",
	"exceeds the maximum input length",
	"exceed max_num_tokens",
	"prompt is too long",
}

// overflows reports whether a failure says that the prompt did not fit.
func overflows(f *record.Failure) bool {
	if f == nil {
		return false
	}
	s := strings.ToLower(f.Message)
	for _, p := range overflowPhrases {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// window are the bounds of the measurement. They come from valid records
// only: a request that hangs until its timeout does not stretch the time that
// throughput is divided by.
func window() []Metric {
	at := func(tag, header, formula string, pick func(*Totals) record.Time) Metric {
		return filled(Metric{Tag: tag, Header: header, Unit: "ns", Scale: 1e9, Kind: Aggregate, Integer: true,
			Formula: formula, Where: "counts.go",
			derive: func(t *Totals) (float64, bool) {
				wall := t.Clock.Wall(pick(t))
				return float64(wall.Unix()) + float64(wall.Nanosecond())/1e9, t.OK > 0 && !t.Clock.Origin().IsZero()
			}})
	}
	return []Metric{
		at("min_request_timestamp", "Minimum Request Timestamp", "earliest start of a valid request, wall clock",
			func(t *Totals) record.Time { return t.First }),
		at("max_response_timestamp", "Maximum Response Timestamp",
			"latest start + request_latency of a valid request, wall clock",
			func(t *Totals) record.Time { return t.Last }),
		filled(Metric{Tag: "benchmark_duration", Unit: "sec", Scale: 1, Kind: Derived,
			Formula: "max_response_timestamp − min_request_timestamp, absent unless above 0", Where: "counts.go",
			derive: (*Totals).Duration}),
	}
}
