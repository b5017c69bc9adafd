package engine

import (
	"container/heap"
	"math"
	"time"

	"headway/internal/fault"
	"headway/workload"
)

// MaxDraftTokens is the most tokens that a draft can have.
const MaxDraftTokens = 16

// Speculation is speculative decoding as in vLLM: in every step each sequence that
// decodes brings a draft of its next tokens, the step computes all of them beside the
// one that it would compute anyway, and those up to the first that the model would not
// have said are tokens of the reply, with the model's own after them. They all come at
// the end of the step.
//
// A step is charged for 1 + Tokens tokens of each sequence, and for making the next
// drafts. Drafts take places in the KV cache and in the budget of a step.
type Speculation struct {
	// Tokens of each draft (--num-speculative-tokens); 0 is none.
	Tokens int
	// Acceptance is the probability, 0 to 1, that the token at a position of the draft
	// is accepted when all before it are (--speculative-acceptance). The last value
	// holds for the positions after it. vLLM tells of shares of all drafts: those are
	// the products of these up to each position.
	Acceptance []float64
	// DraftCost is how long the drafting model takes for a pass, as a share of the
	// engine's own time for the same pass (--speculative-draft-cost); 0 is a draft that
	// takes no model, such as one of n-grams. A draft takes one pass over the tokens of
	// the step, and one more over the sequences that decode for each token after the
	// first.
	DraftCost float64
}

func (x Speculation) check(f *fault.List, c Config) {
	const tokens, acceptance = fault.Field("num-speculative-tokens"), fault.Field("speculative-acceptance")
	if x.Tokens == 0 {
		f.When(len(x.Acceptance) > 0 || x.DraftCost != 0, "%s, %s: need %s", acceptance,
			fault.Field("speculative-draft-cost"), tokens)
		return
	}
	f.Check(x.Tokens >= 1 && x.Tokens <= MaxDraftTokens, tokens, x.Tokens, "from 0 to 16")
	f.When(len(x.Acceptance) == 0 || len(x.Acceptance) > x.Tokens,
		"%s: %d values: must be from 1 to as many as %s (%d)", acceptance, len(x.Acceptance), tokens, x.Tokens)
	for _, p := range x.Acceptance {
		f.Check(p >= 0 && p <= 1, acceptance, p, "from 0 to 1")
	}
	f.Check(x.DraftCost >= 0 && x.DraftCost <= 10, "speculative-draft-cost", x.DraftCost, "from 0 to 10")
	_, fixed := c.Timing.(Fixed)
	f.When(fixed, "%s %d: must be 0 with fixed times, which are those of single tokens", tokens, x.Tokens)
	f.When(schedulers[c.Type].blocks, "%s %d: must be 0 with %s %s, which drafts nothing", tokens, x.Tokens,
		fault.Field("engine-type"), c.Type)
	f.When(c.KeepTicks || c.CountTokens, "ticks or counted tokens: must be off with %s, whose steps bring different "+
		"sequences different numbers of tokens", tokens)
}

// reach is, by position, the share of drafts whose tokens are accepted up to there.
func (x Speculation) reach() []float64 {
	if x.Tokens == 0 {
		return nil
	}
	all, share := make([]float64, x.Tokens), 1.0
	for i := range all {
		share *= x.Acceptance[min(i, len(x.Acceptance)-1)]
		all[i] = share
	}
	return all
}

// TokensPerStep is how many tokens a step brings to a sequence on average: 1 and the
// products of the acceptances up to each position (Leviathan et al. 2023, equation 1,
// where all are equal).
func (x Speculation) TokensPerStep() float64 { return 1 + sum(x.reach()) }

func sum(values []float64) (total float64) {
	for _, v := range values {
		total += v
	}
	return total
}

// perDecode is how many tokens a step computes of each sequence that decodes.
func (c *Config) perDecode() int { return 1 + max(c.Speculation.Tokens, 0) }

