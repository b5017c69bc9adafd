package restate

import "headway/record"

func inferencePerf() Tool {
	return Tool{
		Name: "inference-perf", Version: "0.7.0",
		Source: "inference_perf/reportgen/base.py, apis/chat.py and streaming_parser.py",
		columns: []column{{"mean", "avg"}, {"min", "min"}, {"median", "p50"}, {"p90", "p90"}, {"p95", "p95"},
			{"p99", "p99"}, {"p99.9", "p99.9"}, {"max", "max"}},
		key: dotted, read: readInferencePerf, fill: fillInferencePerf,
	}
}

// readInferencePerf: a request ends with its body; tokens are those of content alone, all
// of a chunk at its time.
func readInferencePerf(k *kept, r *record.Record) {
	k.bound(r.Start, ended(r))
	latency := since(r.Start, ended(r))
	if r.Outcome != record.OK {
		k.put("failed", latency)
		return
	}
	k.ok++
	tokens := k.counted(r)
	server, said := serverSaid(r, "completion_tokens")
	if !said {
		server = tokens
	}
	k.in, k.out = k.in+tokensIn(r), k.out+tokens
	k.put("in", tokensIn(r))
	k.put("out", tokens)
	k.put("server out", server)
	k.put("latency", latency)
	ntpot := 0.0
	if tokens > 0 {
		ntpot = latency / tokens
	}
	k.put("ntpot", ntpot)
	at := tokenTimes(r)
	if !r.Streamed || len(at) < 2 {
		return
	}
	k.put("ttft", since(r.Start, at[0]))
	k.gaps("itl", r, at)
	if tokens > 1 {
		k.put("tpot", since(at[0], at[len(at)-1])/(tokens-1))
	}
}

// tokenTimes are the times of the tokens of content: all tokens of a chunk have its time,
// a chunk that is no token by itself none. Where nobody counted a chunk's tokens it is one.
func tokenTimes(r *record.Record) (all []record.Time) {
	counted := false
	for _, a := range r.Arrivals {
		counted = counted || a.Tokens > 0
	}
	for _, a := range r.Arrivals {
		n := a.Tokens
		if !counted {
			n = 1
		}
		for range n {
			if a.Kind&onlyReply != 0 {
				all = append(all, a.At)
			}
		}
	}
	return all
}

func fillInferencePerf(s *sheet) {
	ends := "it ends with the reply's body"
	content := "reasoning and tool calls are no tokens; a reply of one token has none"
	s.single("benchmark_time_seconds", "s", "benchmark_duration", s.seconds(), "until the last body, failed ones too")
	s.single("successes.count", "requests", "request_count", float64(s.ok))
	s.single("failures.count", "requests", "error_request_count", float64(s.failed()))
	s.times("latency", "latency.request_latency", "s", "request_latency", ends)
	s.times("ntpot", "latency.normalized_time_per_output_token", "s", "",
		"the request's latency over all its tokens")
	s.times("tpot", "latency.time_per_output_token", "s", "inter_token_latency", ownTokenizer, notSkipped)
	s.times("ttft", "latency.time_to_first_token", "s", "time_to_first_token", content)
	s.gapsOf("itl", "latency.inter_token_latency", "s", "inter_token_latency",
		"the time between tokens of all replies together, 0 within a chunk; headway's is one mean for each reply")
	s.rate("throughput.input_tokens_per_sec", "tok/s", "input_token_throughput", s.in)
	s.rate("throughput.output_tokens_per_sec", "tok/s", "output_token_throughput", s.out, ownTokenizer)
	s.rate("throughput.total_tokens_per_sec", "tok/s", "total_token_throughput", s.in+s.out)
	s.rate("throughput.requests_per_sec", "req/s", "request_throughput", float64(s.ok))
	s.times("in", "prompt_tokens", "tokens", "input_sequence_length",
		"the server's usage.prompt_tokens, else its own count")
	s.times("out", "output_len", "tokens", "output_sequence_length", ownTokenizer)
	s.times("server out", "output_tokens", "tokens", "usage_completion_tokens", serverCounts)
}
