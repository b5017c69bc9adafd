package metric

import "headway/record"

// PrefillThroughput is the rate at which one request's input was taken in,
// tokens/s: ISL/TTFT. TTFT holds queueing and the network too, so that it is a
// lower bound of the engine's rate.
func PrefillThroughput(r *record.Record) (tokensPerSecond float64, ok bool) {
	return quotient(r, ISL, TTFT)
}

// E2EThroughput is OSL/request_latency in tokens/s, also for replies that did
// not stream.
func E2EThroughput(r *record.Record) (tokensPerSecond float64, ok bool) {
	return quotient(r, OSL, RequestLatency)
}

func quotient(r *record.Record, over, under measure) (float64, bool) {
	a, ok := over(r)
	b, ok2 := under(r)
	if !ok || !ok2 || b <= 0 {
		return 0, false
	}
	return a / b, true
}

func prefillThroughputPerUser() Metric {
	return rate(Metric{
		Tag: "prefill_throughput_per_user", Unit: "tokens/sec/user", Kind: PerRecord,
		Streaming: true,
		Formula:   "input_sequence_length / time_to_first_token (seconds), per request",
		Where:     "throughput.go", value: PrefillThroughput,
	})
}

func e2eOutputTokenThroughput() Metric {
	return rate(Metric{
		Tag: "e2e_output_token_throughput", Unit: "tokens/sec/user", Kind: PerRecord, Console: true,
		Formula: "output_sequence_length / request_latency (seconds), per request, streamed or not",
		Where:   "throughput.go", value: E2EThroughput,
	})
}

// perDuration describes a total over the benchmark's duration, ramp and tail
// included.
func perDuration(tag, unit, formula string, console bool, sum func(*Totals) (float64, bool)) Metric {
	return rate(Metric{Tag: tag, Unit: unit, Kind: Derived, Console: console,
		Formula: formula + " / benchmark_duration", Where: "throughput.go", derive: overDuration(sum)})
}

// requestThroughput is valid requests a second.
func requestThroughput() Metric {
	return perDuration("request_throughput", "requests/sec", "request_count", true, countOK)
}

// tokenThroughputs are the tokens of valid requests a second.
func tokenThroughputs() []Metric {
	return []Metric{
		perDuration("output_token_throughput", "tokens/sec", "total_osl", true, sumOf("output_sequence_length")),
		perDuration("input_token_throughput", "tokens/sec", "total_isl", true, sumOf("input_sequence_length")),
		perDuration("total_token_throughput", "tokens/sec", "(total_isl + total_osl)", false,
			sumOf("input_sequence_length", "output_sequence_length")),
	}
}

// perGPU are headway's own: throughputs over the number of GPUs that the user
// declared, absent where none was.
func perGPU() []Metric {
	share := func(tag, formula string, sum func(*Totals) (float64, bool)) Metric {
		return rate(Metric{Tag: tag, Header: title(tag[:len(tag)-len("_per_gpu")]) + " Per GPU",
			Unit: "tokens/sec/gpu", Kind: Derived, Console: true, Source: ours,
			Formula: formula + " / declared number of GPUs", Where: "throughput.go",
			derive: func(t *Totals) (float64, bool) {
				v, ok := overDuration(sum)(t)
				return v / float64(t.NumGPUs), ok && t.NumGPUs > 0
			}})
	}
	return []Metric{
		share("output_token_throughput_per_gpu", "output_token_throughput", sumOf("output_sequence_length")),
		share("total_token_throughput_per_gpu", "total_token_throughput",
			sumOf("input_sequence_length", "output_sequence_length")),
	}
}
