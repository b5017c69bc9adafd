package plan

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// HourPlan is what an hour needs.
type HourPlan struct {
	Hour     int `json:"hour"`
	Requests int `json:"requests"`
	Replicas int `json:"replicas"`
	// Prefill is how many of Replicas only compute prompts; 0 where all do both.
	Prefill int `json:"prefill_replicas,omitempty"`
	// Bound is the least that a perfect system would need.
	Bound int `json:"bound"`
	// Hours is how long the load goes on in it.
	Hours float64 `json:"hours"`
	// Loses is a window that is lost on empty caches, though the replicas are as many as
	// the static plan's, which keeps it on caches that are warm.
	Loses *Miss `json:"loses,omitempty"`
}

// hourly finds for each hour the least replicas of the mapping and the router of the
// static plan. An hour is replayed by itself, the window before it as its lead-in, on
// empty caches, as replicas that were just started have them. No hour gets more than the
// static plan; where that is not enough on empty caches, the hour says so.
func (a *Asked) hourly(ctx context.Context, static Candidate, n needs) ([]HourPlan, error) {
	hours := make([]HourPlan, a.Load.hours())
	err := a.each(len(hours), func(h int) error {
		var err error
		hours[h], err = a.oneHour(ctx, static, h, n)
		return err
	})
	return hours, err
}

func (a *Asked) oneHour(ctx context.Context, static Candidate, h int, n needs) (HourPlan, error) {
	rest := a.Load.span() - time.Duration(h)*Hour
	plan := HourPlan{Hour: h, Replicas: 0, Hours: min(rest, Hour).Hours()}
	p, ok := a.Load.hour(h)
	if !ok {
		return plan, nil
	}
	plan.Requests = a.Load.windows[p.end-1].to - a.Load.windows[p.first].from
	b := Bound{Replicas: slices.Max(n.all[p.first:p.end]), Prefill: slices.Max(n.prefill[p.first:p.end]),
		Decode: slices.Max(n.decode[p.first:p.end])}
	plan.Bound = b.Replicas
	for _, c := range a.upTo(static, &b) {
		plan.Replicas, plan.Prefill = c.Replicas, c.Prefill
		st, err := a.Steps.of(fmt.Sprintf("hour %d: %s, mapping %d", h, a.name(c), c.Mapping), func() (*step, error) {
			o, err := a.replay(ctx, c, &a.Mappings[c.Mapping].Twin.Model, p, false)
			if err != nil {
				return nil, err
			}
			return &step{Miss: o.miss, Full: o.stats != nil}, nil
		})
		if err != nil {
			return plan, err
		}
		if plan.Loses = st.Miss; st.Miss == nil {
			return plan, nil
		}
	}
	return plan, nil
}

// upTo are the numbers of replicas that a bound allows, below those of the static plan,
// which comes last.
func (a *Asked) upTo(static Candidate, b *Bound) (all []Candidate) {
	for _, c := range a.sizes(static, static.kind().layout) {
		if c.Replicas < static.Replicas && !b.leavesOut(c) {
			all = append(all, c)
		}
	}
	return append(all, static)
}

// each calls do for every index below n, some at a time, and returns the error of the
// lowest index that has one.
func (a *Asked) each(n int, do func(int) error) error {
	errs := make([]error, n)
	indices := make(chan int)
	var workers sync.WaitGroup
	for range min(a.Parallel, n) {
		workers.Go(func() {
			for i := range indices {
				errs[i] = do(i)
			}
		})
	}
	for i := range n {
		indices <- i
	}
	close(indices)
	workers.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
