package profile

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"headway/internal/model"
	"headway/metric"
	"headway/record"
	"headway/workload"
)

// Trial is a load that was put on a candidate, and what came of it.
type Trial struct {
	// Concurrency is how many requests ran at a time.
	Concurrency int `json:"concurrency"`
	// TTFT and ITL are in seconds. A decode's TTFT is that of prompts that are
	// in the cache, and a prefill's ITL that of its few tokens.
	TTFT Figure `json:"ttft_s"`
	ITL  Figure `json:"itl_s"`
	// Throughput is in tokens per second and GPU: prompt tokens of a prefill,
	// generated ones of a decode.
	Throughput Figure `json:"tokens_per_second_per_gpu"`
	// Failed is how many requests the engine failed. A failed request has an
	// infinite latency, so that the trial meets no target.
	Failed int `json:"failed_requests,omitempty"`
	// Seconds is what it took in the engine's time, warm-up included.
	Seconds  float64  `json:"seconds"`
	Warnings []string `json:"warnings,omitempty"`
}

// latency is the one that the phase's target bounds.
func (t Trial) latency(p Phase) Figure {
	if p == Prefill {
		return t.TTFT
	}
	return t.ITL
}

// meets reports whether the trial keeps a phase's target (seconds).
func (t Trial) meets(p Phase, target float64) bool {
	return t.Failed == 0 && t.latency(p).Mean <= target
}

// keepsBoth reports whether the trial of whole requests keeps both targets.
func (t Trial) keepsBoth(target Target) bool {
	return t.meets(Prefill, target.TTFT) && t.meets(Decode, target.ITL)
}

// lost counts requests that failed.
func (t *Trial) lost(failed, sent int, why string) {
	if failed > 0 {
		t.Failed += failed
		t.warn("%d of %d requests failed, so that the load meets no target: %s", failed, sent, why)
	}
}

// The fixed sizes of a prefill's measurement, those of Dynamo's profiler.
const (
	prefillOSL    = 5
	warmups       = 3 // requests for each attention rank
	burstPerRank  = 4 // requests of a burst, where there are several ranks
	usableReplies = 0.9
	cachedEnough  = 0.9 // share of a decode's prompts that must be in the cache
)

// probe measures one engine.
type probe struct {
	engine   Engine
	mapping  model.Mapping
	opened   Phase // what the engine was set up for
	isl, osl int
	key      workload.Key

	spent time.Duration // in the engine's time
	runs  int           // made, so that every one has prompts of its own
	held  int           // prompts of the key "cache" that were sent once
	blind bool          // the engine does not say what it found in its cache
}

// tally is a sink that keeps what a trial needs of its Records.
type tally struct {
	ttft, itl      []float64
	latency        []float64
	output         int
	sent, valid    int
	prompt, cached int
	saysCached     bool
	failure        string
}

// Take adds a Record.
func (t *tally) Take(r *record.Record) error {
	t.sent++
	if !metric.Valid(r) {
		if f, ok := metric.FailureOf(r); ok && t.failure == "" {
			t.failure = f.Message
		}
		return nil
	}
	t.valid++
	if v, ok := metric.TTFT(r); ok {
		t.ttft = append(t.ttft, v)
	}
	if v, ok := metric.ITL(r); ok {
		t.itl = append(t.itl, v)
	}
	if v, ok := metric.RequestLatency(r); ok {
		t.latency = append(t.latency, v)
	}
	if v, ok := metric.OSL(r); ok {
		t.output += int(v)
	}
	if n, ok := r.Usage["prompt_cache_read_tokens"]; ok {
		t.saysCached = true
		t.cached += n
		t.prompt += r.Usage["prompt_tokens"]
	}
	return nil
}

// hitRate is the share of prompt tokens that were in the cache, as the engine
// says it.
func (t *tally) hitRate() float64 {
	if t.prompt == 0 {
		return 0
	}
	return float64(t.cached) / float64(t.prompt)
}

