package main

import (
	"encoding/json"
	"math"

	"headway/workload/synth"
)

// figure is a number in a JSON document; what is not known is null.
type figure float64

// MarshalJSON writes null for what is not a number.
func (f figure) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// lengthDocument is a summary over rows.
type lengthDocument struct {
	Count  int    `json:"count"`
	Mean   figure `json:"mean"`
	SD     figure `json:"std"`
	Min    figure `json:"min"`
	P25    figure `json:"p25"`
	Median figure `json:"median"`
	P75    figure `json:"p75"`
	P90    figure `json:"p90"`
	P99    figure `json:"p99"`
	Max    figure `json:"max"`
}

// reusePoint is the hit rate of one LRU cache of a size.
type reusePoint struct {
	Blocks    int    `json:"blocks"`
	HitBlocks figure `json:"hit_rate_blocks"`
	HitTokens figure `json:"hit_rate_tokens"`
}

// analysisDocument is what `trace analyze --json` prints: lengths in tokens,
// shares from 0 to 1, times by their unit.
func analysisDocument(a *synth.Analysis) any {
	length := func(s synth.Summary) lengthDocument {
		return lengthDocument{s.Count, figure(s.Mean), figure(s.SD), figure(s.Min), figure(s.P25), figure(s.Median), figure(s.P75), figure(s.P90), figure(s.P99), figure(s.Max)}
	}
	var reuse []reusePoint
	for _, n := range a.Reuse.Sizes() {
		blocks, tokens := a.Reuse.At(n)
		reuse = append(reuse, reusePoint{n, figure(blocks), figure(tokens)})
	}
	type document struct {
		Requests  int            `json:"requests"`
		BlockSize int            `json:"block_size"`
		Input     lengthDocument `json:"input_length"`
		Context   lengthDocument `json:"context_length"`
		Unique    lengthDocument `json:"unique_prompt_length"`
		Output    lengthDocument `json:"output_length"`
		HitRate   lengthDocument `json:"theoretical_hit_rate"`
		Blocks    int            `json:"blocks"`
		Distinct  int            `json:"distinct_blocks"`
		Repeated  int            `json:"repeated_blocks"`
		Ambiguous int            `json:"ambiguous_ids"`
		HitBlocks figure         `json:"ideal_hit_rate_blocks"`
		HitTokens figure         `json:"ideal_hit_rate_tokens"`
		LRU       []reusePoint   `json:"lru"`
		Timed     int            `json:"timed_requests"`
		Span      figure         `json:"span_s"`
		Rate      figure         `json:"rate_rps"`
		Times     int            `json:"distinct_timestamps"`
		Burst     int            `json:"largest_burst"`
		Step      figure         `json:"timestamps_rounded_ms"`
		Window    figure         `json:"window_s"`
		VMR       figure         `json:"variance_over_mean"`
	}
	f := a.Arrivals
	return document{
		Requests: len(a.Rows), BlockSize: a.BlockSize, Input: length(a.Input), Context: length(a.Context), Unique: length(a.Unique),
		Output: length(a.Output), HitRate: length(a.HitRate), Blocks: a.Reuse.Blocks, Distinct: a.Reuse.Distinct, Repeated: a.Reuse.Repeated,
		Ambiguous: a.Reuse.Ambiguous, HitBlocks: figure(a.Reuse.HitBlocks), HitTokens: figure(a.Reuse.HitTokens), LRU: reuse,
		Timed: f.Count, Span: figure(f.Span), Rate: figure(f.Rate), Times: f.Distinct, Burst: f.LargestBurst, Step: figure(f.Step),
		Window: figure(f.Window), VMR: figure(f.VarianceOverMean),
	}
}
