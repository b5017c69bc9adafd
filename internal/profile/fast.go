package profile

import (
	"context"
	"fmt"
	"math"

	"headway/internal/model"
)

// fast measures what can still win. The roofline, corrected by what was measured
// so far, says of every candidate how likely it is to beat the best one that
// was measured; the likeliest goes first, weighed by its GPUs, and a phase is
// settled when all that is left of it together has less than a 10 % chance to win
// by more than is worth a start.
//
// Most of a search is loading weights. So a mapping that is started for its
// decode is asked for its TTFT too: a new prompt that fits one step takes as
// long on a worker that decodes.
type fast struct {
	s  Search
	on boards
	of map[Phase]*forecast
}

// worth is by how much a candidate must win for its start to be worth it, as a
// share of the throughput per GPU; doubt is the chance of that, over all that
// are left of a phase, at which the phase is settled; slim is a chance for which
// an engine that runs is not measured.
const worth, doubt, slim = 0.04, 0.1, 0.01

func newFast(s Search, on boards) (*fast, error) {
	h := &fast{s, on, map[Phase]*forecast{}}
	for p, b := range on {
		f, err := newForecast(s.Space, b.target, b.candidates)
		if err != nil {
			return nil, err
		}
		h.of[p] = f
	}
	return h, nil
}

// outlook is how a phase stands.
type outlook struct {
	now    belief
	bar    float64 // the score to beat
	chance map[model.Mapping]float64
	total  float64 // of the chances
}

// open says that something of the phase is worth a start.
func (o outlook) open() bool { return o.total > doubt }

// outlook looks at a phase. Before anything was measured the bar is what the
// best candidate is expected to reach.
func (h *fast) outlook(p Phase) outlook {
	b, f := h.on[p], h.of[p]
	left := b.left()
	o := outlook{now: learn(f.factors(b.outcomes()), h.s.ModelError), bar: math.Inf(-1),
		chance: map[model.Mapping]float64{}}
	if pick, ok := b.best(); ok {
		s := f.score(pick.Trial.latency(p).Mean, pick.Trial.Throughput.Mean)
		o.bar = s + worth*math.Abs(s)
	} else {
		for _, c := range left {
			s, _ := f.best(f.of[c], math.Exp(o.now.mean))
			o.bar = max(o.bar, s)
		}
	}
	for _, c := range left {
		x := o.now.below(f.breakEven(f.of[c], o.bar))
		o.chance[c.Mapping] = x
		o.total += x
	}
	return o
}

// next is the mapping with the best chances for its GPUs.
func (h *fast) next() (job, bool) {
	prefill, decode := h.outlook(Prefill), h.outlook(Decode)
	var best job
	most := -1.0
	try := func(m model.Mapping, chance float64, open Phase, also ...Phase) {
		if v := chance / float64(m.GPUs()); v > most {
			best, most = job{Candidate{Phase: open, Mapping: m}, append(also, open)}, v
		}
	}
	shares := h.s.Space.ISL <= stepTokens
	for _, c := range h.on[Decode].left() {
		x := decode.chance[c.Mapping]
		if !decode.open() || x < slim && x < decode.total {
			continue
		}
		y, wanted := prefill.chance[c.Mapping]
		if wanted && shares {
			try(c.Mapping, x+y, Decode, Prefill)
		} else {
			try(c.Mapping, x, Decode)
		}
	}
	for _, c := range h.on[Prefill].left() {
		if prefill.open() {
			try(c.Mapping, prefill.chance[c.Mapping], Prefill)
		}
	}
	return best, most >= 0
}

// notes says why what was not started was not.
func (h *fast) notes(p Phase) []string {
	o := h.outlook(p)
	if len(o.chance) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%d of %d %s candidates were not started: by the roofline as corrected (×%.2f, each "+
		"mapping ±%.0f %%) the chance that one of them is better by more than %.0f %% is %.1f %%",
		len(o.chance), len(h.on[p].candidates), p, math.Exp(o.now.mean), 100*o.now.own*math.Sqrt(3),
		100*worth, 100*o.total)}
}

// measure finds the largest concurrency of a decode worker that meets the
// target.
func (h *fast) measure(ctx context.Context, p *probe, phase Phase) ([]Trial, error) {
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
	o, f := h.outlook(Decode), h.of[Decode]
	x := *f.of[Candidate{Phase: Decode, Mapping: p.mapping}]
	x.ranks, x.most, x.gpus = p.ranks(), most, p.gpus()
	k := climb{f: f, p: p, repeats: h.s.Repeats, x: &x, bar: o.bar, hi: most + p.ranks()}
	if _, ok := h.on[Decode].best(); !ok {
		k.bar = math.Inf(-1)
	}
	_, n := f.best(&x, math.Exp(o.now.mean))
	return k.run(ctx, n)
}

// climb looks for the largest concurrency that meets the target: a bisection
// whose next point is where the roofline, corrected by the trials so far, has
// the target met just so.
type climb struct {
	f       *forecast
	p       *probe
	x       *foreseen
	repeats int
	bar     float64 // the score to beat
	lo, hi  int     // lo met the target, or is 0; hi missed it, or is more than the most
	trials  []Trial
}

// The bounds of a climb: how many concurrencies it tries at most, how close it
// comes, how far below the target it aims so that a trial there is decided, what
// part of the expected concurrency it tries first, since that costs little to
// fill, and how far the roofline's shape may be off between there and the
// target.
const (
	climbTrials = 8
	climbClose  = 0.02
	climbAim    = 0.01
	climbScout  = 4
	climbShape  = 0.1
)

func (k *climb) run(ctx context.Context, n int) ([]Trial, error) {
	n = max(n/climbScout/k.x.ranks, 1) * k.x.ranks
	for len(k.trials) < climbTrials {
		t, err := uncut(func() (Trial, error) { return k.p.sparing(ctx, n, k.repeats, k.f.target, k.bar) })
		if err != nil {
			return k.trials, fmt.Errorf("at concurrency %d: %w", n, err)
		}
		k.trials = append(k.trials, t)
		if t.meets(Decode, k.f.target) {
			k.lo = max(k.lo, n)
		} else {
			k.hi = min(k.hi, n)
		}
		var more bool
		if n, more = k.following(); !more {
			break
		}
	}
	return k.trials, nil
}

// following is the next concurrency to try; false when another would change
// nothing.
func (k *climb) following() (int, bool) {
	d := k.x.ranks
	if k.hi-k.lo <= max(d, int(climbClose*float64(k.lo))) {
		return 0, false
	}
	last := k.f.nearest(k.x, k.trials)
	f, shape := k.f.factor(k.x, last), climbClose
	if math.Abs(last.ITL.Mean/k.f.target-1) > climbShape {
		shape = climbShape
	}
	n := k.f.largest(k.x, f, k.f.target*(1-climbAim))
	if s, _ := k.f.best(k.x, f*(1-shape)); s < k.bar {
		return 0, false // it would not win
	}
	if k.lo > 0 && n <= k.lo+int(climbClose*float64(k.lo)) {
		return 0, false // there is next to nothing to be gained
	}
	return min(max(n, k.lo+d), k.hi-d), true
}
