package profile

import (
	"cmp"
	"slices"
	"strings"

	"headway/internal/interp"
)

// PrefillPoint is what was measured at one prompt length.
type PrefillPoint struct {
	ISL int `json:"isl"`
	// TTFT is in seconds, over repeats with prompts that no cache held. ITL is
	// that of the few tokens that were asked for, in seconds.
	TTFT Figure `json:"ttft_s"`
	ITL  Figure `json:"itl_s,omitzero"`
	// Throughput is prompt tokens per second and GPU: attention ranks · ISL /
	// TTFT / GPUs.
	Throughput Figure `json:"tokens_per_second_per_gpu"`
	Quality
}

// DecodePoint is what was measured with so many requests at a time of one
// prompt length.
type DecodePoint struct {
	ISL      int `json:"isl"`
	OSL      int `json:"osl"`
	Requests int `json:"requests"`
	// KVUsage is the share (0 to 1) of the KV cache that the requests fill when
	// half of their replies is there, and Context the length in tokens of each
	// then: ISL + OSL/2.
	KVUsage float64 `json:"kv_usage"`
	Context float64 `json:"context"`
	// ITL is in seconds: of each repeat the mean over its requests, of these
	// the mean over repeats. TTFT is that of prompts that were in the cache.
	ITL  Figure `json:"itl_s"`
	TTFT Figure `json:"ttft_s"`
	// Throughput is generated tokens per second and GPU, from the first start
	// to the last token.
	Throughput Figure `json:"tokens_per_second_per_gpu"`
	// ServerITL and ServerThroughput are the same in tokens as the server counts them,
	// where the figures above are of the client's counts and every reply has usage.
	ServerITL        Figure `json:"server_itl_s,omitzero"`
	ServerThroughput Figure `json:"server_tokens_per_second_per_gpu,omitzero"`
	// FrontBound is set where the front end made ITL and not the engine; see
	// [Marked]. It follows from all points, and so is not in the journal.
	FrontBound bool `json:"front_end_bound,omitempty"`
	Quality
}

// Quality says how far a point can be trusted.
type Quality struct {
	// Wide is set when the interval of the mean stayed wider than was asked
	// for, after as many repeats as were allowed.
	Wide bool `json:"wide,omitempty"`
	// Failed says why nothing could be measured; the point is then on no curve.
	Failed string `json:"failed,omitempty"`
	// ServerISL is the mean number of prompt tokens that the server counted, 0
	// where it did not say; Cached is the share (0 to 1) of these that it found
	// in its cache, -1 where it did not say.
	ServerISL float64 `json:"server_isl,omitempty"`
	Cached    float64 `json:"cached"`
	// CountedBy is whose counts of tokens the figures are made of, client or
	// server; empty of a simulated engine.
	CountedBy string `json:"tokens_counted_by,omitempty"`
	// Invalid says why a run of the point is not valid, since the client was not
	// good enough for it; empty where all are.
	Invalid string `json:"invalid,omitempty"`
	// Warnings are in sentences.
	Warnings []string `json:"warnings,omitempty"`
	Observed
}

func (q *Quality) warn(text string) {
	if !slices.Contains(q.Warnings, text) {
		q.Warnings = append(q.Warnings, text)
	}
}

// warned are the warnings in one text.
func (q Quality) warned() string { return strings.Join(q.Warnings, "; ") }

// PrefillCurve is TTFT and throughput over the prompt length.
type PrefillCurve struct {
	Facts  Facts          `json:"-"`
	Points []PrefillPoint `json:"points"`
}

// Usable are the points that were measured, by prompt length.
func (c PrefillCurve) Usable() []PrefillPoint {
	ok := slices.DeleteFunc(slices.Clone(c.Points), func(p PrefillPoint) bool { return p.Failed != "" })
	slices.SortFunc(ok, func(a, b PrefillPoint) int { return cmp.Compare(a.ISL, b.ISL) })
	return ok
}

// Qualities are those of all points.
func (c PrefillCurve) Qualities() []Quality {
	var all []Quality
	for _, p := range c.Points {
		all = append(all, p.Quality)
	}
	return all
}

// Arrays are the curve as Dynamo's planner reads it: prefill_isl in tokens,
// prefill_ttft in milliseconds, prefill_thpt_per_gpu in tokens per second and
// GPU.
func (c PrefillCurve) Arrays() []interp.NamedArray {
	var isl, ttft, rate []float64
	for _, p := range c.Usable() {
		isl, ttft, rate = append(isl, float64(p.ISL)), append(ttft, 1e3*p.TTFT.Mean), append(rate, p.Throughput.Mean)
	}
	return []interp.NamedArray{whole("prefill_isl", isl), real("prefill_ttft", ttft),
		real("prefill_thpt_per_gpu", rate)}
}

// DecodeSurface is ITL and throughput over the share of the KV cache in use and
// the context length.
type DecodeSurface struct {
	Facts  Facts         `json:"-"`
	Points []DecodePoint `json:"points"`
}

// Usable are the points that were measured, by context and number of requests.
func (s DecodeSurface) Usable() []DecodePoint {
	ok := slices.DeleteFunc(slices.Clone(s.Points), func(p DecodePoint) bool { return p.Failed != "" })
	slices.SortFunc(ok, func(a, b DecodePoint) int {
		return cmp.Or(cmp.Compare(a.Context, b.Context), cmp.Compare(a.Requests, b.Requests))
	})
	return ok
}

// Qualities are those of all points.
func (s DecodeSurface) Qualities() []Quality {
	var all []Quality
	for _, p := range s.Points {
		all = append(all, p.Quality)
	}
	return all
}

// Arrays are the surface as Dynamo's planner reads it: x_kv_usage (0 to 1),
// y_context_length in tokens, z_itl in milliseconds, z_thpt_per_gpu in tokens
// per second and GPU, and max_kv_tokens, an array of one. Tokens are the server's
// wherever it said how many. What the planner leaves alone is front_end_bound, 1 of
// points whose ITL is the front end's.
func (s DecodeSurface) Arrays() []interp.NamedArray {
	var x, y, itl, rate, front []float64
	for _, p := range s.Usable() {
		between, tokens := p.Served()
		x, y = append(x, p.KVUsage), append(y, p.Context)
		itl, rate = append(itl, 1e3*between), append(rate, tokens)
		front = append(front, 0)
		if p.FrontBound {
			front[len(front)-1] = 1
		}
	}
	return []interp.NamedArray{real("x_kv_usage", x), real("y_context_length", y), real("z_itl", itl),
		real("z_thpt_per_gpu", rate), whole("max_kv_tokens", []float64{float64(s.Facts.KVTokens)}),
		whole("front_end_bound", front)}
}

func real(name string, values []float64) interp.NamedArray {
	return interp.NamedArray{Name: name, Array: interp.Array{Shape: []int{len(values)}, Values: values}}
}

func whole(name string, values []float64) interp.NamedArray {
	a := real(name, values)
	a.Whole = true
	return a
}
