package plan

import (
	"context"
	"fmt"

	"headway/internal/fault"
	"headway/record"
)

// Result is a plan, what it costs and how sure it is. Times are in seconds.
type Result struct {
	Trace      string   `json:"trace"`
	Requests   int      `json:"requests"`
	Span       float64  `json:"span_s"`
	Window     float64  `json:"window_s"`
	Windows    int      `json:"windows"`
	Objectives []string `json:"objectives"`
	// CostPerHour is that of a GPU; null where it was not given.
	CostPerHour record.Number `json:"gpu_cost_per_hour"`
	Bounds      []Bound       `json:"bounds"`
	// MaxReplicas is the largest number that was tried.
	MaxReplicas int      `json:"max_replicas"`
	Searched    Searched `json:"searched"`
	// Static is the cheapest plan that does not change; nil where none meets the
	// objectives. Lost are the plans that were replayed and lose a window.
	Static *Static `json:"static"`
	Lost   []Lost  `json:"lost,omitempty"`
	// Beside are the cheapest plans of the other layouts and tiers that were asked for.
	Beside []Beside `json:"beside,omitempty"`
	// Hourly changes by the hour; nil where it was not asked for or makes no difference.
	Hourly *Hourly `json:"hourly,omitempty"`
	// Prices are of the window that decides, within the hour from PricesOf, seconds.
	Prices   []Price `json:"prices,omitempty"`
	PricesOf float64 `json:"prices_of_s"`
}

// Beside is the cheapest plan of a layout with some tiers.
type Beside struct {
	Layout Layout `json:"layout"`
	// Tiers are their names with a plus, empty where there are none.
	Tiers string `json:"tiers"`
	// Plan is nil where none meets the objectives.
	Plan *Static `json:"plan"`
}

// Static is a plan that does not change.
type Static struct {
	Layout   Layout `json:"layout"`
	Tiers    string `json:"tiers,omitempty"`
	Mapping  string `json:"mapping"`
	Router   string `json:"router"`
	Replicas int    `json:"replicas"`
	// Prefill is how many of Replicas only compute prompts, with layout disaggregated;
	// the others only decode.
	Prefill  int           `json:"prefill_replicas,omitempty"`
	GPUs     int           `json:"gpus"`
	GPUHours float64       `json:"gpu_hours"`
	Cost     record.Number `json:"cost"`
	// Bound is the least replicas of the mapping with any router.
	Bound int `json:"bound"`
	// Worst is the worst window of each objective.
	Worst []Worst `json:"worst"`
	Risk  Risk    `json:"risk"`
	// Failed counts requests that no replica could run; they miss every objective.
	Failed int `json:"failed,omitempty"`
}

// Worst is the worst window of an objective.
type Worst struct {
	Objective string        `json:"objective"`
	Window    float64       `json:"window_s"`
	Value     record.Number `json:"value_s"`
	Expected
}

// Hourly is a plan by the hour, of the mapping and the router of the static one.
type Hourly struct {
	Hours    []HourPlan    `json:"hours"`
	GPUHours float64       `json:"gpu_hours"`
	Cost     record.Number `json:"cost"`
	// BoundGPUHours is what a perfect system would take.
	BoundGPUHours float64 `json:"bound_gpu_hours"`
}

// Make finds the plan. The error is that of what is asked for, of a replay, or that ctx
// ended, and then there is no Result; that no plan meets the objectives is none.
func Make(ctx context.Context, a *Asked) (*Result, error) {
	r, err := a.make(ctx)
	switch {
	case err == nil:
		return r, nil
	case ctx.Err() == nil:
		return nil, err
	case a.Steps == nil:
		return nil, fmt.Errorf("the plan was interrupted: %w", context.Cause(ctx))
	}
	return nil, fault.New("the plan was interrupted; what was replayed is kept, and the same call with %s goes on",
		fault.Field("resume"))
}

func (a *Asked) make(ctx context.Context) (*Result, error) {
	if err := a.check(); err != nil {
		return nil, err
	}
	r := a.begin()
	perWindow := make([]needs, len(a.Mappings))
	for m := range a.Mappings {
		var b Bound
		perWindow[m], b = a.bounds(m)
		r.Bounds = append(r.Bounds, b)
	}
	all := a.candidates(r.Bounds, &r.Searched)
	a.tell("%d candidates, %d of them left out by the bound", r.Searched.Candidates, r.Searched.Bounded)
	found, lost, err := a.search(ctx, all, &r.Searched)
	if r.Lost = lost; err != nil || found == nil {
		return r, err
	}
	if err := a.complete(ctx, r, *found, perWindow[found.Mapping]); err != nil {
		return r, err
	}
	return r, a.beside(ctx, r, all, found.kind())
}

