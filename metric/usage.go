package metric

import (
	"math"
	"slices"

	"headway/record"
)

// discrepancy is the fraction above which the server's and this side's counts
// of tokens disagree.
const discrepancy = 0.10

// usageCount is one of the server's counts.
type usageCount struct {
	key     string
	better  Direction
	formula string
}

// usageCounts are the counts that servers report, by the key of
// record.Record.Usage; the metric's tag is the key after "usage_".
var usageCounts = [...]usageCount{
	{"prompt_tokens", Higher, "prompt_tokens"},
	{cacheRead, Higher, "prompt_tokens_details.cached_tokens, or cache_read_input_tokens"},
	{"prompt_cache_write_tokens", Neutral, "cache_creation_input_tokens"},
	{"prompt_cache_miss_tokens", Neutral, "prompt_cache_miss_tokens"},
	{"tool_use_prompt_tokens", Neutral, "toolUsePromptTokenCount"},
	{"completion_tokens", Higher, "completion_tokens"},
	{"reasoning_tokens", Higher, "completion_tokens_details.reasoning_tokens"},
	{"accepted_prediction_tokens", Higher, "completion_tokens_details.accepted_prediction_tokens"},
	{"rejected_prediction_tokens", Neutral, "completion_tokens_details.rejected_prediction_tokens"},
	{"total_tokens", Higher, "total_tokens"},
}

// cacheRead is the key whose total also stands as a share of the prompt.
const cacheRead = "prompt_cache_read_tokens"

// reported is a count of the server's.
func reported(key string) measure {
	return func(r *record.Record) (float64, bool) {
		n, ok := r.Usage[key]
		return float64(n), ok && Valid(r)
	}
}

// differs is |server − client| over the client's count.
func differs(key string, client measure) measure {
	return func(r *record.Record) (float64, bool) {
		server, ok := reported(key)(r)
		n, ok2 := client(clientOf(r))
		if !ok || !ok2 || n <= 0 {
			return 0, false
		}
		return math.Abs(server-n) / n, true
	}
}

// usagePair is a count that both sides have.
type usagePair struct {
	key, tag, header, client string
	diff                     measure
}

// usagePairs are the input's, then those of the output.
var usagePairs = []usagePair{
	{"prompt_tokens", "usage_prompt_tokens_diff_pct", "Usage Prompt Diff %",
		"input_sequence_length", differs("prompt_tokens", ISL)},
	{"completion_tokens", "usage_completion_tokens_diff_pct", "Usage Completion Diff %",
		"output_sequence_length", differs("completion_tokens", OSL)},
	{"reasoning_tokens", "usage_reasoning_tokens_diff_pct", "Usage Reasoning Diff %",
		"reasoning_token_count", differs("reasoning_tokens", ReasoningTokens)},
}

// usageDiff is the greatest of a record's differences in the pairs; false
// where no count is on both sides.
func usageDiff(r *record.Record, pairs []usagePair) (worst float64, ok bool) {
	for _, p := range pairs {
		if d, has := p.diff(r); has {
			worst, ok = max(worst, d), true
		}
	}
	return worst, ok
}

// usage is what the server says that it counted, beside what this side did.
func usage() []Metric {
	var each, totals, diffs []Metric
	for _, u := range usageCounts {
		tag := "usage_" + u.key
		each = append(each, tokens(Metric{Tag: tag, Group: GroupUsage, Console: true, Better: u.better,
			Formula: "usage." + u.formula + " of the reply", Where: "usage.go", value: reported(u.key)}))
		totals = append(totals, total(Metric{Tag: "total_" + tag, Group: GroupUsage, Console: true,
			Better: u.better, Where: "usage.go"}, tag))
		if u.key == cacheRead {
			totals = append(totals, filled(Metric{Tag: "overall_usage_prompt_cache_read_pct", Unit: "%", Scale: 100,
				Kind: Derived, Group: GroupUsage, Console: true, Better: Higher,
				Formula: "total_usage_prompt_cache_read_tokens / total_usage_prompt_tokens",
				Where:   "usage.go", derive: cacheReadShare}))
		}
	}
	for _, p := range usagePairs {
		diffs = append(diffs, filled(Metric{Tag: p.tag, Header: p.header, Unit: "%", Scale: 100,
			Group: GroupUsage, Better: Lower,
			Formula: "|usage_" + p.key + " − " + p.client + "| / " + p.client,
			Where:   "usage.go", value: p.diff}))
	}
	discrepant := count(Metric{Tag: "usage_discrepancy_count", Unit: "requests", Group: GroupUsage, Better: Lower,
		Formula: "requests where any of the differences above exceeds 10 %; absent unless prompt and completion can " +
			"be compared", Where: "usage.go",
		derive: func(t *Totals) (float64, bool) {
			return float64(t.Discrepant), t.Compared > 0 && mostly(t.BothCompared, t.OK)
		}})
	return slices.Concat(each, totals, diffs, []Metric{discrepant})
}

func cacheReadShare(t *Totals) (float64, bool) {
	read, ok := t.Sum("usage_prompt_cache_read_tokens")
	prompt, ok2 := t.Sum("usage_prompt_tokens")
	return read / prompt, ok && ok2 && prompt > 0
}

// IsUsage says whether servers report a count of that name: a key of
// record.Record.Usage.
func IsUsage(key string) bool {
	return slices.ContainsFunc(usageCounts[:], func(u usageCount) bool { return u.key == key })
}
