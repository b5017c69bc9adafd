package metric

import "strings"

// overTime are the curves of [timeline.sweep]: what was going on at each
// instant, described by time and not by request.
func overTime() []Metric {
	const (
		requests = "requests"
		rate     = "tokens/sec"
		perUser  = "tokens/sec/user"
		first    = "the first text"
		spread   = "output_sequence_length − 1 shared out evenly to the gaps between chunks that are not 0 and " +
			"spread over each; over the whole decode beyond 4,194,304 gaps; absent where replies' tokens or the " +
			"times of their chunks are not known"
	)
	var list []Metric
	add := func(tag, unit, formula string, streaming bool) {
		m := Metric{Tag: tag, Unit: unit, Scale: 1, Kind: OverTime, Group: GroupEffective, Console: true,
			Streaming: streaming, Formula: formula, Where: "sweep.go"}
		if strings.HasPrefix(tag, "active_") {
			m.Group = GroupActive
		}
		if unit != requests && unit != "tokens" {
			m.Better = Higher
		}
		list = append(list, filled(m))
	}
	add("effective_concurrency", requests, "requests in flight, from start to end, failed and cancelled "+
		"ones included", false)
	add("effective_decode_throughput", rate, spread, true)
	add("effective_prefill_throughput", rate, "input_sequence_length spread evenly "+
		"from start to "+first+"; absent where prompts' tokens are not known", true)
	add("effective_decode_concurrency", requests, "replies between "+first+" and their end", true)
	add("effective_prefill_concurrency", requests, "requests between start and "+first+", of valid replies", true)
	add("effective_total_throughput", rate, "input_sequence_length spread "+
		"from start to "+first+" and output_sequence_length − 1 from there to the end; absent where tokens "+
		"are not known", true)
	add("effective_decode_throughput_per_user", perUser, "effective_decode_throughput / "+
		"effective_decode_concurrency at each instant, 0 where that is 0", true)
	add("effective_prefill_throughput_per_user", perUser, "effective_prefill_throughput / "+
		"effective_prefill_concurrency at each instant, 0 where that is 0", true)
	add("tokens_in_flight", "tokens", "input_sequence_length from start, 1 output "+
		"token from "+first+", the others shared out evenly to the chunks after it, all until the end; all "+
		"output from "+first+" beyond 4,194,304 gaps; absent where tokens or the times of chunks are not known", true)
	add("active_decode_throughput", rate, "effective_decode_throughput where "+
		"effective_decode_concurrency is above 0", true)
	add("active_prefill_throughput", rate, "effective_prefill_throughput where "+
		"effective_prefill_concurrency is above 0", true)
	add("active_decode_throughput_per_user", perUser, "effective_decode_throughput_per_user where "+
		"effective_decode_concurrency is above 0", true)
	add("active_prefill_throughput_per_user", perUser, "effective_prefill_throughput_per_user where "+
		"effective_prefill_concurrency is above 0", true)
	add("active_total_throughput", rate, "effective_total_throughput where effective_concurrency is above 0", true)
	return list
}
