package engine

import (
	"cmp"
	"math"
	"slices"
	"time"

	"headway/internal/fault"
)

// SGLangConfig is what SGLang's scheduler has of its own. The zero value of
// every field means its default. The constants of [estimate] are SGLang's
// (sgl-project/sglang, managers/schedule_policy.py and scheduler.py).
type SGLangConfig struct {
	// Policy orders the queue (--sglang-schedule-policy): "fcfs", also
	// "fifo", or "lpm", the longest cached prefix first; default fcfs. A
	// queue of more than 128 is not sorted.
	Policy string
	// MaxPrefillTokens bounds the prompt tokens of a step but for the first
	// prompt's (--sglang-max-prefill-tokens); default 16384.
	MaxPrefillTokens int
	// ChunkedPrefillSize bounds the prompt tokens of a step by cutting the
	// last prompt, new ones at a multiple of the block size
	// (--sglang-chunked-prefill-size); default 8192.
	ChunkedPrefillSize int
	// ClipMaxNewTokens bounds the output that admission expects of a request
	// (--sglang-clip-max-new-tokens); default 4096.
	ClipMaxNewTokens int
	// Conservativeness scales the share of the output that is expected of
	// those that run, at first 0.7 (--sglang-schedule-conservativeness);
	// default 1.
	Conservativeness float64
}

// longestSorted is the longest queue that is sorted by prefix.
const longestSorted = 128

func (c SGLangConfig) withDefaults() SGLangConfig {
	setDefault(&c.Policy, "fcfs")
	setDefault(&c.MaxPrefillTokens, 16384)
	setDefault(&c.ChunkedPrefillSize, 8192)
	setDefault(&c.ClipMaxNewTokens, 4096)
	setDefault(&c.Conservativeness, 1)
	return c
}

func (c SGLangConfig) validate(f *fault.List) {
	f.Check(slices.Contains([]string{"fcfs", "fifo", "lpm"}, c.Policy), "sglang-schedule-policy", c.Policy,
		"fcfs, fifo or lpm")
	f.Check(c.MaxPrefillTokens >= 1, "sglang-max-prefill-tokens", c.MaxPrefillTokens, "at least 1")
	f.Check(c.ClipMaxNewTokens >= 1, "sglang-clip-max-new-tokens", c.ClipMaxNewTokens, "at least 1")
	f.Check(c.Conservativeness > 0 && !math.IsInf(c.Conservativeness, 1), "sglang-schedule-conservativeness",
		c.Conservativeness, "above 0 and finite")
}

// estimate is the share of the output still to come that admission expects of
// the running sequences. It falls while all goes well, over 600 steps to 0.14
// of its start, and rises when a sequence has to be retracted.
type estimate struct{ ratio, start float64 }

func newEstimate(conservativeness float64) estimate {
	start := min(0.7*conservativeness, 1)
	return estimate{start, start}
}

func (x *estimate) reset() { x.ratio = x.start }

func (x *estimate) fall() {
	least := 0.14 * x.start
	x.ratio = max(x.ratio-(x.start-least)/600, least)
}

// raise looks at those that remain after a retraction: what they have produced
// and 20 tokens more, of all they may produce.
func (x *estimate) raise(produced, allowed, sequences int) {
	if allowed > 0 {
		x.ratio = min(1, float64(produced+20*sequences)/float64(allowed))
	}
}

// planPhases gives the step to prompts while there are any that may be
// computed, and else to decoding.
func (l *lockstep) planPhases(e *Engine, b *batch, at time.Duration) {
	if e.running.n+e.waiting.len() == 0 {
		l.reset()
		return
	}
	if e.cfg.Role != DecodeOnly {
		if l.planPrompts(e, b, at); len(l.prompts) > 0 {
			return
		}
	}
	preempted := e.stats.Preempted
	l.advance(e, at)
	l.arrive(e, at)
	if e.stats.Preempted > preempted {
		l.raise(e.progress())
	} else if e.cfg.Role == DecodeOnly {
		l.admitEstimated(e, at, func(s *sequence, cached int) bool {
			e.enter(s, cached, at)
			l.transfer(e, s, at)
			l.arrive(e, at)
			return true
		})
	}
	e.dec.measure(&b.load)
	if b.load.decodeSeqs == 0 {
		e.dec.started = e.dec.ticks
	} else if e.stats.Preempted == preempted {
		l.fall()
	}
}

