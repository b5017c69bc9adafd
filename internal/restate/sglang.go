package restate

import "headway/record"

func sglang() Tool {
	return Tool{
		Name: "sglang", Version: "00f9ec4 (main)", Source: "python/sglang/benchmark/serving.py (sglang-oai-chat)",
		columns: []column{{"mean", "avg"}, {"median", "p50"}, {"std", "std"}, {"p90", "p90"}, {"p95", "p95"},
			{"p99", "p99"}},
		key: prefixed, read: readSGLang, fill: fillSGLang,
	}
}

// readSGLang: chunks with content or reasoning are tokens; the request ends with the
// stream's end marker.
func readSGLang(k *kept, r *record.Record) {
	k.bound(r.Start, ended(r))
	if r.Outcome != record.OK {
		return
	}
	k.ok++
	latency := since(r.Start, marked(r))
	tokens, said := serverSaid(r, "completion_tokens")
	if !said {
		tokens = float64(r.PlannedOSL)
	}
	k.in, k.out = k.in+float64(max(0, r.TokensIn)), k.out+tokens
	k.put("again", k.counted(r))
	k.put("latency", latency)
	ttft := latency
	if r.Streamed {
		ttft = 0 // as SGLang counts a stream without text
		if at := withText(r, noTools); len(at) > 0 {
			ttft = since(r.Start, at[0])
			k.gaps("itl", r, at)
		}
	}
	k.put("ttft", ttft)
	if tokens > 1 {
		k.put("tpot", (latency-ttft)/(tokens-1))
	}
}

func fillSGLang(s *sheet) {
	asked := "output tokens are the server's usage.completion_tokens, else what the request asked for"
	s.single("completed", "requests", "request_count", float64(s.ok))
	s.single("duration", "s", "benchmark_duration", s.seconds(), "until the last reply has ended, failed ones too")
	s.single("total_input_tokens", "tokens", "total_isl", s.in,
		"the lengths of the data set, by the client's tokenizer")
	s.single("total_output_tokens", "tokens", "total_osl", s.out, asked)
	s.single("total_output_tokens_retokenized", "tokens", "total_osl", total(s.of["again"]), ownTokenizer)
	s.rate("request_throughput", "req/s", "request_throughput", float64(s.ok))
	s.rate("output_throughput", "tok/s", "output_token_throughput", s.out, asked)
	s.rate("total_throughput", "tok/s", "total_token_throughput", s.in+s.out)
	s.rate("concurrency", "requests", "", total(s.of["latency"]),
		"the sum of latencies over the duration, failed requests left out")
	s.times("latency", "e2e_latency_ms", "ms", "request_latency",
		"it ends with the stream's end marker")
	s.times("ttft", "ttft_ms", "ms", "time_to_first_token",
		"tool calls are no tokens; a stream without a token counts as 0")
	s.times("tpot", "tpot_ms", "ms", "inter_token_latency",
		"from the first token to the stream's end marker", asked, notSkipped)
	s.gapsOf("itl", "itl_ms", "ms", "inter_chunk_latency",
		"called inter-token latency, and is the time between chunks, however many tokens they have")
}

func total(values []float64) (sum float64) {
	for _, v := range values {
		sum += v
	}
	return sum
}
