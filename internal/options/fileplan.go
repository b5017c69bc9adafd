package options

import (
	"time"

	"headway/internal/fault"
	"headway/workload"
)

// IsFixed says whether the file's own times are the schedule: where it has
// them, unless that was turned off.
func (p *Plan) IsFixed() bool {
	if p.dataset == nil {
		return false
	}
	if p.FixedSchedule != nil {
		return *p.FixedSchedule
	}
	return p.dataset.Timed
}

// filePlan sends the requests of the input file.
func (p *Plan) filePlan(plan workload.Plan, key workload.Key) (workload.Plan, error) {
	src, err := p.fileSource(&plan, key)
	if err != nil {
		return plan, fault.Usage(err)
	}
	if p.Count.Set {
		src = workload.Limit(src, p.Count.Value)
	}
	bounds := workload.Bounds{MinISL: p.MinISL, MaxISL: p.MaxISL, MinOSL: p.MinOSL, MaxOSL: p.MaxOSL}
	if err := bounds.Validate(); err != nil {
		return plan, fault.Usage(err)
	}
	src = workload.Within(workload.ScaledOutput(src, p.OutputScale), bounds)
	if p.OSL > 0 {
		src = workload.WithOutput(src, key.Named("output"), workload.Length{Mean: p.OSL, SD: p.OSLSD})
	}
	src = workload.WithSystem(src, key.Named("system"), p.SystemLength)
	src = workload.WithSystemText(src, p.systemText)
	if p.NoDelays {
		src = workload.CappedDelays(src, 0)
	}
	if p.DelayCap != nil && *p.DelayCap >= 0 {
		src = workload.CappedDelays(src, time.Duration(*p.DelayCap))
	}
	if p.Cancel > 0 {
		src = workload.Cancelled(src, key.Named("cancel"), p.Cancel/100, time.Duration(p.CancelDelay))
	}
	plan.Source = src
	return plan, nil
}

func (p *Plan) fileSource(plan *workload.Plan, key workload.Key) (workload.Source, error) {
	if p.IsFixed() {
		w := workload.Window{Start: offset(p.StartOffset), End: offset(p.EndOffset), Speedup: p.Speedup}
		w.KeepOffset = p.AutoOffset != nil && !*p.AutoOffset
		return p.dataset.Fixed(w, key)
	}
	name := p.Sampling
	if name == "" {
		name = "sequential"
	}
	strategy, err := workload.ParseSampling(name)
	if err != nil {
		return nil, err
	}
	src := p.dataset.Sample(strategy, key.Named("sampling"))
	law, err := arrivals(p.Rate, p.Pattern, p.Smoothness, p.RateRamp)
	if err != nil {
		return nil, err
	}
	if err := law.Validate(); err != nil {
		return nil, err
	}
	switch {
	case p.Conversations.Set:
		src = firstSessions(src, p.Conversations.Value)
	case !p.Count.Set && plan.Duration == 0:
		// Once through the file, where nothing says how much.
		src = workload.Limit(src, len(p.dataset.Requests))
	case !p.Count.Set:
		plan.Endless = !law.Timed()
	}
	if !law.Timed() && plan.Concurrency == 0 {
		plan.Concurrency = 1
	}
	return workload.Paced(src, law, key.Named("arrival"), plan.Duration), nil
}

// firstSessions ends a source after n sessions.
func firstSessions(src workload.Source, n int) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		begun := 0
		for r, err := range src {
			if r.Turn == 0 {
				if begun == n {
					return
				}
				begun++
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

func offset(ms *float64) *time.Duration {
	if ms == nil {
		return nil
	}
	d := millis(*ms)
	return &d
}

// ArrivalName is the load in a word, for the result's header.
func (p *Plan) ArrivalName() string {
	switch {
	case p.IsFixed():
		return "fixed_schedule"
	case p.Rate.Set && p.Smoothness > 0:
		return "gamma"
	case p.Rate.Set:
		return p.Pattern
	}
	return "concurrency_burst"
}
