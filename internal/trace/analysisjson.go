package trace

import (
	"headway/record"
	"headway/workload/synth"
)

// Analysis is an analysis as JSON: lengths in tokens, shares from 0 to 1, times by
// their unit; what is not known is null.
type Analysis struct {
	Requests  int           `json:"requests"`
	BlockSize int           `json:"block_size"`
	Input     Length        `json:"input_length"`
	Context   Length        `json:"context_length"`
	Unique    Length        `json:"unique_prompt_length"`
	Output    Length        `json:"output_length"`
	HitRate   Length        `json:"theoretical_hit_rate"`
	Blocks    int           `json:"blocks"`
	Distinct  int           `json:"distinct_blocks"`
	Repeated  int           `json:"repeated_blocks"`
	Ambiguous int           `json:"ambiguous_ids"`
	HitBlocks record.Number `json:"ideal_hit_rate_blocks"`
	HitTokens record.Number `json:"ideal_hit_rate_tokens"`
	LRU       []Cache       `json:"lru"`
	Tiers     []Tier        `json:"tiers,omitempty"`
	Timed     int           `json:"timed_requests"`
	Span      record.Number `json:"span_s"`
	Rate      record.Number `json:"rate_rps"`
	Times     int           `json:"distinct_timestamps"`
	Burst     int           `json:"largest_burst"`
	Step      record.Number `json:"timestamps_rounded_ms"`
	Window    record.Number `json:"window_s"`
	VMR       record.Number `json:"variance_over_mean"`
}

// Length is a summary over rows.
type Length struct {
	Count  int           `json:"count"`
	Mean   record.Number `json:"mean"`
	SD     record.Number `json:"std"`
	Min    record.Number `json:"min"`
	P25    record.Number `json:"p25"`
	Median record.Number `json:"median"`
	P75    record.Number `json:"p75"`
	P90    record.Number `json:"p90"`
	P99    record.Number `json:"p99"`
	Max    record.Number `json:"max"`
}

// Cache is the hit rate of one LRU cache of a size, and of the best rule at that size
// (Belady's), which is known of the sizes that the text names.
type Cache struct {
	Blocks     int           `json:"blocks"`
	HitBlocks  record.Number `json:"hit_rate_blocks"`
	HitTokens  record.Number `json:"hit_rate_tokens"`
	BestBlocks record.Number `json:"best_hit_rate_blocks"`
	BestTokens record.Number `json:"best_hit_rate_tokens"`
}

// Tier is what one of several caches below each other adds to those above it.
type Tier struct {
	Name       string        `json:"name"`
	Blocks     int           `json:"blocks"`
	Exclusive  bool          `json:"exclusive"`
	Reach      int           `json:"reach_blocks"`
	HitBlocks  record.Number `json:"hit_rate_blocks"`
	HitTokens  record.Number `json:"hit_rate_tokens"`
	BestBlocks record.Number `json:"best_hit_rate_blocks"`
	BestTokens record.Number `json:"best_hit_rate_tokens"`
}

// AnalysisOf is the document of an analysis; tiers are caches to be compared, or none.
func AnalysisOf(a *synth.Analysis, tiers []synth.Tier) Analysis {
	f, r := a.Arrivals, &a.Reuse
	return Analysis{
		Requests:  len(a.Rows),
		BlockSize: a.BlockSize,
		Input:     lengthOf(a.Input),
		Context:   lengthOf(a.Context),
		Unique:    lengthOf(a.Unique),
		Output:    lengthOf(a.Output),
		HitRate:   lengthOf(a.HitRate),
		Blocks:    r.Blocks,
		Distinct:  r.Distinct,
		Repeated:  r.Repeated,
		Ambiguous: r.Ambiguous,
		HitBlocks: record.Number(r.HitBlocks),
		HitTokens: record.Number(r.HitTokens),
		LRU:       cachesOf(r),
		Tiers:     tiersOf(r, tiers),
		Timed:     f.Count,
		Span:      record.Number(f.Span),
		Rate:      record.Number(f.Rate),
		Times:     f.Distinct,
		Burst:     f.LargestBurst,
		Step:      record.Number(f.Step),
		Window:    record.Number(f.Window),
		VMR:       record.Number(f.VarianceOverMean),
	}
}

func cachesOf(r *synth.Reuse) []Cache {
	var all []Cache
	for _, n := range r.Sizes() {
		blocks, tokens := r.At(n)
		c := Cache{n, record.Number(blocks), record.Number(tokens), record.Unknown(), record.Unknown()}
		if n >= smallestCache || n == r.Distinct {
			blocks, tokens = r.BestAt(n)
			c.BestBlocks, c.BestTokens = record.Number(blocks), record.Number(tokens)
		}
		all = append(all, c)
	}
	return all
}

func tiersOf(r *synth.Reuse, tiers []synth.Tier) []Tier {
	if r.Blocks == 0 {
		return nil
	}
	var all []Tier
	for _, t := range r.Tiers(tiers) {
		all = append(all, Tier{
			Name:       t.Name,
			Blocks:     t.Tier.Blocks,
			Exclusive:  t.Exclusive,
			Reach:      t.Reach,
			HitBlocks:  record.Number(t.LRUBlocks),
			HitTokens:  record.Number(t.LRUTokens),
			BestBlocks: record.Number(t.BestBlocks),
			BestTokens: record.Number(t.BestTokens),
		})
	}
	return all
}

func lengthOf(s synth.Summary) Length {
	return Length{
		Count:  s.Count,
		Mean:   record.Number(s.Mean),
		SD:     record.Number(s.SD),
		Min:    record.Number(s.Min),
		P25:    record.Number(s.P25),
		Median: record.Number(s.Median),
		P75:    record.Number(s.P75),
		P90:    record.Number(s.P90),
		P99:    record.Number(s.P99),
		Max:    record.Number(s.Max),
	}
}
