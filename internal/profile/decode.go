package profile

import (
	"context"
	"errors"
	"fmt"

	"headway/internal/fault"
)

// MeasureDecode measures ITL and decode throughput over the share of the KV cache
// in use and the context length, on the grid of [DecodeGrid],
// [CacheRequests] and [RequestNumbers], as Dynamo's profiler does: replies of 500 tokens, prompts
// that are in the cache since they were sent once before, all requests of a
// point at once. ITL is the mean over requests, throughput what was generated
// from the first start to the last token.
//
// The engine must say how many tokens its cache holds. Prompts are sent for the
// first time with one token of reply, and that they were answered is checked; a
// repeat is taken with a warning when the server did not find them in its cache
// or did not run all requests at once. Failures are as in [MeasurePrefill].
func MeasureDecode(ctx context.Context, e Subject, s Grid) (DecodeSurface, error) {
	b, err := newProber(e, s, Decode)
	if err != nil {
		return DecodeSurface{}, err
	}
	surface := DecodeSurface{Facts: b.facts}
	grid, err := b.decodeGrid()
	if err != nil {
		return surface, err
	}
	b.points = len(grid)
	for i, at := range grid {
		p, known := b.Journal.decode(at.ISL, at.Requests)
		if !known {
			if p, err = b.decode(ctx, i+1, at); err == nil {
				err = b.Journal.keep(journalLine{Decode: &p}, p.Failed)
			}
			if err != nil {
				return surface, fmt.Errorf("measuring %s: %w", at.Name(), err)
			}
		}
		surface.Points = append(surface.Points, p)
		b.tell(Step{Point: i + 1, Name: p.Name(), Done: true, Result: p.String(), Warnings: p.Warnings})
	}
	if ok := surface.Usable(); len(ok) < 2 {
		return surface, fmt.Errorf("profiling the engine's decode: %d of %d points were measured, which makes no "+
			"surface; the last failure: %s",
			len(ok), len(grid), lastFailure(surface.Points, func(p DecodePoint) string { return p.Failed }))
	}
	return surface, nil
}

// decodeGrid is the points to measure.
func (b *prober) decodeGrid() ([]DecodePoint, error) {
	if b.facts.KVTokens <= 0 {
		return nil, fault.New("profiling the engine's decode: it is not known how many tokens the engine's KV "+
			"cache holds (%s); its log says it at the start",
			fault.Field("max-kv-tokens"))
	}
	lengths, err := DecodeGrid(b.MaxContext, b.Granularity)
	if err != nil {
		return nil, err
	}
	var grid []DecodePoint
	for _, isl := range lengths {
		osl := b.ReplyTokens
		for _, n := range RequestNumbers(b.facts.AttentionDP,
			b.facts.running(CacheRequests(b.facts.KVTokens, isl, osl)), b.Granularity) {
			at := float64(isl + osl/2)
			grid = append(grid, DecodePoint{ISL: isl, OSL: osl, Requests: n, Context: at,
				KVUsage: at * float64(n) / float64(b.facts.KVTokens), Quality: Quality{Cached: -1}})
		}
	}
	if len(grid) == 0 {
		return nil, fmt.Errorf("profiling the engine's decode: a KV cache of %d tokens does not hold one request of "+
			"%d tokens and its reply of %d on %s",
			b.facts.KVTokens, lengths[0], b.ReplyTokens, counted(b.facts.AttentionDP, "attention rank"))
	}
	return grid, nil
}

// Name is the point's load in words.
func (p DecodePoint) Name() string {
	return counted(p.Requests, "request") + fmt.Sprintf(" of %d tokens", p.ISL)
}

// String is the point in a few words.
func (p DecodePoint) String() string {
	if p.Failed != "" {
		return "failed: " + p.Failed
	}
	return "ITL " + words(p.ITL, 1e3, "ms") + ", " + words(p.Throughput, 1, "tokens/s/GPU")
}

// decode measures one point.
func (b *prober) decode(ctx context.Context, number int, p DecodePoint) (DecodePoint, error) {
	at := Step{Point: number, Name: p.Name()}
	key := b.key.Named("isl").Index(p.ISL).Named("requests").Index(p.Requests)
	b.begin(fmt.Sprintf("isl_%d_requests_%d", p.ISL, p.Requests))
	b.tell(at)
	full := false
	fill := func() error {
		if full {
			return nil
		}
		if err := b.prepare(ctx, "fill", requests{key, p.Requests, p.Requests, p.ISL, 1}); err != nil {
			return fmt.Errorf("filling the cache: %w", err)
		}
		full = true
		return nil
	}
	var itl, ttft, rate, served, serverRate []float64
	err := b.series(ctx, at, &p.Quality, func(repeat int) (float64, error) {
		if err := fill(); err != nil {
			return 0, err
		}
		r, err := b.repeat(ctx, repeat, requests{key, p.Requests, p.Requests, p.ISL, p.OSL})
		if err != nil {
			return 0, err
		}
		generated, ok := r.throughput()
		if !ok {
			return 0, errors.New("the replies took no time that could be measured")
		}
		between, known := mean(r.itl)
		if !known {
			return 0, errors.New("no reply was read often enough to tell the time between its tokens")
		}
		r.notes(&p.Quality, p.ISL, p.OSL)
		r.steady(&p.Quality, p.ISL)
		first, _ := mean(r.ttft)
		itl, ttft = append(itl, between), append(ttft, first)
		rate = append(rate, generated/float64(b.facts.GPUs))
		if r.otherwise() {
			v, _ := mean(r.between())
			served = append(served, v)
			serverRate = append(serverRate, generated*r.generated/r.counted/float64(b.facts.GPUs))
		}
		return between, nil
	})
	if len(served) == len(itl) {
		p.ServerITL, p.ServerThroughput = figureOf(served), figureOf(serverRate)
	}
	p.ITL, p.TTFT, p.Throughput = figureOf(itl), figureOf(ttft), figureOf(rate)
	return p, err
}

// steady warns of what makes ITL something else than that of the point: prompts
// that were computed again, and requests that waited for others to end.
func (r *reading) steady(q *Quality, isl int) {
	if n, ok := mean(r.cached); ok && float64(isl)-n > max(templateTokens, 0.1*float64(isl)) {
		q.warn(fault.Text(r.name,
			"only %.0f of %d prompt tokens were in the cache, so that prefill is part of what was measured: "+
				"is prefix caching on, and does the cache hold as much as %s says?", n, isl,
			fault.Field("max-kv-tokens")))
	}
	if !r.together() {
		q.warn("not all requests ran at once: some began after others had ended, so that less of the cache was in " +
			"use than is said")
	}
}
