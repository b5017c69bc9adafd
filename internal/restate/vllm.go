package restate

import (
	"cmp"
	"slices"

	"headway/record"
)

func vllm() Tool {
	return Tool{
		Name: "vllm", Version: "009e6d4 (main)",
		Source:  "vllm/benchmarks/serve.py and lib/endpoint_request_func.py (openai-chat)",
		columns: []column{{"mean", "avg"}, {"median", "p50"}, {"std", "std"}, {"p99", "p99"}},
		key:     prefixed, read: readVLLM, fill: fillVLLM,
	}
}

func prefixed(figure, stat string) string { return stat + "_" + figure }

// readVLLM: times are of chunks with choices; the request ends with the last of them.
func readVLLM(k *kept, r *record.Record) {
	k.bound(r.Start, ended(r))
	at := withChoices(r)
	if r.Outcome != record.OK || len(at) == 0 {
		return
	}
	k.ok++
	last := at[len(at)-1]
	tokens := k.tokensOut(r)
	k.in, k.out = k.in+tokensIn(r), k.out+tokens
	k.spans = append(k.spans, span{r.Start, last})
	k.put("latency", since(r.Start, last))
	if !r.Streamed {
		return
	}
	k.put("ttft", since(r.Start, at[0]))
	k.gaps("itl", r, at)
	if tokens > 1 {
		k.put("tpot", since(at[0], last)/(tokens-1))
	}
}

func fillVLLM(s *sheet) {
	lastChunk := "it ends with the last chunk that has choices, so one with the finish_reason alone counts"
	s.single("completed", "requests", "request_count", float64(s.ok))
	s.single("failed", "requests", "error_request_count", float64(s.failed()), "cancelled requests count")
	s.single("duration", "s", "benchmark_duration", s.seconds(),
		"until the last reply has ended, failed ones too; vLLM also counts the time before its first request")
	s.single("total_input_tokens", "tokens", "total_isl", s.in,
		"the server's usage.prompt_tokens, else the client's count")
	s.single("total_output_tokens", "tokens", "total_osl", s.out, serverCounts)
	s.rate("request_throughput", "req/s", "request_throughput", float64(s.ok))
	s.rate("output_throughput", "tok/s", "output_token_throughput", s.out, serverCounts)
	s.rate("total_token_throughput", "tok/s", "total_token_throughput", s.in+s.out)
	s.times("ttft", "ttft_ms", "ms", "time_to_first_token", s.roleChunks())
	s.times("tpot", "tpot_ms", "ms", "inter_token_latency",
		"from the first chunk, the role's too, to the last with choices", serverCounts, notSkipped)
	s.gapsOf("itl", "itl_ms", "ms", "inter_chunk_latency",
		"called inter-token latency, and is the time between chunks, however many tokens they have",
		"those to and from chunks without text count")
	s.times("latency", "e2el_ms", "ms", "request_latency", lastChunk)
	s.single("max_concurrent_requests", "requests", "", float64(most(s.spans)))
}

// most is how many spans overlap at most; one that ends when another begins does not.
func most(spans []span) (peak int) {
	type edge struct {
		at record.Time
		by int
	}
	var edges []edge
	for _, s := range spans {
		edges = append(edges, edge{s.from, 1}, edge{s.to, -1})
	}
	slices.SortFunc(edges, func(a, b edge) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.by, b.by)) })
	now := 0
	for _, e := range edges {
		now += e.by
		peak = max(peak, now)
	}
	return peak
}
