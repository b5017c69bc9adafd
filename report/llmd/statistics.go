package llmd

import (
	"math"

	"headway/metric"
)

// statistics is a figure with its distribution; what is not known is left out.
type statistics struct {
	Units     string   `json:"units"`
	Mean      float64  `json:"mean"`
	Deviation *float64 `json:"stddev,omitempty"`
	Min       *float64 `json:"min,omitempty"`
	P1        *float64 `json:"p1,omitempty"`
	P5        *float64 `json:"p5,omitempty"`
	P10       *float64 `json:"p10,omitempty"`
	P25       *float64 `json:"p25,omitempty"`
	P50       *float64 `json:"p50,omitempty"`
	P75       *float64 `json:"p75,omitempty"`
	P90       *float64 `json:"p90,omitempty"`
	P95       *float64 `json:"p95,omitempty"`
	P99       *float64 `json:"p99,omitempty"`
	Max       *float64 `json:"max,omitempty"`
}

// distribution is a metric of requests; nil where there is none, or where it says
// nothing of the server.
func distribution(r *metric.Result, tag, units string) *statistics {
	m, ok := r.Summary(tag)
	if _, meaningless := r.Meaningless(tag); !ok || meaningless {
		return nil
	}
	s := &statistics{Units: units, Mean: m.Mean}
	for _, f := range []struct {
		to   **float64
		stat string
	}{{&s.Deviation, "std"}, {&s.Min, "min"}, {&s.P1, "p1"}, {&s.P5, "p5"}, {&s.P10, "p10"}, {&s.P25, "p25"},
		{&s.P50, "p50"}, {&s.P75, "p75"}, {&s.P90, "p90"}, {&s.P95, "p95"}, {&s.P99, "p99"}, {&s.Max, "max"}} {
		if v, ok := m.Stat(f.stat); ok && !math.IsInf(v, 0) {
			*f.to = &v
		}
	}
	return s
}

// latencies are those of the schema. Our inter-token latency is the mean of a request:
// what the schema calls time per output token; its reader of aiperf's files takes the
// same figure as inter-token latency, so that both have it.
func latencies(r *metric.Result) map[string]statistics {
	all := map[string]statistics{}
	for _, l := range []struct{ name, tag, units string }{
		{"time_to_first_token", "time_to_first_token", "s"},
		{"time_per_output_token", "inter_token_latency", "s/token"},
		{"inter_token_latency", "inter_token_latency", "s/token"},
		{"request_latency", "request_latency", "s"},
	} {
		if s := distribution(r, l.tag, l.units); s != nil {
			all[l.name] = *s
		}
	}
	return all
}

// throughputs are those of the whole run.
func throughputs(r *metric.Result) map[string]statistics {
	all := map[string]statistics{}
	for _, t := range []struct{ name, tag, units string }{
		{"input_token_rate", "input_token_throughput", "tokens/s"},
		{"output_token_rate", "output_token_throughput", "tokens/s"},
		{"total_token_rate", "total_token_throughput", "tokens/s"},
		{"request_rate", "request_throughput", "queries/s"},
	} {
		v, ok := r.Scalar(t.tag)
		_, meaningless := r.Meaningless(t.tag)
		if ok && !meaningless && !math.IsNaN(v.Value) && !math.IsInf(v.Value, 0) {
			all[t.name] = statistics{Units: t.units, Mean: v.Value}
		}
	}
	return all
}
