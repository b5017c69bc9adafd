package main

import (
	"headway/workload"
)

// plainRounds is how many requests of each slot bench measured when it measured
// its start, and at least plainCount of all.
const plainRounds, plainCount = 3, 10

// defaultCount is how many requests bench measures at a level.
func defaultCount(level int) int { return max(level, min(plainRounds*level, 30), plainCount) }

// settleAfter is the most requests that bench warms a level up with: with those
// that it measures, twice what it measured with the start.
func settleAfter(level int) int {
	return 2*max(plainRounds*level, plainCount) - defaultCount(level)
}

// round is how many requests of a warm-up are held against as many before.
func round(level int) int { return max(level, 2) }

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
	if p.KeepUp {
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
	return &workload.LeadIn{Source: plan.Source, Endless: plan.Endless || p.Settle, Requests: plan.Requests, Duration: plan.Duration, Settle: p.Settle, Block: round(p.Concurrency.value)}, nil
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
