package main

import (
	"encoding/json"
	"fmt"

	"headway/workload"
)

// withHint adds nvext.agent_hints.<name> to a request's extra JSON object,
// which may be missing, and keeps all else in it.
func withHint(extra json.RawMessage, name string, value any) (json.RawMessage, error) {
	return nested(extra, []string{"nvext", "agent_hints", name}, value)
}

// nested sets a member of an object by its path.
func nested(object json.RawMessage, path []string, value any) (json.RawMessage, error) {
	all := map[string]json.RawMessage{}
	if len(object) > 0 {
		if err := json.Unmarshal(object, &all); err != nil {
			return nil, fmt.Errorf("adding %s to a request's extra fields: %w", path[0], err)
		}
	}
	var err error
	if len(path) > 1 {
		all[path[0]], err = nested(all[path[0]], path[1:], value)
	} else {
		all[path[0]], err = json.Marshal(value)
	}
	if err != nil {
		return nil, err
	}
	return json.Marshal(all)
}

// exactOutput asks a real server for exactly the planned number of tokens, as
// the router benchmarks of Dynamo do, and tells a Dynamo router their number
// where that is wanted.
func exactOutput(src workload.Source, expected bool) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for r, err := range src {
			if err == nil && r.OutputTokens > 0 {
				r.Extra, err = exactExtra(r, expected)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func exactExtra(r workload.Request, expected bool) (json.RawMessage, error) {
	extra, err := nested(r.Extra, []string{"ignore_eos"}, true)
	if err == nil {
		extra, err = nested(extra, []string{"min_tokens"}, r.OutputTokens)
	}
	if err == nil {
		extra, err = nested(extra, []string{"nvext", "ignore_eos"}, true)
	}
	if err == nil && expected {
		extra, err = withHint(extra, "osl", r.OutputTokens)
	}
	return extra, err
}
