package profile

import (
	"context"
	"fmt"
)

// thorough measures every candidate in turn, as Dynamo's profiler of 2025 does.
type thorough struct {
	s  Search
	on boards
}

func (h thorough) next() (job, bool) {
	for _, p := range []Phase{Prefill, Decode} {
		if left := h.on[p].left(); len(left) > 0 {
			return job{left[0], []Phase{p}}, true
		}
	}
	return job{}, false
}

// measure takes the whole range of concurrencies, each with a cache that is
// filled anew.
func (h thorough) measure(ctx context.Context, p *probe, phase Phase) ([]Trial, error) {
	if phase == Prefill {
		t, err := uncut(func() (Trial, error) { return p.prefill(ctx, h.s.Repeats) })
		if err != nil {
			return nil, err
		}
		return []Trial{t}, nil
	}
	most, err := mostConcurrent(p.engine.Facts(), h.s.Space)
	if err != nil {
		return nil, err
	}
	var trials []Trial
	for _, n := range RequestNumbers(p.ranks(), most, h.s.Granularity) {
		t, err := uncut(func() (Trial, error) { return p.decode(ctx, n, h.s.Repeats) })
		if err != nil {
			return trials, fmt.Errorf("at concurrency %d: %w", n, err)
		}
		trials = append(trials, t)
	}
	return trials, nil
}

func (h thorough) notes(Phase) []string { return nil }

// mostConcurrent is the largest concurrency at which a decode worker is
// measured: as many whole requests as its cache holds, a multiple of its ranks,
// at most [MaxConcurrency].
func mostConcurrent(f Facts, s Space) (int, error) {
	ranks := max(f.AttentionDP, 1)
	if f.KVTokens <= 0 {
		return 0, &DeadError{Reason: ReasonLog, Message: "the engine did not say how many tokens its KV cache holds",
			Advice: "give --max-kv-tokens"}
	}
	perRank := f.KVTokens / ranks / (s.ISL + s.OSL)
	if perRank == 0 {
		return 0, &DeadError{Reason: ReasonMemory, Message: fmt.Sprintf("the KV cache of %d tokens on %s does not "+
			"hold one request of %d a rank", f.KVTokens, counted(ranks, "rank"), s.ISL+s.OSL),
			Advice: "give the engine more GPUs, or a larger share of their memory"}
	}
	return max(min(f.running(perRank*ranks), MaxConcurrency)/ranks*ranks, ranks), nil
}
