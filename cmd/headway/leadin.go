package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"headway/workload"
)

// settleAfter is the most requests that bench warms a level up with: as many
// again as it measures by default, so that a level takes at most twice as long
// as without.
func settleAfter(level int) int { return defaultCount(level) }

// defaultCount is how many requests bench measures at a level.
func defaultCount(level int) int { return max(3*level, 10) }

// leadIn makes the warm-up that hands over to the measurement, nil where none
// is asked for. extra is what goes into the body of every request.
func (p *planFlags) leadIn(key workload.Key, extra json.RawMessage) (*workload.LeadIn, error) {
	w := *p
	slots := p.Concurrency.value
	if p.Settle {
		w.WarmCount = settleAfter(slots)
	}
	plan, err := w.warmup(key)
	if plan == nil || err != nil {
		return nil, err
	}
	l := &workload.LeadIn{Source: plan.Source, Endless: plan.Endless || p.Settle, Requests: plan.Requests, Duration: plan.Duration, Settle: p.Settle}
	if p.Stagger {
		l.Source = exactly(workload.Staggered(l.Source, slots), slots, extra)
	}
	return l, nil
}

// cooldown makes what keeps the load up until the last measured reply has
// ended. A reply that hangs is not worth more than two requests of each slot.
// They are numbered on from those of the warm-up.
func (p *planFlags) cooldown(key workload.Key) (workload.Source, error) {
	w := *p
	before := p.WarmCount
	if p.Settle {
		before = settleAfter(p.Concurrency.value)
	}
	w.WarmCount = 2 * p.Concurrency.value
	plan, err := w.warmup(key.Named("cooldown"))
	if err != nil {
		return nil, err
	}
	return func(yield func(workload.Request, error) bool) {
		for r, err := range plan.Source {
			r.Index += before
			if !yield(r, err) {
				return
			}
		}
	}, nil
}

// exactly says the length of the first n replies under the names that extra
// says it under for all: min_tokens above the limit of a request is an error to
// most servers.
func exactly(src workload.Source, n int, extra json.RawMessage) workload.Source {
	var all map[string]json.RawMessage
	if json.Unmarshal(extra, &all) != nil {
		return src
	}
	var names []string
	for _, name := range []string{"min_tokens", "max_tokens", "max_completion_tokens"} {
		if _, there := all[name]; there {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return src
	}
	return func(yield func(workload.Request, error) bool) {
		for r, err := range src {
			if err == nil && r.Index < n && r.OutputTokens > 0 {
				var fields []string
				for _, name := range names {
					fields = append(fields, fmt.Sprintf("%q:%d", name, r.OutputTokens))
				}
				r.Extra = json.RawMessage("{" + strings.Join(fields, ",") + "}")
			}
			if !yield(r, err) {
				return
			}
		}
	}
}
