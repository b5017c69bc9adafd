package main

import (
	"headway/workload"
)

// settleAfter is the most requests that bench warms a level up with, so that a
// server on which it does not settle is not warmed up without end.
func settleAfter(level int) int { return defaultCount(level) }

// defaultCount is how many requests bench measures at a level.
func defaultCount(level int) int { return max(2*level, 10) }

// phases makes the plan of a measurement, and that of the warm-up after which
// the server is drained, nil where there is none.
func (p *planFlags) phases(key workload.Key, repeat int) (plan workload.Plan, warm *workload.Plan, err error) {
	if plan, err = p.plan(key); err != nil {
		return plan, nil, err
	}
	plan.Source = freshText(plan.Source, repeat)
	if !p.Handover {
		warm, err = p.warmup(key)
		return plan, warm, err
	}
	if plan.Warmup, err = p.leadIn(key); plan.Warmup == nil || err != nil {
		return plan, nil, err
	}
	plan.Warmup.Source = freshText(plan.Warmup.Source, repeat)
	if p.Gradual {
		if plan.Cooldown, err = p.cooldown(key); err == nil {
			plan.Cooldown = freshText(plan.Cooldown, repeat)
		}
	}
	return plan, nil, err
}

// leadIn makes the warm-up that hands over to the measurement, nil where none
// is asked for.
func (p *planFlags) leadIn(key workload.Key) (*workload.LeadIn, error) {
	w := *p
	if p.Settle {
		w.WarmCount = settleAfter(p.Concurrency.value)
	}
	plan, err := w.warmup(key)
	if plan == nil || err != nil {
		return nil, err
	}
	return &workload.LeadIn{Source: plan.Source, Endless: plan.Endless || p.Settle, Requests: plan.Requests, Duration: plan.Duration, Gradual: p.Gradual, Settle: p.Settle}, nil
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
