package study

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"headway/internal/options"
	"headway/metric"
	"headway/record"
)

// kept are the options of a run that its files are made by, under their names on
// the command line; where the header has none they are as by default.
type kept struct {
	Goodput       []string `json:"goodput"`
	Objectives    []string `json:"objective"`
	Preset        string   `json:"slo-preset"`
	PerChunkUsage bool     `json:"per-chunk-usage"`
	ChunkRule     string   `json:"chunk-rule"`
	Level         string   `json:"export-level"`
	Compression   string   `json:"export-compression"`
	HTTPTrace     bool     `json:"export-http-trace"`
	Parquet       bool     `json:"export-parquet"`

	// Runs and what was between them.
	Runs       int           `json:"num-profile-runs"`
	Until      []string      `json:"until"`
	Confidence float64       `json:"confidence-level"`
	Cooldown   time.Duration `json:"profile-run-cooldown-seconds"`

	// Tiers of `router priority`: their shares of the requests and their hints.
	Shares []float64 `json:"priority-distribution"`
	Hints  []float64 `json:"priority-values"`
}

// optionsOf are the metrics of a run and its options, as its header has them.
func optionsOf(h record.Header) (metric.Options, kept, error) {
	var c kept
	fixed := h.Arrivals == "fixed_schedule"
	o := metric.Options{Clock: record.ClockAt(h.Origin), Streaming: h.Streaming, NumGPUs: h.NumGPUs,
		AsAiperf: h.AsAiperf}
	o.FixedSchedule = fixed && !virtual(h) // nothing is late in virtual time
	if len(h.Config) > 0 {
		if err := json.Unmarshal(h.Config, &c); err != nil {
			return o, c, fmt.Errorf("reading the run's options: %w", err)
		}
	}
	if h.Rate == 0 && !fixed {
		o.Concurrency = h.Concurrency
	}
	o.PerChunkUsage = c.PerChunkUsage
	var errs []error
	keep := func(err error) { errs = append(errs, err) }
	if h.TokenCount != "" {
		var err error
		o.Tokens, err = metric.ParseTokenSource(h.TokenCount)
		keep(err)
	}
	if c.ChunkRule != "" {
		var err error
		o.ChunkRule, err = metric.ParseChunkRule(c.ChunkRule)
		keep(err)
	}
	for _, text := range c.Goodput {
		list, err := metric.ParseGoodput(text)
		o.Goodput = append(o.Goodput, list...)
		keep(err)
	}
	for _, text := range append(options.PresetGoals(c.Preset), c.Objectives...) {
		one, err := metric.ParseObjective(text)
		o.Objectives = append(o.Objectives, one)
		keep(err)
	}
	if err := errors.Join(errs...); err != nil {
		return o, c, fmt.Errorf("reading the run's options: %w", err)
	}
	return o, c, nil
}

// virtual says that a run was in virtual time, which begins in 1970.
func virtual(h record.Header) bool { return h.Simulated && h.Origin.Unix() == 0 }
