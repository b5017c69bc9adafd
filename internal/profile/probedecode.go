package profile

import (
	"context"
	"errors"
	"fmt"

	"headway/workload"
)

// decode measures n requests at a time whose prompts are in the cache, since
// the same plan was run once before.
func (p *probe) decode(ctx context.Context, n, repeats int) (Trial, error) {
	before, key := p.spent, p.fresh()
	trial := Trial{Concurrency: n}
	p.begin(loadName(n))
	if _, err := p.prepare(ctx, "fill", atOnce(prompts(key, 0, n, p.isl, p.osl), n)); err != nil {
		return trial, fmt.Errorf("filling the cache: %w", err)
	}
	s := sample{}
	for range repeats {
		if _, err := s.take(ctx, p, &trial, prompts(key, 0, n, p.isl, p.osl)); err != nil {
			return trial, err
		}
	}
	s.sum(&trial)
	trial.CountedBy = p.countedBy()
	trial.Seconds = (p.spent - before).Seconds()
	return trial, nil
}

// sample are the repeats of a decode.
type sample struct{ ttft, itl, rate []float64 }

// take makes one repeat.
func (s *sample) take(ctx context.Context, p *probe, trial *Trial, src workload.Source) (*tally, error) {
	t, span, err := p.repeat(ctx, atOnce(src, trial.Concurrency), true)
	if err != nil {
		return t, err
	}
	trial.hear(p, t)
	if t.pace.Unread > 0 && !t.pace.Known() {
		return t, heldBack(t.pace)
	}
	if t.uncounted > 0 {
		return t, uncounted(t.uncounted, t.valid)
	}
	if len(t.itl) == 0 || span <= 0 {
		return t, errors.New("no reply had tokens whose times could be told apart")
	}
	if t.saysCached && t.hitRate() < cachedEnough {
		trial.warn("only %.0f %% of the prompts' tokens were in the cache, so that prefill is part of what "+
			"was measured", 100*t.hitRate())
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
	p.begin(loadName(n))
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
			again, s, p.said = false, sample{}, remarks{}
			trial = Trial{Concurrency: n}
			continue
		}
		again = false
		if decided(figureOf(s.itl), bound) || figureOf(s.rate).Mean*(1+hopeless) < bar {
			break
		}
	}
	s.sum(&trial)
	trial.CountedBy = p.countedBy()
	if !decided(trial.ITL, bound) {
		trial.warn("the target lies within the error of the ITL, %s ms", trial.ITL.In(1e3, "ms").Within("%.2f"))
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
	t, err := p.prepare(ctx, "fill", atOnce(prompts(key, p.held, n, p.isl, 1), n-p.held))
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
