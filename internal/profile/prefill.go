package profile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"headway/internal/fault"
	"headway/workload"
)

// MeasurePrefill measures TTFT and prefill throughput over the prompt length, at
// the lengths of [PrefillGrid], as Dynamo's profiler does: 5 tokens of reply,
// 3 warm-up requests (for each attention rank), then prompts that no cache
// holds. With one attention rank a repeat is four prompts that follow each other without
// a pause, of which the first is left out and TTFT is the mean of the others: after idle
// time a GPU is cool, and computes a prompt in 5 to 7 % less than under load. With d
// ranks it is a burst of 4·d, of which each rank computes four in a row, so that the last has
// waited for three prompts and their tokens:
//
//	TTFT = (largest TTFT − ITL·(5−1)·(4−1)) / 4
//
// which is the formula of 2026 (that of 2025 left the tokens in). Throughput is
// d·ISL/TTFT/GPUs.
//
// A repeat whose prompts the server found in its cache is not taken. A point
// that cannot be measured is Failed and the sweep goes on; the error says that
// the engine died (a *DeadError), that ctx ended, that a point could not be
// kept, or that fewer than two points were measured. What was measured until
// then comes back with it.
func MeasurePrefill(ctx context.Context, e Subject, s Grid) (PrefillCurve, error) {
	b, err := newProber(e, s, Prefill)
	if err != nil {
		return PrefillCurve{}, err
	}
	curve := PrefillCurve{Facts: b.facts}
	grid, err := PrefillGrid(b.MaxContext, b.Granularity)
	if err != nil {
		return curve, err
	}
	b.points = len(grid)
	for i, isl := range grid {
		p, known := b.Journal.prefill(isl)
		if !known {
			if p, err = b.prefill(ctx, i+1, isl); err == nil {
				err = b.Journal.keep(journalLine{Prefill: &p}, p.Failed)
			}
			if err != nil {
				return curve, fmt.Errorf("measuring a prompt of %d tokens: %w", isl, err)
			}
		}
		curve.Points = append(curve.Points, p)
		b.tell(Step{Point: i + 1, Name: p.Name(), Done: true, Result: p.String(), Warnings: p.Warnings})
	}
	if ok := curve.Usable(); len(ok) < 2 {
		return curve, fmt.Errorf("profiling the engine's prefill: %d of %d points were measured, which makes no "+
			"curve; the last failure: %s",
			len(ok), len(grid), lastFailure(curve.Points, func(p PrefillPoint) string { return p.Failed }))
	}
	return curve, nil
}

// Name is the point's load in words.
func (p PrefillPoint) Name() string { return fmt.Sprintf("prompt of %d tokens", p.ISL) }

// String is the point in a few words.
func (p PrefillPoint) String() string {
	if p.Failed != "" {
		return "failed: " + p.Failed
	}
	return "TTFT " + words(p.TTFT, 1e3, "ms") + ", " + words(p.Throughput, 1, "tokens/s/GPU")
}

// lastFailure is the last that is not empty.
func lastFailure[P any](points []P, why func(P) string) string {
	for _, p := range slices.Backward(points) {
		if s := why(p); s != "" {
			return s
		}
	}
	return "none"
}

// prefill measures one point.
func (b *prober) prefill(ctx context.Context, number, isl int) (PrefillPoint, error) {
	p := PrefillPoint{ISL: isl, Quality: Quality{Cached: -1}}
	at := Step{Point: number, Name: p.Name()}
	key, ranks := b.key.Named("isl").Index(isl), b.facts.AttentionDP
	b.tell(at)
	b.begin(fmt.Sprintf("isl_%d", isl))
	if err := b.prepare(ctx, "warm-up",
		requests{key.Named("warm-up"), warmups * ranks, ranks, isl, prefillOSL}); err != nil {
		var dead *DeadError
		if errors.As(err, &dead) || errors.Is(err, ErrNotKept) || ctx.Err() != nil {
			return p, err
		}
		// The repeats below fail for the same reason, if it lasts.
		p.warn("warming up: " + b.named(err))
	}
	var ttft, itl, rate []float64
	err := b.series(ctx, at, &p.Quality, func(repeat int) (float64, error) {
		r, err := b.burst(ctx, repeat, key.Named("repeat").Index(repeat), isl, &p.Quality)
		if err != nil {
			return 0, err
		}
		first, between, err := r.firstToken(ranks)
		if err != nil {
			return 0, err
		}
		if ttft = append(ttft, first); len(r.itl) > 0 {
			itl = append(itl, between)
		}
		rate = append(rate, float64(isl*ranks)/first/float64(b.facts.GPUs))
		return first, nil
	})
	p.TTFT, p.ITL, p.Throughput = figureOf(ttft), figureOf(itl), figureOf(rate)
	p.ofPrompts(isl)
	return p, err
}

// A repeat of one attention rank is prompts one after the other: some to warm the GPU,
// and those that are measured.
const leadPrompts, hotPrompts = 1, 3

// burst sends the prompts of one repeat, which no cache may hold.
func (b *prober) burst(ctx context.Context, repeat int, key workload.Key, isl int, q *Quality) (*reading, error) {
	n, atOnce := leadPrompts+hotPrompts, 1
	if b.facts.AttentionDP > 1 {
		n = burstPerRank * b.facts.AttentionDP
		atOnce = n
	}
	r, err := b.repeat(ctx, repeat, requests{key, n, atOnce, isl, prefillOSL})
	if err != nil {
		return nil, err
	}
	r.notes(q, isl, prefillOSL)
	return r, r.fresh(q, isl)
}

// A chat template begins every prompt alike, and a cache keeps whole blocks of
// it: so many tokens may be found in a cache though the prompt is new, and as
// many of a known prompt not be found.
const templateTokens = 256

// fresh says that prompts were found in a cache: of those that were sent for
// the first time, more than a template can be.
func (r *reading) fresh(q *Quality, isl int) error {
	n, ok := mean(r.cached)
	switch {
	case !ok || n == 0:
		return nil
	case n > templateTokens/2 && n > 0.1*float64(isl):
		return fault.New("%.0f of %d prompt tokens were found in the prefix cache though every prompt is new: "+
			"switch prefix caching off for a prefill engine, and use another %s than an earlier call",
			n, isl, fault.Field("random-seed"))
	}
	q.warn(fmt.Sprintf("%.0f of %d prompt tokens were found in the prefix cache, as those of a chat "+
		"template are", n, isl))
	return nil
}

// firstToken is TTFT by the rule of [MeasurePrefill], and the mean ITL, in
// seconds.
func (r *reading) firstToken(ranks int) (ttft, itl float64, err error) {
	itl, _ = mean(r.between())
	if ranks > 1 {
		ttft = (largest(r.ttft) - itl*(prefillOSL-1)*(burstPerRank-1)) / burstPerRank
	} else {
		ttft, _ = mean(r.ttft[min(leadPrompts, len(r.ttft)-1):]) // one at a time: in order of sending
	}
	if ttft <= 0 {
		return 0, 0, fmt.Errorf("the burst says nothing of a prompt's time: its largest TTFT is %.4g s, and the "+
			"tokens before it took longer", largest(r.ttft))
	}
	return ttft, itl, nil
}
