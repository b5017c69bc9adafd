package restate

import (
	"math"

	"headway/record"
)

func genaiPerf() Tool {
	return Tool{
		Name: "genai-perf", Version: "00168fe (main)",
		Source: "genai-perf/genai_perf/profile_data_parser/llm_profile_data_parser.py and metrics/statistics.py",
		columns: []column{{"avg", "avg"}, {"min", "min"}, {"max", "max"}, {"p50", "p50"}, {"p90", "p90"},
			{"p95", "p95"}, {"p99", "p99"}, {"std", "std"}},
		key: dotted, read: readGenAIPerf, fill: fillGenAIPerf,
	}
}

// readGenAIPerf: chunks of one read are one response; those without content are none.
func readGenAIPerf(k *kept, r *record.Record) {
	at := responses(r)
	if r.Outcome != record.OK || len(at) == 0 {
		return
	}
	k.ok++
	first, last := at[0], at[len(at)-1]
	k.bound(r.Start, last)
	tokens := k.counted(r)
	k.in, k.out = k.in+float64(max(0, r.TokensIn)), k.out+tokens
	k.put("in", float64(max(0, r.TokensIn)))
	k.put("out", tokens)
	k.put("latency", since(r.Start, last))
	k.put("ttft", since(r.Start, first))
	k.put("request", tokens/since(r.Start, last))
	if len(at) > 1 && !r.Sparse {
		k.put("ttst", since(first, at[1]))
	}
	if tokens > 1 {
		k.put("itl", math.RoundToEven(float64(last-first)/(tokens-1))/1e9)
	}
}

// responses are the times of reads that brought content.
func responses(r *record.Record) (all []record.Time) {
	for _, a := range r.Arrivals {
		if a.Kind&onlyReply != 0 && (!a.Coalesced || len(all) == 0 || all[len(all)-1] != a.At) {
			all = append(all, a.At)
		}
	}
	return all
}

func fillGenAIPerf(s *sheet) {
	content := "reasoning and tool calls are no responses"
	s.times("ttft", "time_to_first_token", "ms", "time_to_first_token", content)
	s.gapsOf("ttst", "time_to_second_token", "ms", "time_to_second_token", "chunks of one read are one response")
	s.times("latency", "request_latency", "ms", "request_latency", content)
	s.times("itl", "inter_token_latency", "ms", "inter_token_latency",
		"rounded to nanoseconds", ownTokenizer, notSkipped)
	s.times("request", "output_token_throughput_per_request", "tokens/sec", "e2e_output_token_throughput",
		"all tokens over the request's latency, time to first token included")
	s.times("out", "output_sequence_length", "tokens", "output_sequence_length", ownTokenizer)
	s.times("in", "input_sequence_length", "tokens", "input_sequence_length")
	s.single("request_count", "count", "request_count", float64(s.ok))
	s.rate("output_token_throughput", "tokens/sec", "output_token_throughput", s.out, ownTokenizer)
	s.rate("request_throughput", "requests/sec", "request_throughput", float64(s.ok))
}
