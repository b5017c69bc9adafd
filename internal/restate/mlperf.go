package restate

import (
	"headway/record"
)

func mlperf() Tool {
	return Tool{
		Name: "mlperf", Version: "6.0.17",
		Source: "loadgen/results.cc, loadgen.cc, logging.cc and early_stopping.cc (mlcommons/inference b66003e)",
		columns: []column{{"Mean", "avg"}, {"Min", "min"}, {"Max", "max"}, {"50.00 percentile", "p50"},
			{"90.00 percentile", "p90"}, {"95.00 percentile", "p95"}, {"97.00 percentile", "p97"},
			{"99.00 percentile", "p99"}, {"99.90 percentile", "p99.9"}},
		key: func(figure, stat string) string { return stat + " " + figure }, read: readMLPerf, fill: fillMLPerf,
	}
}

// readMLPerf: the Server scenario counts from when a query was scheduled.
func readMLPerf(k *kept, r *record.Record) {
	start := r.Start
	if r.Planned.Known() {
		start = r.Planned
	}
	if k.begin == 0 || start < k.begin {
		k.begin = start
	}
	text := withText(r, anyText)
	if r.Outcome != record.OK || len(text) == 0 {
		return
	}
	k.ok++
	first, last := text[0], text[len(text)-1]
	if r.Start >= k.last {
		k.last, k.end = r.Start, last
	}
	k.final = max(k.final, start)
	tokens := k.tokensOut(r)
	k.out += tokens
	k.put("latency", since(start, last))
	if !r.Streamed {
		return
	}
	k.put("ttft", since(start, first))
	if tokens > 1 {
		k.put("tpot", float64(int64(last-first)/(int64(tokens)-1))/1e9)
	}
}

func fillMLPerf(s *sheet) {
	scheduled := "it begins when the query was scheduled, so that a late client counts"
	index := "percentiles are the value at index ⌊n·p⌋, without interpolation"
	of := func(name string) spread { return indexed(s.of[name]) }
	s.single("Completed samples per second", "samples/s", "request_throughput", float64(s.ok-1)/s.seconds(),
		"the samples less one, until the query that was issued last is done")
	s.single("Completed tokens per second", "tok/s", "output_token_throughput", s.out/s.seconds(),
		"until the query that was issued last is done", serverCounts)
	s.single("Scheduled samples per second", "samples/s", "", float64(s.ok-1)/since(s.begin, s.final),
		"the samples less one, until the last was scheduled")
	s.spread("latency (ns)", "ns", "request_latency", of("latency"), scheduled, index)
	s.spread("first token latency (ns)", "ns", "time_to_first_token", of("ttft"), scheduled, index)
	s.spread("time to output token (ns)", "ns", "inter_token_latency", of("tpot"),
		"rounded down to nanoseconds", serverCounts, index, notSkipped)
	s.early = []Early{
		early("TTFT", s.of["ttft"], s.limits["time_to_first_token"]),
		early("TPOT", s.of["tpot"], s.limits["inter_token_latency"]),
	}
}
