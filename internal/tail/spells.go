package tail

// spell is steps one behind the other that all computed prompts, between two that
// computed none: what it computed are the prompts that it completed.
type spell struct {
	steps  []*step
	tokens float64
}

// spells are those of a worker of which each step is seen: where nobody decodes, what
// looks like one can be several; such are among them where there are few others. One
// that was read late tells nothing.
func (w *worker) spells(seen bool) (all []spell) {
	var s spell
	blind := false
	for j := range w.steps {
		x := &w.steps[j]
		if !w.quiet(x) {
			s.steps, blind = append(s.steps, x), blind || x.stalled || seen && x.decoding == 0
			for _, q := range x.firsts {
				s.tokens += q.need()
			}
		}
		if last := j == len(w.steps)-1; last || w.quietBefore(j+1) {
			if s.tokens > 0 && !blind {
				all = append(all, s)
			}
			s, blind = spell{}, false
		}
	}
	return all
}

// prompts is what a step took beyond decoding.
func (s *step) prompts() float64 { return s.end - s.start - s.base }

// bendRounds is how often spells are divided by a model and the model is bent to them:
// the second time changes little, the fourth nothing.
const bendRounds = 4

// leastSpells is how many of them there have to be.
const leastSpells = 3

// mostWrong is by how much the tokens of a spell may differ from what its time says:
// beyond it the prompts of somebody else are in it.
const mostWrong = 2

// bend sets the square term of the model of prompts by spells whose steps are larger
// than what it was fitted to, known tokens at most: prompts that are completed in one
// step are short, and what they say of an engine's largest steps is far from what was
// measured. How many tokens a spell had is known, and its steps share them as their
// times do. The middle of the spells decides, since prompts of others are in some.
func (w *worker) bend(known float64) {
	large := w.largeSpells(true, known)
	if len(large) < leastSpells {
		large = w.largeSpells(false, known)
	}
	m := w.model
	for range bendRounds {
		var squares []float64
		for _, s := range large {
			if c, ok := m.square(s); ok {
				squares = append(squares, c)
			}
		}
		if len(squares) < leastSpells {
			return
		}
		m.prompt[2] = max(0, middleOf(squares))
	}
}

// largeSpells are those of several steps that are larger than what is known.
func (w *worker) largeSpells(seen bool, known float64) (large []spell) {
	for _, s := range w.spells(seen) {
		if len(s.steps) > 1 && s.tokens > known*float64(len(s.steps)) {
			large = append(large, s)
		}
	}
	return large
}

// square is the square term with which a spell took as long as it did.
func (m model) square(s spell) (float64, bool) {
	sum, took := 0.0, 0.0
	for _, x := range s.steps {
		sum += m.promptTokens(x.prompts())
		took += x.prompts()
	}
	if sum*mostWrong < s.tokens || sum > s.tokens*mostWrong {
		return 0, false
	}
	squares := 0.0
	for _, x := range s.steps {
		n := m.promptTokens(x.prompts()) * s.tokens / sum / 1e3
		squares += n * n
	}
	p := m.prompt
	return (took - p[0]*float64(len(s.steps)) - p[1]*s.tokens/1e3) / squares, true
}

// usable says that more tokens take longer in a model of prompts.
func usable(m []float64) bool { return m != nil && m[0] >= 0 && m[1] > 0 && m[2] >= 0 }
