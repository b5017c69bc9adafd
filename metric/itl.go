package metric

import "headway/record"

// ITL is the mean inter-token latency of one request in seconds, what others
// call TPOT: [DecodeDuration] over the tokens after the first,
// (request_latency − TTFT)/(OSL − 1). It is absent below two output tokens, and
// where these came in too few reads to tell their pace.
//
// The divisor takes the first chunk for one token. Where a server's first
// chunk holds several the figure comes out too small; [ITLByUsage] corrects
// that where the server says how many they were.
func ITL(r *record.Record) (seconds float64, ok bool) {
	return perToken(r, 1)
}

// quotientITL is ITL whatever the reads say, as aiperf has it.
func quotientITL(r *record.Record) (seconds float64, ok bool) { return quotientOf(r, 1) }

// quotientITLByUsage is [ITLByUsage] whatever the reads say.
func quotientITLByUsage(r *record.Record) (seconds float64, ok bool) {
	if !usageSplits(r) {
		return quotientITL(r)
	}
	return quotientOf(r, r.FirstUsage)
}

// ITLByUsage is [ITL] with the divisor OSL − u, where u is the server's
// completion_tokens at the first chunk that had both text and usage. Where u
// is absent or not below OSL it falls back to OSL − 1.
func ITLByUsage(r *record.Record) (seconds float64, ok bool) {
	if !usageSplits(r) {
		return ITL(r)
	}
	return perToken(r, r.FirstUsage)
}

// usageSplits reports whether the usage of the first chunk can be the divisor.
func usageSplits(r *record.Record) bool {
	osl, ok := OSL(r)
	return ok && r.FirstUsage > 0 && float64(r.FirstUsage) < osl
}

func perToken(r *record.Record, first int) (float64, bool) {
	if unread(r, first) {
		return 0, false
	}
	return quotientOf(r, first)
}

func quotientOf(r *record.Record, first int) (float64, bool) {
	osl, ok := OSL(r)
	if !ok || osl < 2 {
		return 0, false
	}
	d, ok := DecodeDuration(r)
	return d / (osl - float64(first)), ok
}

func interTokenLatency(itl measure) Metric {
	return latency(Metric{
		Tag: "inter_token_latency", Console: true, Streaming: true,
		Formula: "(request_latency − time_to_first_token) / (output_sequence_length − 1), absent below 2 tokens, " +
			"and where those after the first came in fewer than 5 reads of more than 8 tokens each or in under 40 " +
			"µs each; with per-chunk usage the divisor is output_sequence_length − completion_tokens at the first " +
			"chunk that has text and usage",
		Where: "itl.go", value: itl,
	})
}

// perUser is a user's decode rate: 1/ITL in tokens/s, absent where the whole
// reply came in one instant.
func perUser(itl measure) measure {
	return func(r *record.Record) (float64, bool) {
		s, ok := itl(r)
		if !ok || s <= 0 {
			return 0, false
		}
		return 1 / s, true
	}
}

func outputTokenThroughputPerUser(itl measure) Metric {
	return rate(Metric{
		Tag: "output_token_throughput_per_user", Unit: "tokens/sec/user", Kind: PerRecord,
		Console: true, Streaming: true,
		Formula: "1 / inter_token_latency (seconds), per request",
		Where:   "itl.go", value: perUser(itl),
	})
}
