package profile

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"headway/metric"
)

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
	p.begin("prefill")
	warm := prompts(p.fresh(), 0, warmups*d, p.isl, prefillOSL)
	if _, err := p.prepare(ctx, "warm-up", closed(warm, warmups*d, d)); err != nil {
		return trial, fmt.Errorf("warming up: %w", err)
	}
	var ttft, itl, rate []float64
	for range repeats {
		t, _, err := p.repeat(ctx, atOnce(prompts(p.fresh(), 0, n, p.isl, prefillOSL), n), false)
		if err != nil {
			return trial, err
		}
		trial.hear(p, t)
		first, between, err := t.prefill(n, n > d)
		if err != nil {
			return trial, err
		}
		if t.saysCached && t.cached > 0 {
			trial.warn("%.0f %% of the prompts' tokens were found in a cache though every prompt was new",
				100*t.hitRate())
		}
		if ttft = append(ttft, first); len(t.itl) > 0 {
			itl = append(itl, between)
		}
		rate = append(rate, float64(p.isl*d)/first/p.gpus())
	}
	trial.TTFT, trial.ITL, trial.Throughput = figureOf(ttft), figureOf(itl), figureOf(rate)
	trial.CountedBy = p.countedBy()
	trial.ofPrompts(p.isl)
	trial.Seconds = (p.spent - before).Seconds()
	return trial, nil
}

// prefill is the TTFT and the ITL of a run of n prompts in seconds. In a burst, a
// prompt waits for others and their tokens.
func (t *tally) prefill(n int, burst bool) (first, between float64, err error) {
	if burst && t.pace.Unread > 0 && !t.pace.Known() {
		return 0, 0, heldBack(t.pace)
	}
	if len(t.ttft) == 0 || len(t.itl)+t.pace.Unread == 0 {
		return 0, 0, errors.New("no reply had a first and a second token that could be told apart")
	}
	between = figureOf(t.itl).Mean
	if !burst {
		return median(t.ttft), between, nil
	}
	first = (largest(t.ttft) - between*(prefillOSL-1)*(burstPerRank-1)) / burstPerRank
	if first <= 0 {
		return 0, 0, fmt.Errorf("the burst of %d prompts says nothing: its largest TTFT of %.4g s is less than "+
			"its tokens took", n, largest(t.ttft))
	}
	return first, between, nil
}

func median(values []float64) float64 {
	return metric.Percentile(slices.Sorted(slices.Values(values)), 50)
}

func largest(values []float64) float64 {
	most := values[0]
	for _, v := range values {
		most = max(most, v)
	}
	return most
}