func (a *Asked) begin() *Result {
	r := &Result{Trace: a.Load.Name, Requests: len(a.Load.requests), Span: a.Load.span().Seconds(),
		Window: a.Load.Window.Seconds(), Windows: len(a.Load.windows), CostPerHour: a.cost(1),
		MaxReplicas: a.MaxReplicas}
	for _, o := range a.Objectives {
		r.Objectives = append(r.Objectives, o.Text)
	}
	return r
}

// complete says all of a plan that was found.
func (a *Asked) complete(ctx context.Context, r *Result, c Candidate, n needs) error {
	a.tell("%s meets the objectives; what it is worth comes next", a.name(c))
	var t *trust
	var k *risks
	var err error
	if r.Static, t, k, err = a.worth(ctx, c, &r.Bounds[c.Mapping]); err != nil {
		return err
	}
	p := t.part
	if a.Hourly && a.Load.hours() > 1 {
		a.tell("by the hour")
		if r.Hourly, err = a.byTheHour(ctx, c, n); err != nil {
			return err
		}
	}
	if a.Prices {
		a.tell("what the objectives cost")
		r.PricesOf = a.begins(p)
		r.Prices, err = a.prices(ctx, c, p, t, k)
	}
	return err
}

// worth finds what a plan keeps, and how sure that is; the risks are nil where they are
// not known.
func (a *Asked) worth(ctx context.Context, c Candidate, b *Bound) (s *Static, t *trust, k *risks, err error) {
	o, err := a.replay(ctx, c, &a.Mappings[c.Mapping].Twin.Model, a.Load.whole(), true)
	if err != nil {
		return nil, nil, nil, err
	}
	if t, err = a.trusts(ctx, c, a.tightest(o), o); err != nil {
		return nil, nil, nil, err
	}
	s = a.static(c, o, t, b.Replicas)
	if k = a.newRisks(o, t); k == nil {
		s.Risk = unknownRisk(t.why, len(a.Load.windows))
		return s, t, nil, nil
	}
	s.Risk, err = k.of(ctx, c, a.Loads)
	return s, t, k, err
}

// beside finds the cheapest plans of the other layouts and tiers.
func (a *Asked) beside(ctx context.Context, r *Result, all []Candidate, not kind) error {
	for _, kind := range a.kinds() {
		if kind == not {
			continue
		}
		a.tell("beside it: %s%s", kind.layout, a.withTiers(kind.tiers))
		var of []Candidate
		for _, c := range all {
			if c.kind() == kind {
				of = append(of, c)
			}
		}
		b := Beside{Layout: kind.layout, Tiers: a.Mappings[0].tiers(kind.tiers)}
		found, _, err := a.search(ctx, of, &Searched{})
		if err == nil && found != nil {
			b.Plan, _, _, err = a.worth(ctx, *found, &r.Bounds[found.Mapping])
		}
		if err != nil {
			return err
		}
		r.Beside = append(r.Beside, b)
	}
	return nil
}

func (a *Asked) withTiers(n int) string {
	if n == 0 {
		return ""
	}
	return " with " + a.Mappings[0].tiers(n)
}

func (a *Asked) static(c Candidate, o *outcome, t *trust, bound int) *Static {
	s := &Static{Mapping: a.Mappings[c.Mapping].Name, Router: a.Routers[c.Router].String(), Replicas: c.Replicas,
		Prefill: c.Prefill, Layout: c.kind().layout, Tiers: a.Mappings[c.Mapping].tiers(c.Tiers),
		GPUs: a.gpus(c), GPUHours: a.gpuHours(c), Cost: a.cost(a.gpuHours(c)), Bound: bound,
		Failed: o.failed}
	for g := range a.goals {
		at, v := o.worst(g)
		s.Worst = append(s.Worst, Worst{Objective: a.goals[g].Text, Window: a.Load.windows[at].begin.Seconds(),
			Value: known(v), Expected: t.interval(g, &a.goals[g], v)})
	}
	return s
}

func (a *Asked) byTheHour(ctx context.Context, c Candidate, n needs) (*Hourly, error) {
	hours, err := a.hourly(ctx, c, n)
	if err != nil {
		return nil, err
	}
	h := &Hourly{Hours: hours}
	each := float64(a.Mappings[c.Mapping].GPUs)
	for _, one := range hours {
		h.GPUHours += float64(one.Replicas) * each * one.Hours
		h.BoundGPUHours += float64(one.Bound) * each * one.Hours
	}
	h.Cost = a.cost(h.GPUHours)
	return h, nil
}