// prompts are requests from to upto of a key; equal arguments give equal
// prompts.
func prompts(key workload.Key, from, upto, isl, osl int) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for i := from; i < upto; i++ {
			k := key.Index(i)
			r := workload.Request{
				Index: i - from, Session: strconv.FormatUint(uint64(k), 36), Turns: 1,
				Prompt: workload.Prompt{Tokens: isl, Key: k}, OutputTokens: osl,
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

// send runs so many requests at once.
func (p *probe) send(ctx context.Context, src workload.Source, n int) (*tally, time.Duration, error) {
	return p.drive(ctx, workload.Plan{Source: src, Requests: n, Concurrency: n, Grace: -1})
}

func (p *probe) drive(ctx context.Context, plan workload.Plan) (*tally, time.Duration, error) {
	t := &tally{}
	span, err := p.engine.Run(ctx, plan, t)
	p.spent += span
	p.runs++
	switch {
	case err != nil:
		return t, span, err
	case ctx.Err() != nil:
		return t, span, context.Cause(ctx)
	case t.valid == 0 && t.failure != "":
		return t, span, fmt.Errorf("none of %d requests was answered: %s", t.sent, t.failure)
	case float64(t.valid) < usableReplies*float64(plan.Requests):
		return t, span, fmt.Errorf("only %d of %d requests were answered: %s", t.valid, plan.Requests, t.failure)
	}
	return t, span, nil
}

// fresh is a key that no run of this engine had before.
func (p *probe) fresh() workload.Key { return p.key.Named("run").Index(p.runs) }

// ranks is the engine's attention-DP size.
func (p *probe) ranks() int { return max(p.engine.Facts().AttentionDP, 1) }

// gpus is how many the engine uses.
func (p *probe) gpus() float64 { return float64(max(p.engine.Facts().GPUs, 1)) }

// prefill measures prompts that no cache holds, on an engine that was set up
// for them: one at a time, or, with d
// attention ranks, bursts of 4·d, of which each rank computes four in a row. The
// last of those has waited for three prompts and their tokens, so that
//
//	TTFT = (largest TTFT − ITL·(5−1)·(4−1)) / 4
//
// as in Dynamo's profiler of 2026. A worker that was set up to decode computes
// all prompts of a rank at once; it gets one prompt a rank, and TTFT is the
// median of them. Throughput is d·ISL/TTFT per second.
func (p *probe) prefill(ctx context.Context, repeats int) (Trial, error) {
	before, d := p.spent, p.ranks()
	n := 1
	if d > 1 && p.opened == Prefill {
		n = burstPerRank * d
	} else {
		n = d
	}
	trial := Trial{Concurrency: n}
	if _, _, err := p.send(ctx, prompts(p.fresh(), 0, warmups*d, p.isl, prefillOSL), d); err != nil {
		return trial, fmt.Errorf("warming up: %w", err)
	}
	var ttft, itl, rate []float64
	for range repeats {
		t, _, err := p.send(ctx, prompts(p.fresh(), 0, n, p.isl, prefillOSL), n)
		if err != nil {
			return trial, err
		}
		trial.lost(t.sent-t.valid, t.sent, t.failure)
		if len(t.ttft) == 0 || len(t.itl) == 0 {
			return trial, errors.New("no reply had a first and a second token that could be told apart")
		}
		between := figureOf(t.itl).Mean
		first := median(t.ttft)
		if n > d {
			first = largest(t.ttft)
			first = (first - between*(prefillOSL-1)*(burstPerRank-1)) / burstPerRank
		}
		if first <= 0 {
			return trial, fmt.Errorf("the burst of %d prompts says nothing: its largest TTFT of %.4g s is less than its tokens took", n, largest(t.ttft))
		}
		if t.saysCached && t.cached > 0 {
			trial.warn("%.0f %% of the prompts' tokens were found in a cache though every prompt was new", 100*t.hitRate())
		}
		ttft, itl = append(ttft, first), append(itl, between)
		rate = append(rate, float64(p.isl*d)/first/p.gpus())
	}
	trial.TTFT, trial.ITL, trial.Throughput = figureOf(ttft), figureOf(itl), figureOf(rate)
	trial.Seconds = (p.spent - before).Seconds()
	return trial, nil
}

func (t *Trial) warn(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, w := range t.Warnings {
		if w == text {
			return
		}
	}
	t.Warnings = append(t.Warnings, text)
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func largest(values []float64) float64 {
	most := values[0]
	for _, v := range values {
		most = max(most, v)
	}
	return most
}

// decode measures n requests at a time whose prompts are in the cache, since
// the same plan was run once before.
func (p *probe) decode(ctx context.Context, n, repeats int) (Trial, error) {
	before, key := p.spent, p.fresh()
	trial := Trial{Concurrency: n}
	if _, _, err := p.send(ctx, prompts(key, 0, n, p.isl, p.osl), n); err != nil {
		return trial, fmt.Errorf("filling the cache: %w", err)
	}
	s := sample{}
	for range repeats {
		if _, err := s.take(ctx, p, &trial, prompts(key, 0, n, p.isl, p.osl)); err != nil {
			return trial, err
		}
	}
	s.sum(&trial)
	trial.Seconds = (p.spent - before).Seconds()
	return trial, nil
}

// sample are the repeats of a decode.
type sample struct{ ttft, itl, rate []float64 }

// take makes one repeat.
func (s *sample) take(ctx context.Context, p *probe, trial *Trial, src workload.Source) (*tally, error) {
	t, span, err := p.send(ctx, src, trial.Concurrency)
	if err != nil {
		return t, err
	}
	trial.lost(t.sent-t.valid, t.sent, t.failure)
	if len(t.itl) == 0 || span <= 0 {
		return t, errors.New("no reply had tokens whose times could be told apart")
	}
	if t.saysCached && t.hitRate() < cachedEnough {
		trial.warn("only %.0f %% of the prompts' tokens were in the cache, so that prefill is part of what was measured", 100*t.hitRate())
	}
	s.ttft = append(s.ttft, figureOf(t.ttft).Mean)
	s.itl = append(s.itl, figureOf(t.itl).Mean)
	s.rate = append(s.rate, float64(t.output)/span.Seconds()/p.gpus())
	return t, nil
}

func (s *sample) sum(t *Trial) {
	t.TTFT, t.ITL, t.Throughput = figureOf(s.ttft), figureOf(s.itl), figureOf(s.rate)
}

// sparing is decode with less filling: prompts that an earlier trial sent are
// in the cache still, and new ones are sent for a single token. Where the
// engine does not say what it found in its cache, every prompt is sent again.
// Repeats end when ITL is on one side of the bound with confidence, or far from
// it, and where the throughput lies so far below bar that it does not matter.
func (p *probe) sparing(ctx context.Context, n, repeats int, bound, bar float64) (Trial, error) {
	before, key := p.spent, p.key.Named("cache")
	trial := Trial{Concurrency: n}
	if err := p.fill(ctx, key, n); err != nil {
		return trial, err
	}
	s := sample{}
	for again := true; len(s.itl) < repeats; {
		t, err := s.take(ctx, p, &trial, prompts(key, 0, n, p.isl, p.osl))
		if err != nil {
			return trial, err
		}
		if again && t.saysCached && t.hitRate() < cachedEnough {
			// What was meant to be in the cache had been evicted; this run has
			// put it there.
			again, s, trial.Warnings, trial.Failed = false, sample{}, nil, 0
			continue
		}
		again = false
		if decided(figureOf(s.itl), bound) || figureOf(s.rate).Mean*(1+hopeless) < bar {
			break
		}
	}
	s.sum(&trial)
	if !decided(trial.ITL, bound) {
		trial.warn("the target lies within the error of the ITL, %s ms", trial.ITL.text(1e3, 2))
	}
	trial.Seconds = (p.spent - before).Seconds()
	return trial, nil
}

// fill sends the prompts that were not sent yet.
func (p *probe) fill(ctx context.Context, key workload.Key, n int) error {
	if p.blind {
		p.held = 0
	}
	if n <= p.held {
		return nil
	}
	t, _, err := p.send(ctx, prompts(key, p.held, n, p.isl, 1), n-p.held)
	if err != nil {
		return fmt.Errorf("filling the cache: %w", err)
	}
	p.held, p.blind = n, !t.saysCached
	return nil
}

// farOff is how far from a bound a single run must lie to be believed, as a
// share of it.
const farOff = 0.08

// hopeless is how far a single run's throughput must lie below what is to be
// beaten for the load not to be repeated.
const hopeless = 0.03

// decided says on which side of the bound a figure lies is known.
func decided(f Figure, bound float64) bool {
	off := f.Mean - bound
	if off < 0 {
		off = -off
	}
	return off > farOff*bound || f.N > 1 && off > f.HalfWidth()
}
