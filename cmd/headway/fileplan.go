package main

import (
	"errors"
	"fmt"
	"time"

	"headway/record"
	"headway/workload"
)

// load reads the input file, so that its faults are known before anything is
// sent. Options that do not go with what is in the file are faults too.
func (p *planFlags) load() error {
	if p.InputFile == "" {
		return nil
	}
	o := workload.ReadOptions{Lenient: p.Lenient, AllTurns: p.AllTurns, BlockSize: p.BlockTokens, PartialIDs: p.PartialIDs, LogType: p.LogType}
	if p.StartOffset == nil && (p.Sampling == "" || p.Sampling == "sequential") {
		o.Limit = p.Count.value // what comes later in the file cannot be asked for
	}
	if p.DatasetType != "" {
		var err error
		if o.Format, err = workload.ParseFormat(p.DatasetType); err != nil {
			return usageError{err}
		}
	}
	d, err := workload.ReadFile(p.InputFile, o)
	if errors.Is(err, workload.ErrNotBuilt) {
		return notBuilt{err.Error(), "rows with lengths, text or messages are built"}
	}
	if err != nil {
		return usageError{err}
	}
	p.dataset = d
	how, err := workload.ParseSpread(p.Spread)
	if err != nil {
		return usageError{err}
	}
	d.Spread(how, workload.Seed(0).Named("spread"))
	var bad faultList
	if p.isFixed() && p.Rate.set {
		bad.add("--request-rate %g with %s, which has timestamps: give --no-fixed-schedule to send it at the rate", p.Rate.value, p.InputFile)
	}
	if p.isFixed() && p.Conversations.set {
		bad.add("--conversation-num with a fixed schedule: use --fixed-schedule-end-offset or --request-count")
	}
	if !p.isFixed() && (p.StartOffset != nil || p.EndOffset != nil || p.AutoOffset != nil || p.Speedup != 1) {
		bad.add("--fixed-schedule-start-offset, -end-offset, -auto-offset and --synthesis-speedup-ratio need a file with timestamps and a fixed schedule")
	}
	if p.isFixed() && p.given["dataset-sampling-strategy"] {
		bad.add("--dataset-sampling-strategy: a fixed schedule has the file's order; give --no-fixed-schedule")
	}
	return bad.err()
}

// fileWarnings are what a reader of the result must know of the file.
func (p *planFlags) fileWarnings() []record.Warning {
	d := p.dataset
	if d == nil {
		return nil
	}
	var list []record.Warning
	add := func(code, text string) { list = append(list, record.Warning{Code: code, Text: text}) }
	if d.Skipped > 0 {
		add("lines_skipped", fmt.Sprintf("%d entries of %s were passed over; the first: %v", d.Skipped, d.Name, d.FirstSkip))
	}
	if p.isFixed() && p.Spread == "none" {
		if text := d.Rounded().Warning(); text != "" {
			add("rounded_timestamps", text)
		}
	}
	if d.LiveTurns > 0 || d.RecordedTurns > 0 {
		add("history", fmt.Sprintf("later turns: %d with the server's own replies in their history, %d with the recorded ones", d.LiveTurns, d.RecordedTurns))
	}
	return list
}

// isFixed says whether the file's own times are the schedule: where it has
// them, unless that was turned off.
func (p *planFlags) isFixed() bool {
	if p.dataset == nil {
		return false
	}
	if p.FixedSchedule != nil {
		return *p.FixedSchedule
	}
	return p.dataset.Timed
}

// filePlan sends the requests of the input file.
func (p *planFlags) filePlan(plan workload.Plan, key workload.Key) (workload.Plan, error) {
	src, err := p.fileSource(&plan, key)
	if err != nil {
		return plan, usageError{err}
	}
	if p.Count.set {
		src = workload.Limit(src, p.Count.value)
	}
	bounds := workload.Bounds{MinISL: p.MinISL, MaxISL: p.MaxISL, MinOSL: p.MinOSL, MaxOSL: p.MaxOSL}
	if err := bounds.Validate(); err != nil {
		return plan, usageError{err}
	}
	src = workload.Within(workload.ScaledOutput(src, p.OutputScale), bounds)
	if p.OSL > 0 {
		src = workload.WithOutput(src, key.Named("output"), workload.Length{Mean: p.OSL, SD: p.OSLSD})
	}
	src = workload.WithSystem(src, key.Named("system"), p.SystemLength)
	if p.Cancel > 0 {
		src = workload.Cancelled(src, key.Named("cancel"), p.Cancel/100, time.Duration(p.CancelDelay))
	}
	plan.Source = src
	return plan, nil
}

func (p *planFlags) fileSource(plan *workload.Plan, key workload.Key) (workload.Source, error) {
	if p.isFixed() {
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
	case p.Conversations.set:
		src = firstSessions(src, p.Conversations.value)
	case !p.Count.set && plan.Duration == 0:
		// Once through the file, where nothing says how much.
		src = workload.Limit(src, len(p.dataset.Requests))
	case !p.Count.set:
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

// arrivalName is the load in a word, for the result's header.
func (p *planFlags) arrivalName() string {
	switch {
	case p.isFixed():
		return "fixed_schedule"
	case p.Rate.set && p.Smoothness > 0:
		return "gamma"
	case p.Rate.set:
		return p.Pattern
	}
	return "concurrency_burst"
}
