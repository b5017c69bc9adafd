package openai

import (
	"math"
	"strconv"

	"github.com/valyala/fastjson"
)

// usage is a server's usage object with the names taken out: servers repeat it
// with every chunk, and a map for each would cost more than the text. n holds
// a count where the bit of the same index in has is set.
type usage struct {
	has uint32
	n   [len(usageFields)]int
}

// completionTokens is the place of "completion_tokens" in usageFields.
const completionTokens = 1

// usageFields are aiperf's usage_* metrics without that prefix, and where the
// servers' dialects keep them. The first place that has a number counts.
var usageFields = [...]struct {
	name  string
	paths [][]string
}{
	{"prompt_tokens", [][]string{{"prompt_tokens"}, {"input_tokens"}}},
	{"completion_tokens", [][]string{{"completion_tokens"}, {"output_tokens"}}},
	{"total_tokens", [][]string{{"total_tokens"}}},
	{"reasoning_tokens", [][]string{
		{"completion_tokens_details", "reasoning_tokens"},
		{"output_tokens_details", "reasoning_tokens"},
		{"reasoning_tokens"}}},
	{"prompt_cache_read_tokens", [][]string{
		{"prompt_tokens_details", "cached_tokens"},
		{"input_tokens_details", "cached_tokens"},
		{"cache_read_input_tokens"},
		{"prompt_cache_hit_tokens"}}},
	{"prompt_cache_write_tokens", [][]string{
		{"cache_creation_input_tokens"},
		{"prompt_tokens_details", "cache_write_tokens"},
		{"prompt_tokens_details", "cache_creation_tokens"}}},
	{"prompt_cache_miss_tokens", [][]string{{"prompt_cache_miss_tokens"}}},
	{"prompt_audio_tokens", [][]string{
		{"prompt_tokens_details", "audio_tokens"},
		{"input_tokens_details", "audio_tokens"}}},
	{"completion_audio_tokens", [][]string{
		{"completion_tokens_details", "audio_tokens"},
		{"output_tokens_details", "audio_tokens"}}},
	{"prompt_audio_seconds", [][]string{{"prompt_audio_seconds"}}},
	{"tool_use_prompt_tokens", [][]string{{"tool_use_prompt_tokens"}}},
	{"accepted_prediction_tokens", [][]string{{"completion_tokens_details", "accepted_prediction_tokens"}}},
	{"rejected_prediction_tokens", [][]string{{"completion_tokens_details", "rejected_prediction_tokens"}}},
}

// readUsage reads a usage object; anything else, and an empty one, has
// nothing.
func readUsage(v *fastjson.Value) usage {
	var u usage
	if v == nil || v.Type() != fastjson.TypeObject {
		return u
	}
	for i := range usageFields {
		for _, path := range usageFields[i].paths {
			if n, ok := tokenCount(v.Get(path...)); ok {
				u.n[i], u.has = n, u.has|1<<i
				break
			}
		}
	}
	return u
}

// merge takes the counts that u has.
func (t *usage) merge(u usage) {
	for i := range usageFields {
		if u.has&(1<<i) != 0 {
			t.n[i] = u.n[i]
		}
	}
	t.has |= u.has
}

// tokenCount reads a number of tokens; some servers write it as a string.
func tokenCount(v *fastjson.Value) (int, bool) {
	if v == nil || v.Type() != fastjson.TypeString {
		return count(v)
	}
	n, err := strconv.Atoi(string(v.GetStringBytes()))
	return n, err == nil && n >= 0 && n <= 1<<53
}

// count reads a whole number; some servers write 12.0.
func count(v *fastjson.Value) (int, bool) {
	if v == nil || v.Type() != fastjson.TypeNumber {
		return 0, false
	}
	f, err := v.Float64()
	if err != nil || math.IsNaN(f) || f < 0 || f > 1<<53 {
		return 0, false
	}
	return int(math.Round(f)), true
}

// named is the usage as a Record keeps it, nil when there was none.
func (u usage) named() map[string]int {
	if u.has == 0 {
		return nil
	}
	m := make(map[string]int)
	for i := range usageFields {
		if u.has&(1<<i) != 0 {
			m[usageFields[i].name] = u.n[i]
		}
	}
	return m
}
