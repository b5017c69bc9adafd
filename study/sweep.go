package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"headway/endpoint"
	"headway/internal/settings"
	"headway/internal/study"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// Sweep measures the endpoint with several numbers of requests in flight, one after the
// other, into Dir/c<N> where there is a folder. plan makes what is sent at a level; its
// key is that of the level alone, so that no level finds prompts of another in the
// server's cache. The level's number becomes the plan's Concurrency.
//
// Levels that were measured before an error or the end of ctx are returned with it. One
// at which every request failed is no error, and the sweep goes on: its Result has the
// failures.
func Sweep(ctx context.Context, e *endpoint.Endpoint, levels []int,
	plan func(concurrency int, key workload.Key) workload.Plan, o Options) ([]report.Level, error) {
	asked, err := o.settings(e, levels)
	if err != nil {
		return nil, err
	}
	s := study.Sweep{Dir: o.Dir, Levels: levels, Runs: 1, Overwrite: o.Overwrite, Settings: asked}
	s.Measure = func(level, _ int, dir string) (study.Measurement, error) {
		if level < 1 {
			return study.Measurement{}, fmt.Errorf("study: concurrency %d: must be at least 1", level)
		}
		name := fmt.Sprintf("c%d", level)
		p := plan(level, workload.Stream{Run: "sweep", Level: name}.Key(o.Seed))
		p.Concurrency = level
		m, err := measurement(ctx, e, p, o)
		if err != nil {
			err = fmt.Errorf("study: %s: %w", name, err)
		}
		return in(m, dir), err
	}
	if o.Dir == "" {
		return measureLevels(ctx, s)
	}
	release, err := report.Claim(o.Dir, "a sweep of a program")
	if err != nil {
		return nil, fmt.Errorf("study: Options.Dir: %w", err)
	}
	defer release()
	done, err := s.Run(ctx)
	if errors.Is(err, study.ErrHasResults) {
		return nil, fmt.Errorf("study: %s: %w", o.Dir, ErrHasResults)
	}
	var all []report.Level
	for _, l := range done {
		all = append(all, report.Level{Runs: l.Reports})
	}
	return all, err
}

// measureLevels is a sweep that keeps no files.
func measureLevels(ctx context.Context, s study.Sweep) (all []report.Level, err error) {
	for _, level := range s.Levels {
		m, err := s.Measure(level, 0, "")
		if err != nil {
			return all, err
		}
		rep, err := m.Run(ctx)
		if rep != nil {
			all = append(all, report.Level{Runs: []*report.Report{rep}})
		}
		if err != nil || ctx.Err() != nil {
			return all, err
		}
	}
	return all, nil
}

// settings are what tells one sweep from another.
func (o Options) settings(e *endpoint.Endpoint, levels []int) (settings.Settings, error) {
	asked, err := json.Marshal(struct {
		Levels   []int
		Seed     uint64
		Endpoint record.Header
	}{levels, o.Seed, e.Header()})
	if err != nil {
		return nil, fmt.Errorf("study: describing the sweep: %w", err)
	}
	return settings.Read(asked)
}