// planPrompts fills a step with prompts: first the one that was cut, and those that
// waited for a tier.
func (l *lockstep) planPrompts(e *Engine, b *batch, at time.Duration) {
	b.budget = e.cfg.SGLang.ChunkedPrefillSize
	if e.cfg.NoChunkedPrefill {
		b.budget = math.MaxInt
	}
	l.arrive(e, at)
	for i := 0; i < len(l.prompts) && b.budget > 0; i++ {
		i -= l.compute(e, l.prompts[i], b, at)
	}
	input := e.cfg.SGLang.MaxPrefillTokens - b.load.prefillTokens
	l.admitEstimated(e, at, func(s *sequence, cached int) bool {
		extend := s.context() - cached*e.cfg.BlockSize
		if extend > input && len(l.prompts) > 0 {
			return false
		}
		if extend > b.budget {
			b.budget -= b.budget % e.cfg.BlockSize
		}
		if b.budget == 0 {
			return false
		}
		input -= min(extend, b.budget)
		e.enter(s, cached, at)
		if l.await(e, s, at) {
			return true
		}
		l.prompts = append(l.prompts, s)
		return l.compute(e, s, b, at) == 0 && b.budget > 0
	})
}

// admitEstimated offers those that wait to enter, in the order of the policy,
// while the blocks that are left cover their context and their output and the
// share that is expected of those that run. Whoever is alone may try: it was
// seen at its submission that it fits. It stops when enter reports false.
func (l *lockstep) admitEstimated(e *Engine, at time.Duration, enter func(s *sequence, cached int) bool) {
	if e.waiting.len() == 0 || e.running.n >= e.cfg.MaxNumSeqs {
		return
	}
	room := float64(e.pool.available() * e.cfg.BlockSize)
	for s := e.running.first; s != nil; s = s.next {
		room -= float64(e.expected(s)) * l.ratio
	}
	for _, s := range e.ordered() {
		if !e.adapters.room(s.req.Adapter) {
			continue
		}
		cached, shared := e.match(s)
		want := float64((e.cfg.blocksFor(s.context())-shared)*e.cfg.BlockSize + e.expected(s))
		if e.running.n >= e.cfg.MaxNumSeqs || (want >= room && e.running.n > 0) || !enter(s, cached) {
			return
		}
		room -= want
	}
}

// expected is the most output that admission reckons with for s.
func (e *Engine) expected(s *sequence) int {
	if e.cfg.Role == PrefillOnly {
		return 1
	}
	return min(s.req.MaxTokens-e.tokens(s), e.cfg.SGLang.ClipMaxNewTokens)
}

// ordered is the queue in the order of the policy. Priority goes before it.
func (e *Engine) ordered() []*sequence {
	order := make([]*sequence, 0, e.waiting.len())
	e.waiting.each(func(s *sequence) {
		if s.came <= e.cutoff {
			order = append(order, s)
		}
	})
	if e.cfg.SGLang.Policy != "lpm" || len(order) > longestSorted {
		return order
	}
	cached := make(map[*sequence]int, len(order))
	for _, s := range order {
		cached[s], _ = e.match(s)
	}
	slices.SortStableFunc(order, func(a, b *sequence) int {
		return cmp.Or(cmp.Compare(b.req.Priority, a.req.Priority), cmp.Compare(cached[b], cached[a]))
	})
	return order
}

// progress sums up those that run: the tokens they have, the tokens they may
// have, and how many they are.
func (e *Engine) progress() (produced, allowed, sequences int) {
	for s := e.running.first; s != nil; s = s.next {
		produced += e.tokens(s)
		allowed += s.req.MaxTokens
	}
	return produced, allowed, e.running.n
}

// leastProgress is who is retracted: the least output first, then the longest
// prompt, then the newest.
func (e *Engine) leastProgress() *sequence {
	least := e.running.first
	for s := least.next; s != nil; s = s.next {
		if c := cmp.Compare(e.tokens(s), e.tokens(least)); c < 0 ||
			(c == 0 && s.req.PromptTokens >= least.req.PromptTokens) {
			least = s
		}
	}
	return least
}
