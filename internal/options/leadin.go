package options

import "headway/workload"

// PlainRounds is how many requests of each slot bench measured when it measured
// its start, and at least PlainCount of all.
const PlainRounds, PlainCount = 3, 10

// DefaultCount is how many requests bench measures at a level.
func DefaultCount(level int) int { return max(level, min(PlainRounds*level, 30), PlainCount) }

// LeastPerLevel is how many requests a level has with --requests-per-slot, so that
// 30 are in the steady part: of fewer no latency has an interval.
const LeastPerLevel = 40

// settleAfter is the most requests that bench warms a level up with: with those
// that it measures, twice what it measured with the start.
func settleAfter(level int) int {
	return 2*max(PlainRounds*level, PlainCount) - DefaultCount(level)
}

// round is how many requests of a warm-up are held against as many before.
func round(level int) int { return max(level, 2) }

// Phases makes the plan of a measurement, and that of the warm-up after which
// the server is drained, nil where there is none.
func (p *Plan) Phases(key workload.Key, repeat int) (plan workload.Plan, warm *workload.Plan, err error) {
	if plan, err = p.Make(key); err != nil {
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
func (p *Plan) leadIn(key workload.Key) (*workload.LeadIn, error) {
	w := *p
	if p.Settle {
		w.WarmCount = settleAfter(p.Concurrency.Value)
	}
	plan, err := w.warmup(key)
	if plan == nil || err != nil {
		return nil, err
	}
	return &workload.LeadIn{Source: plan.Source, Endless: plan.Endless || p.Settle, Requests: plan.Requests,
		Duration: plan.Duration, Settle: p.Settle, Block: round(p.Concurrency.Value)}, nil
}

// cooldown makes what keeps the load up until the last measured reply has
// ended. A reply that hangs is not worth more than two requests of each slot.
// They are numbered on from those of the warm-up.
func (p *Plan) cooldown(key workload.Key) (workload.Source, error) {
	w := *p
	before := p.WarmCount
	if p.Settle {
		before = settleAfter(p.Concurrency.Value)
	}
	w.WarmCount = 2 * p.Concurrency.Value
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

// freshText gives the runs after the first a text of their own: lengths and
// times stay, but no run meets the prefix cache that the run before it warmed.
func freshText(src workload.Source, repeat int) workload.Source {
	if repeat == 0 {
		return src
	}
	change := func(k workload.Key) workload.Key { return k.Named("repeat").Index(repeat) }
	return func(yield func(workload.Request, error) bool) {
		for r, err := range src {
			p := &r.Prompt
			p.Key, p.Prefix.Key, p.SystemKey = change(p.Key), change(p.Prefix.Key), change(p.SystemKey)
			if !yield(r, err) {
				return
			}
		}
	}
}
