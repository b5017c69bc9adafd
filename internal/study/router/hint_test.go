package router

import (
	"encoding/json"
	"testing"

	"headway/internal/openai"
	"headway/workload"
)

// What a request brings stays, and only what the server takes is added.
func TestExactOutputKeepsExtra(t *testing.T) {
	hint := openai.Field{Path: lengthHint}
	r := workload.Request{OutputTokens: 3, Extra: json.RawMessage(`{"a":1,"nvext":{"b":2}}`)}
	for want, fields := range map[string][]openai.Field{
		`{"a":1,"nvext":{"b":2}}`:                                  nil,
		`{"a":1,"nvext":{"b":2,"agent_hints":{"osl":3}}}`:          {hint},
		`{"a":1,"nvext":{"b":2},"ignore_eos":true,"min_tokens":3}`: openai.ExactLength(),
	} {
		got, err := exactExtra(r, openai.Assumed(fields))
		if err != nil || string(got) != want {
			t.Errorf("got %s, %v, want %s", got, err, want)
		}
	}
}
