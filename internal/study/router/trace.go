package router

import (
	"fmt"
	"strconv"

	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/study"
	"headway/workload"
)

// Trace plays a trace on its schedule, at each of several speeds. Notes call
// options by the name that they are given.
func Trace(o options.Trace, speeds options.Speeds, seed uint64, name func(fault.Field) string) (Benchmark, error) {
	p, err := read(o, seed, name)
	if err != nil {
		return Benchmark{}, err
	}
	if !p.first.Timed {
		return Benchmark{}, fmt.Errorf("%s has no timestamps, so there is no schedule to play; "+
			"headway router sessions plays it at a concurrency", p.first.Name)
	}
	b := p.benchmark("trace")
	for _, x := range speeds.Sweep {
		w := workload.Window{Speedup: o.Speedup * x}
		rate, err := p.rate(w)
		if err != nil {
			return Benchmark{}, err
		}
		b.Loads = append(b.Loads, Load{Name: "speedup_" + slug(w.Speedup), X: threeDigits(rate), Rate: rate,
			Arrivals: schedule, Plan: p.plan(w)})
	}
	if len(b.Loads) > 1 {
		b.Axis = "request_rate"
	}
	return b, nil
}

// Priority is Dynamo's priority benchmark: a trace on its schedule, or all at once
// where it has none, without and with priorities. Notes call options by the name
// that they are given.
func Priority(o options.Trace, tiers options.Tiers, seed uint64, name func(fault.Field) string) (Benchmark, error) {
	p, err := read(o, seed, name)
	if err != nil {
		return Benchmark{}, err
	}
	w := workload.Window{Speedup: o.Speedup}
	rate, err := p.rate(w)
	if err != nil {
		return Benchmark{}, err
	}
	b := p.benchmark("priority")
	b.Loads = []Load{{Name: "speedup_" + slug(o.Speedup), Rate: rate, Arrivals: schedule, Plan: p.plan(w)}}
	b.Tiers = study.NewTiers(tiers.Shares, tiers.Values, seed)
	b.Notes = append(b.Notes, "without and with priorities: the same requests at the same times with the same tiers, "+
		"each time with text of its own")
	return b, nil
}

// benchmark is one of the trace, without loads.
func (p *played) benchmark(name string) Benchmark {
	return Benchmark{Name: name, Files: []string{p.options.Dataset, p.options.Model}, Fixed: p.options.Recorded(),
		Talks: p.first.Sessions < len(p.first.Requests), Notes: p.notes, Warnings: p.warnings}
}

// plan plays the trace within a window.
func (p *played) plan(w workload.Window) func(workload.Key, int) (workload.Plan, error) {
	return func(key workload.Key, repeat int) (workload.Plan, error) {
		d, err := p.rows(repeat)
		if err != nil {
			return workload.Plan{}, err
		}
		src, err := d.Fixed(w, key)
		return workload.Plan{Source: src}, err
	}
}

// rate is the mean rate of the schedule in requests per second, 0 where all come
// at once.
func (p *played) rate(w workload.Window) (float64, error) {
	src, err := p.first.Fixed(w, 0)
	if err != nil {
		return 0, err
	}
	n, span := 0, 0.0
	for r, err := range src {
		if err != nil {
			return 0, err
		}
		n++
		if r.Timed {
			span = max(span, r.At.Seconds())
		}
	}
	if span == 0 {
		return 0, nil
	}
	return float64(n-1) / span, nil
}

// threeDigits is a number as it stands on an axis.
func threeDigits(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 3, 64), 64)
	if err != nil {
		return x
	}
	return y
}

// tooFew is the error of a file that has fewer rows than are to be played.
func tooFew(o options.Trace, has int) error {
	return fault.New("%s %d: %s has %d; `headway trace synthesize` draws as many as asked for, and so does %s here",
		fault.Field("num-requests"), o.Requests, o.Dataset, has, fault.Field("no-keep-correlation"))
}
