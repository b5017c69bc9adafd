package workload

import (
	"strings"
	"testing"
)

// Hints that a Dynamo 1.6 frontend refuses, as tried on one, are refused before load
// with their name and range, wherever a row has them.
func TestCheckHints(t *testing.T) {
	for hints, want := range map[string]string{
		`{"priority":2147483647}`: "", `{"priority":-2147483648}`: "", `{"priority":null}`: "", `{"osl":3}`: "",
		`{"latency_sensitivity":1.5}`: "", `{}`: "", `5`: "",
		`{"priority":2147483648}`:      "priority 2147483648: must be a whole number from -2147483648 to 2147483647",
		`{"priority":1.5}`:             "priority 1.5",
		`{"priority":1.0}`:             "priority 1.0",
		`{"priority":"1"}`:             `priority "1"`,
		`{"priority":1e2}`:             "priority 1e2",
		`{"strict_priority":-1}`:       "strict_priority -1: must be a whole number from 0 to 4294967295",
		`{"osl":99999999999999999999}`: "osl 99999999999999999999",
		`{"priority":{"very":"` + strings.Repeat("long", 99) + `"}}`: "priority {",
	} {
		body := `{"nvext":{"agent_hints":` + hints + `}}`
		for _, row := range []struct {
			format Format
			text   string
		}{
			{SingleTurn, `{"text":"a","extra":` + body + `}`},
			{SingleTurn, `{"text":"a","nvext":{"agent_hints":` + hints + `}}`},
			{Mooncake, `{"input_length":3,"extra":` + body + `}`},
			{Mooncake, `{"payload":` + body + `}`},
			{Inputs, `{"data":[{"session_id":"a","payloads":[` + body + `]}]}`},
		} {
			_, err := Read(strings.NewReader(row.text), "x.jsonl", ReadOptions{Format: row.format})
			said := err == nil && want == "" || err != nil && want != "" && strings.Contains(err.Error(), want)
			if !said || err != nil && len(err.Error()) > 300 {
				t.Errorf("%s: %v, want %q", row.text, err, want)
			}
		}
	}
	if CheckHints(nil) != nil || CheckHints([]byte(`{"agent_hints":`)) != nil {
		t.Error("what is no hint was refused")
	}
}
