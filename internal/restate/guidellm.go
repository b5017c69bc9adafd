package restate

import "headway/record"

func guidellm() Tool {
	return Tool{
		Name: "guidellm", Version: "0.8.1",
		Source: "guidellm/schemas/base/request_stats.py and statistics.py, benchmark/schemas/metrics.py, " +
			"backends/openai/http.py",
		columns: []column{{"mean", "avg"}, {"median", "p50"}, {"std_dev", "std"}, {"min", "min"}, {"max", "max"},
			{"p90", "p90"}, {"p95", "p95"}, {"p99", "p99"}},
		key:  func(figure, stat string) string { return "metrics." + figure + ".successful." + stat },
		read: readGuideLLM, fill: fillGuideLLM,
	}
}

// readGuideLLM: a request begins with the first bytes of its head and ends with the end
// marker of its stream; what comes after that is not read.
func readGuideLLM(k *kept, r *record.Record) {
	start := r.Start
	if r.HTTP.HeadersSent.Known() {
		start = r.HTTP.HeadersSent
	}
	end := marked(r)
	k.bound(start, end)
	if r.Outcome != record.OK {
		return
	}
	k.ok++
	k.put("latency", since(start, end))
	text := withText(r, anyText)
	tokens, said := serverSaid(r, "completion_tokens")
	if !said {
		tokens = float64(len(text)) // a chunk is taken for a token
	}
	k.put("in", tokensIn(r))
	k.put("out", tokens)
	k.in, k.out = k.in+tokensIn(r), k.out+tokens
	last := end
	if r.Streamed && len(text) > 0 {
		last = text[len(text)-1]
		k.put("ttft", since(start, text[0]))
		if tokens > 1 {
			k.put("itl", since(text[0], last)/(tokens-1))
			k.put("itl tokens", tokens-1)
		}
	}
	if tokens > 0 {
		k.put("tpot", since(start, last)/tokens)
		k.put("tpot tokens", tokens)
	}
}

func fillGuideLLM(s *sheet) {
	lately := "it begins when the request's head is written, after connecting"
	lower := "percentiles are the least value that reaches the share, without interpolation"
	of := func(name string) spread { return weighted{s.of[name], nil} }
	s.single("request_totals.successful", "requests", "request_count", float64(s.ok))
	s.single("request_totals.errored", "requests", "error_request_count", float64(s.failed()),
		"GuideLLM calls what it cut off itself incomplete, and not errored")
	s.rate("requests_per_second.successful.mean", "req/s", "request_throughput", float64(s.ok))
	s.rate("output_tokens_per_second.successful.mean", "tok/s", "output_token_throughput", s.out, serverCounts)
	s.rate("request_concurrency.successful.mean", "requests", "", total(s.of["latency"]))
	s.spread("request_latency", "s", "request_latency", of("latency"), lately,
		"it ends with the stream's end marker", lower)
	s.spread("prompt_token_count", "tokens", "input_sequence_length", of("in"), "the server's usage.prompt_tokens")
	s.spread("output_token_count", "tokens", "output_sequence_length", of("out"), serverCounts)
	s.spread("time_to_first_token_ms", "ms", "time_to_first_token", of("ttft"), lately, lower)
	s.spread("inter_token_latency_ms", "ms", "inter_token_latency", weighted{s.of["itl"], s.of["itl tokens"]},
		"a reply counts as often as it has tokens after the first", lower, serverCounts, notSkipped)
	s.spread("time_per_output_token_ms", "ms", "", weighted{s.of["tpot"], s.of["tpot tokens"]},
		"the time from the start to the last token over all tokens, the first included")
}
