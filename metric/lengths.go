package metric

import "headway/record"

// ISL is the input sequence length in tokens as this side counted it, or as
// the server did where that was asked for.
func ISL(r *record.Record) (tokens float64, ok bool) {
	if !Valid(r) || r.TokensIn < 0 {
		return 0, false
	}
	return float64(r.TokensIn), true
}

// OSL is the output sequence length in tokens: output and reasoning together.
// It is absent where neither was counted or both are nothing.
func OSL(r *record.Record) (tokens float64, ok bool) {
	n := delivered(r)
	return float64(n), n > 0 && Valid(r)
}

// delivered is how many output tokens came, also of a reply that was broken
// off; 0 where nobody counted.
func delivered(r *record.Record) int { return max(0, r.TokensOut) + max(0, r.TokensReasoning) }

// OutputTokens is the count of output tokens that are not reasoning; absent
// where there are none, as in aiperf.
func OutputTokens(r *record.Record) (tokens float64, ok bool) {
	return float64(r.TokensOut), r.TokensOut > 0 && Valid(r)
}

// ReasoningTokens is the count of tokens in a reply's separate reasoning
// field; absent where there are none. Reasoning inside the content, between
// marks such as <think>, is output.
func ReasoningTokens(r *record.Record) (tokens float64, ok bool) {
	return float64(r.TokensReasoning), r.TokensReasoning > 0 && Valid(r)
}

// ErrorISL is the input length in tokens of a request that failed or was
// cancelled.
func ErrorISL(r *record.Record) (tokens float64, ok bool) {
	return float64(r.TokensIn), r.TokensIn >= 0 && Erred(r)
}

func outputSequenceLength() Metric {
	return tokens(Metric{
		Tag: "output_sequence_length", Console: true, Better: Higher,
		Formula: "output_token_count + reasoning_token_count, absent if both are",
		Where:   "lengths.go", value: OSL,
	})
}

func outputTokenCount() Metric {
	return tokens(Metric{
		Tag: "output_token_count", Better: Higher,
		Formula: "output tokens that are not reasoning, absent if 0",
		Where:   "lengths.go", value: OutputTokens,
	})
}

func reasoningTokenCount() Metric {
	return tokens(Metric{
		Tag: "reasoning_token_count", Better: Higher,
		Formula: "tokens of the reply's reasoning field, absent if 0",
		Where:   "lengths.go", value: ReasoningTokens,
	})
}

func inputSequenceLength() Metric {
	return tokens(Metric{
		Tag: "input_sequence_length", Console: true, Better: Higher,
		Formula: "tokens of all texts of the request as it was sent, history included",
		Where:   "lengths.go", value: ISL,
	})
}

func errorISL() Metric {
	return tokens(Metric{
		Tag: "error_isl", Header: "Error Input Sequence Length", Failed: true,
		Formula: "input_sequence_length of requests that failed or were cancelled",
		Where:   "lengths.go", value: ErrorISL,
	})
}

// lengthTotals are the sums over valid records, and that over failed ones, in
// tokens.
func lengthTotals() []Metric {
	return []Metric{
		total(Metric{Tag: "total_isl", Header: "Total Input Sequence Length", Better: Higher, Where: "lengths.go"},
			"input_sequence_length"),
		total(Metric{Tag: "total_osl", Header: "Total Output Sequence Length", Better: Higher, Where: "lengths.go"},
			"output_sequence_length"),
		total(Metric{Tag: "total_output_tokens", Better: Higher, Where: "lengths.go"}, "output_token_count"),
		total(Metric{Tag: "total_reasoning_tokens", Better: Higher, Where: "lengths.go"}, "reasoning_token_count"),
		total(Metric{Tag: "total_error_isl", Header: "Total Error Input Sequence Length",
			Where: "lengths.go"}, "error_isl"),
	}
}
