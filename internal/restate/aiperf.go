package restate

import (
	"headway/metric"
	"headway/record"
)

func aiperf() Tool {
	return Tool{
		Name: "aiperf", Version: "0.13.0", Source: "aiperf/metrics/types, aiperf/metrics/metric_dicts.py",
		columns: []column{{"avg", "avg"}, {"min", "min"}, {"max", "max"}, {"p50", "p50"}, {"p90", "p90"},
			{"p95", "p95"}, {"p99", "p99"}, {"std", "std"}},
		key:  dotted,
		read: readAiperf, fill: fillAiperf,
	}
}

func dotted(figure, stat string) string { return figure + "." + stat }

func readAiperf(k *kept, r *record.Record) {
	k.frame(r)
	if !metric.Valid(r) {
		return
	}
	k.ok++
	text := withText(r, anyText)
	first, last := text[0], text[len(text)-1]
	k.bound(r.Start, last)
	latency := since(r.Start, last)
	k.put("latency", latency)
	k.put("isl", float64(max(0, r.TokensIn)))
	k.in += float64(max(0, r.TokensIn))
	osl := k.counted(r)
	k.out += osl
	if osl > 0 {
		k.put("osl", osl)
		k.put("e2e", osl/latency)
	}
	if !r.Streamed {
		return
	}
	k.put("ttft", since(r.Start, first))
	if len(text) > 1 && !r.Sparse {
		k.put("ttst", since(first, text[1]))
	}
	k.gaps("icl", r, text)
	k.paceOf(since(first, last), osl)
}

// paceOf keeps the time from the first token to the last over the tokens after the first,
// and a reply's tokens a second.
func (k *kept) paceOf(decode, tokens float64) {
	if tokens < 2 {
		return
	}
	k.put("itl", decode/(tokens-1))
	if decode > 0 {
		k.put("user", (tokens-1)/decode)
	}
}

// Ways of counting that several tools have.
const (
	notSkipped   = "replies whose tokens came in too few reads to tell their pace count; headway leaves them out"
	ownTokenizer = "output tokens are counted by the client's tokenizer"
	serverCounts = "output tokens are the server's usage.completion_tokens, else the client's count"
)

func fillAiperf(s *sheet) {
	s.times("ttft", "time_to_first_token", "ms", "time_to_first_token")
	s.gapsOf("ttst", "time_to_second_token", "ms", "time_to_second_token")
	s.times("latency", "request_latency", "ms", "request_latency")
	s.times("itl", "inter_token_latency", "ms", "inter_token_latency", notSkipped, ownTokenizer)
	s.gapsOf("icl", "inter_chunk_latency", "ms", "inter_chunk_latency",
		"aiperf sketches percentiles of long runs in a t-digest (error below 0.05 %); these are exact")
	s.times("user", "output_token_throughput_per_user", "tokens/sec/user", "output_token_throughput_per_user",
		notSkipped, "a mean of reciprocals, which one reply that came in a burst can own")
	s.times("e2e", "e2e_output_token_throughput", "tokens/sec/user", "e2e_output_token_throughput")
	s.times("osl", "output_sequence_length", "tokens", "output_sequence_length", ownTokenizer)
	s.times("isl", "input_sequence_length", "tokens", "input_sequence_length")
	s.single("request_count", "requests", "request_count", float64(s.ok), "valid requests alone")
	s.single("error_request_count", "requests", "error_request_count", float64(s.failed()), "cancelled requests count")
	s.single("benchmark_duration", "sec", "benchmark_duration", s.seconds(),
		"from the first start to the last text of a valid request")
	// metric_dicts.py observation_duration: by the bounds of the phase, which
	// records_manager.py sets from its start to the end of its last request.
	window, why := since(s.opened, s.closed), "over the time until the last request has ended, failed ones too"
	s.single("request_throughput", "requests/sec", "request_throughput", float64(s.ok)/window, why)
	s.single("output_token_throughput", "tokens/sec", "output_token_throughput", s.out/window, why,
		"tokens of failed requests are left out; headway's tables count them")
	s.single("total_token_throughput", "tokens/sec", "total_token_throughput", (s.in+s.out)/window, why)
}
