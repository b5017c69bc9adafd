package plan

import (
	"context"
	"math"

	"headway/record"
)

// Price is what a number of replicas can promise.
type Price struct {
	Replicas int `json:"replicas"`
	// Prefill is how many of Replicas only compute prompts; 0 where all do both.
	Prefill  int     `json:"prefill_replicas,omitempty"`
	GPUHours float64 `json:"gpu_hours"`
	// Cost is not known (null) without a price of GPUs.
	Cost record.Number `json:"cost"`
	// Risk is that of losing a window of such a load; not known (null) where it was not
	// drawn for: two replicas fewer, and more than those that already lose next to none.
	Risk record.Number `json:"risk_any_window"`
	// Promises are by objective: the worst window of the part that is replayed for prices,
	// by itself, so that in the whole load another may be worse.
	Promises []Promise `json:"promises"`
}

// Promise is a bound, seconds, and what the step to it from one replica less costs.
type Promise struct {
	Objective string        `json:"objective"`
	Value     record.Number `json:"value_s"`
	Expected
	// GPUHoursPer10ms is how many more it takes for each 10 ms less, from one replica
	// less on, of prefill and decode replicas from the plan on; null where nothing is gained.
	GPUHoursPer10ms record.Number `json:"gpu_hours_per_10ms"`
	CostPer10ms     record.Number `json:"cost_per_10ms"`
}

// Replicas that are priced beside the plan's.
const (
	fewer = 2
	more  = 3
)

// prices are those of numbers of replicas around the plan's, of its tightest hour.
//
// The risk is drawn for the plan's neighbours: one fewer, and more until it is negligible.
func (a *Asked) prices(ctx context.Context, static Candidate, p part, t *trust, k *risks) ([]Price, error) {
	around, from := a.around(static)
	outcomes := make([]*outcome, len(around))
	err := a.each(len(outcomes), func(i int) (err error) {
		c := around[i]
		outcomes[i], err = a.replay(ctx, c, &a.Mappings[c.Mapping].Twin.Model, p, true)
		return err
	})
	if err != nil {
		return nil, err
	}
	var all []Price
	for i, o := range outcomes {
		c := around[i]
		one := Price{Replicas: c.Replicas, Prefill: c.Prefill, GPUHours: a.gpuHours(c), Risk: record.Unknown()}
		one.Cost = a.cost(one.GPUHours)
		for g := range a.goals {
			promise := a.promise(t, g, o)
			if k := from[i]; k >= 0 {
				promise.pay(all[k].Promises[g], one.GPUHours-all[k].GPUHours, a.CostPerHour)
			}
			one.Promises = append(one.Promises, promise)
		}
		all = append(all, one)
	}
	return all, k.neighbours(ctx, static, all)
}

// around are the plan and its neighbours, and which of them has one replica less, -1
// where none is there. Of a plan of prefill and decode replicas they have one less or one
// more on either side.
func (a *Asked) around(static Candidate) (all []Candidate, from []int) {
	most := max(a.MaxReplicas, static.Replicas)
	add := func(replicas, prefill, before int) {
		c := static
		c.Replicas, c.Prefill = replicas, prefill
		all, from = append(all, c), append(from, before)
	}
	n, p := static.Replicas, static.Prefill
	if p == 0 {
		for i := max(n-fewer, 1); i <= min(n+more, most); i++ {
			add(i, 0, len(all)-1)
		}
		return all, from
	}
	if p > 1 {
		add(n-1, p-1, -1)
	}
	if n-p > 1 {
		add(n-1, p, -1)
	}
	plan := len(all)
	add(n, p, -1)
	if n < most {
		add(n+1, p+1, plan)
		add(n+1, p, plan)
	}
	return all, from
}

// promise is the worst window of an outcome.
func (a *Asked) promise(t *trust, g int, o *outcome) Promise {
	_, v := o.worst(g)
	return Promise{Objective: a.goals[g].Text, Value: known(v), Expected: t.interval(g, &a.goals[g], v),
		GPUHoursPer10ms: record.Unknown(), CostPer10ms: record.Unknown()}
}

// pay says what the step from a promise of one replica less costs.
func (p *Promise) pay(before Promise, hours, costPerHour float64) {
	gain := (float64(before.Value) - float64(p.Value)) / 0.01
	if !(gain > 0) || math.IsInf(gain, 0) {
		return
	}
	p.GPUHoursPer10ms = record.Number(hours / gain)
	if costPerHour > 0 {
		p.CostPer10ms = record.Number(hours / gain * costPerHour)
	}
}

// known is a number, unknown where it is none.
func known(v float64) record.Number {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return record.Unknown()
	}
	return record.Number(v)
}

// gpuHours is what a static plan takes.
func (a *Asked) gpuHours(c Candidate) float64 { return float64(a.gpus(c)) * a.Load.span().Hours() }

// cost of GPU hours, unknown without a price.
func (a *Asked) cost(gpuHours float64) record.Number {
	if a.CostPerHour == 0 {
		return record.Unknown()
	}
	return record.Number(gpuHours * a.CostPerHour)
}