// passTime is the time of a step, without speed-ups: of computing its tokens, and of
// drafting those of the next step.
func (c *Config) passTime(m stepModel, l load) time.Duration {
	k := c.Speculation.Tokens
	if k == 0 {
		return max(m.stepTime(l), 0)
	}
	plain := l
	l.drafts, l.draftContext = k*l.decodeSeqs, k*l.decodeContext+l.decodeSeqs*k*(k+1)/2
	d := max(m.stepTime(l), 0)
	if c.Speculation.DraftCost == 0 {
		return d
	}
	passes := max(m.stepTime(plain), 0)
	if k > 1 && l.decodeSeqs > 0 {
		plain.prefillTokens, plain.prefillContext = 0, 0
		passes += time.Duration(k-1) * max(m.stepTime(plain), 0)
	}
	return d + time.Duration(math.Round(c.Speculation.DraftCost*float64(passes)))
}

// withDrafts is the time of the prompts of a step by a model that has no word for
// drafts: they cost what so many tokens more of a prompt cost, and not the pass itself,
// which decoding is charged with.
func withDrafts(prefill func(int) time.Duration, l load) time.Duration {
	if l.prefillTokens > 0 {
		return prefill(l.prefillTokens + l.drafts)
	}
	return max(prefill(1+l.drafts)-prefill(1), 0)
}

// advanceDrafts is advance where each sequence needs places for its draft, too. What
// was taken for drafts that were not accepted is kept, as in vLLM: the next step needs it.
func (l *lockstep) advanceDrafts(e *Engine, at time.Duration) {
	for e.draftBlocks(false) > e.pool.available() {
		e.preempt(e.victim(), at)
	}
	e.draftBlocks(true)
	e.dec.started++
}

// draftBlocks is how many blocks the next step needs more for those who decode, and
// takes them where it is asked to.
func (e *Engine) draftBlocks(take bool) (n int) {
	for s := e.running.first; s != nil; s = s.next {
		if s.phase != decodes {
			continue
		}
		tokens := s.req.PromptTokens + e.tokens(s) + len(e.reach)
		more := e.cfg.blocksFor(tokens) - len(s.held) - s.private
		if more <= 0 {
			continue
		}
		n += more
		if take {
			e.pool.take(more)
			e.holding += more
			s.private += more
		}
	}
	return n
}

// verify is tick where drafts are verified.
func (l *lockstep) verify(e *Engine, at time.Duration) {
	e.stats.Drafts += int64(e.dec.n)
	e.stats.DraftTokens += int64(e.dec.n * len(e.reach))
	e.stats.GeneratedTokens += int64(e.dec.n)
	for s := e.running.first; s != nil; {
		following := s.next
		if s.phase == decodes {
			more := min(e.accept(s), s.req.MaxTokens-e.tokens(s))
			s.base += more
			e.dec.context += more
			e.stats.GeneratedTokens += int64(more)
			l.hear(e, s, at, more)
		}
		s = following
	}
}

// accept draws how many tokens of the draft of s are accepted. Each request has
// randomness of its own, so that it does not depend on who else is in its steps.
func (e *Engine) accept(s *sequence) (n int) {
	if s.rng == nil {
		s.rng = workload.Seed(e.cfg.Seed).Named("accepted drafts").Index(int(s.order)).Rand()
	}
	u := s.rng.Float64()
	for n < len(e.reach) && u < e.reach[n] {
		e.stats.AcceptedAt[n]++
		n++
	}
	e.stats.AcceptedTokens += int64(n)
	return n
}

// foreseeEnds has everybody who decodes end after as many steps as drafts of the usual
// acceptance take.
func (f *foreseen) foreseeEnds() {
	for s := f.e.running.first; s != nil; s = s.next {
		if s.phase == decodes {
			left := s.req.MaxTokens - f.e.tokens(s)
			f.ends = append(f.ends, tickEnd{at: f.tick + f.ticksFor(left), tokens: s.req.PromptTokens + s.req.MaxTokens,
				remainder: f.e.dec.remainder(s)})
			f.cross[f.e.dec.remainder(s)]++
		}
	}
	heap.Init(&f.ends)
}

// ticksFor is how many steps bring so many tokens.
func (f *foreseen) ticksFor(tokens int) int64 {
	if !f.e.dec.drafted {
		return int64(tokens)
	}
	return int64(math.Ceil(float64(tokens) / f.pace))
}

// times is how many tokens so many steps bring.
func (f *foreseen) times(n int) int {
	if !f.e.dec.drafted {
		return n // exactly, and in the innermost loop
	}
	return int(math.Round(float64(n) * f.pace))
}
