package router

import (
	"encoding/json"

	"headway/internal/openai"
	"headway/internal/study"
	"headway/workload"
)

// What a Dynamo router reads of a request, in its nvext.agent_hints.
var (
	priorityHint = []string{"nvext", "agent_hints", "priority"}
	lengthHint   = []string{"nvext", "agent_hints", "osl"}
)

// fields are what requests to a variant get beside what the user asked for.
func (s *Study) fields(v Variant) []openai.Field {
	fields := openai.ExactLength()
	if s.Options.ExpectedOSL {
		fields = append(fields, openai.Field{Path: lengthHint, Value: 1,
			Without: "the router does not know how long replies will be"})
	}
	if s.Tiers != nil && v.Tagged {
		fields = append(fields, openai.Field{Path: priorityHint, Value: s.Tiers.Values[0],
			Without: "no request has a priority, so that both sides of the comparison are the same"})
	}
	return fields
}

// tagged gives requests the hint of their tier.
func tagged(t *study.Tiers, src workload.Source, a openai.Agreed) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for r, err := range src {
			if err == nil {
				r.Extra, err = a.Add(r.Extra, t.Values[t.Of(r.Index)], priorityHint...)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// exactOutput asks a real server for exactly the planned number of tokens, as
// the router benchmarks of Dynamo do, and tells a Dynamo router their number
// where that is wanted.
func exactOutput(src workload.Source, a openai.Agreed) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for r, err := range src {
			if err == nil && r.OutputTokens > 0 {
				r.Extra, err = exactExtra(r, a)
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func exactExtra(r workload.Request, a openai.Agreed) (json.RawMessage, error) {
	extra, err := a.Add(r.Extra, true, "ignore_eos")
	if err == nil {
		extra, err = a.Add(extra, r.OutputTokens, "min_tokens")
	}
	if err == nil {
		extra, err = a.Add(extra, r.OutputTokens, lengthHint...)
	}
	return extra, err
}
