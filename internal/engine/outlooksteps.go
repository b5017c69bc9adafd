package engine

import (
	"container/heap"
	"time"
)

// foreseen is the steps of an outlook: what [lockstep] would do, on counts of
// blocks instead of blocks.
type foreseen struct {
	e     *Engine
	model stepModel
	at    time.Duration

	prompts []prospect // begun, in order of admission
	queue   []prospect
	seqs    int // that run
	decodes int
	context int   // sum of the contexts of those that decode
	tick    int64 // decode steps that ended
	ends    ticks
	cross   []int   // as decoding.cross
	taken   int     // blocks that admission counts as used
	active  int     // blocks in use
	ratio   float64 // of SGLang's estimate
	pace    float64 // tokens of a sequence and step: with drafts, on average
}

// outlook plays steps until the one that brings the first token of s.
func (l *lockstep) outlook(e *Engine, now time.Duration, s *sequence) time.Duration {
	f := l.present(e, now, s)
	queued := len(f.queue)
	for range maxForeseen {
		if f.step() {
			return f.at
		}
	}
	// The rest of the queue goes on at the pace of what was admitted.
	admitted := queued - len(f.queue)
	return f.at + (f.at-now)*time.Duration(len(f.queue))/time.Duration(max(admitted, 1))
}

// maxForeseen is how many steps of an outlook are played: some seconds to some
// minutes of waiting.
const maxForeseen = 1000

// present is the state at the end of the step in flight.
func (l *lockstep) present(e *Engine, now time.Duration, s *sequence) *foreseen {
	f := &e.future
	*f = foreseen{
		e: e, model: l.model, at: now,
		prompts: f.prompts[:0], ends: f.ends[:0], cross: append(f.cross[:0], e.dec.cross...),
		seqs: e.running.n, decodes: e.dec.n, context: e.dec.context, tick: e.dec.ticks,
		ratio: l.ratio, active: e.pool.active, taken: e.pool.active, pace: 1 + sum(e.reach),
	}
	switch {
	case e.rules.whole:
		f.taken = e.holding
	case e.rules.reserve:
		f.taken += e.reserved - e.holding
	}
	if e.dec.drafted {
		f.foreseeEnds()
	}
	for _, d := range e.dec.ends.sequences {
		tokens := d.req.PromptTokens + d.req.MaxTokens
		f.ends = append(f.ends, tickEnd{at: d.lastTick, tokens: tokens, remainder: e.dec.remainder(d)})
	}
	for _, p := range l.prompts {
		if !p.dying {
			f.prompts = append(f.prompts, prospect{seq: p, computed: p.computed, context: p.context()})
		}
	}
	if e.cfg.Role != DecodeOnly {
		for _, p := range l.fetch.sequences { // as if they were there
			f.prompts = append(f.prompts, prospect{seq: p, computed: p.computed, context: p.context()})
		}
	}
	if l.inFlight {
		f.at = l.end
		for i := range f.prompts {
			f.prompts[i].computed += f.prompts[i].seq.chunk
		}
		f.finish(l.ticking)
	}
	f.queue = e.prospects(s, f.prompts)
	return f
}

// step plans and ends one step. It reports whether it brought the first token
// that is asked for, or nothing is left to be done.
func (f *foreseen) step() (done bool) {
	var l load
	if f.e.rules.phased {
		f.planPhase(&l)
	} else {
		f.planMixed(&l)
	}
	if l.prefillTokens == 0 && l.decodeSeqs == 0 {
		return true
	}
	l.usedBlocks = f.active
	f.at += f.e.cfg.stepTime(f.model, l)
	return f.finish(l.decodeSeqs > 0)
}

// planMixed is as lockstep.planMixed.
func (f *foreseen) planMixed(l *load) {
	f.grow()
	budget := f.e.cfg.MaxNumBatchedTokens - f.decodes*f.e.cfg.perDecode()
	for i := range f.prompts {
		budget -= f.compute(&f.prompts[i], budget, l)
	}
	for budget > 0 && len(f.queue) > 0 && f.fits(&f.queue[0]) {
		p := f.queue[0]
		if f.e.cfg.NoChunkedPrefill && p.context-p.computed > budget {
			break
		}
		f.admit(&p)
		budget -= f.compute(&p, budget, l)
		f.prompts = append(f.prompts, p)
	}
	l.decodeSeqs, l.decodeContext = f.decodes, f.context
	if f.e.rules.first && f.e.cfg.Role != PrefillOnly {
		for _, p := range f.prompts {
			if p.computed == p.context {
				l.decodeSeqs++
				l.decodeContext += p.context
			}
		}
	}
}

// planPhase is as lockstep.planPhases.
func (f *foreseen) planPhase(l *load) {
	c := f.e.cfg.SGLang
	budget, input := c.ChunkedPrefillSize, c.MaxPrefillTokens
	if f.e.cfg.NoChunkedPrefill {
		budget = int(^uint(0) >> 1)
	}
	for i := range f.prompts {
		n := f.compute(&f.prompts[i], budget, l)
		budget, input = budget-n, input-n
	}
	for budget > 0 && len(f.queue) > 0 && f.fits(&f.queue[0]) {
		p := f.queue[0]
		left := p.context - p.computed
		if left > input && len(f.prompts) > 0 {
			break
		}
		if left > budget {
			budget -= budget % f.e.cfg.BlockSize
		}
		if budget == 0 {
			break
		}
		f.admit(&p)
		n := f.compute(&p, budget, l)
		budget, input = budget-n, input-n
		f.prompts = append(f.prompts, p)
	}
	if len(f.prompts) == 0 {
		f.grow()
		l.decodeSeqs, l.decodeContext = f.decodes, f.context
	}
}

// admit takes the head of the queue among those that run.
func (f *foreseen) admit(p *prospect) {
	f.queue = f.queue[1:]
	f.seqs++
	c := &f.e.cfg
	switch {
	case f.e.rules.whole:
		f.taken += c.blocksFor(p.context)
	case f.e.rules.reserve:
		f.taken += c.blocksFor(c.tokensHere(p.seq.req))
	}
}

// compute adds what fits of a prompt to the step.
func (f *foreseen) compute(p *prospect, budget int, l *load) int {
	n := min(p.context-p.computed, max(budget, 0))
	l.addPrompt(p.computed, n)
	c := &f.e.cfg
	f.use(c.blocksFor(p.computed+n) - c.blocksFor(p.computed))
	p.computed += n
	return n
}

// use counts blocks that a step takes.
func (f *foreseen) use(n int) {
	f.active += n
	if !f.e.rules.whole && !f.e.rules.reserve {
		f.taken += n
	}
}

// fits reports whether the head of the queue would be admitted.
func (f *foreseen) fits(p *prospect) bool {
	e, c := f.e, &f.e.cfg
	need, free := c.blocksFor(p.context), e.usable-f.taken
	switch {
	case f.seqs >= c.MaxNumSeqs:
		return false
	case f.seqs == 0:
		return true
	case e.rules.reserve:
		need = c.blocksFor(c.tokensHere(p.seq.req))
	case e.rules.phased:
		need = c.blocksFor(p.context + f.expected(p.seq.req.MaxTokens-p.seq.generated) + 1)
		free = c.NumGPUBlocks - f.taken - c.blocksFor(int(f.growth()*f.ratio))
	}
	if need <= free {
		return true
	}
	if e.rules.whole {
		return false
	}
	_, held := e.match(p.seq)
	return need-held <= free
}

// growth is how much more output SGLang's admission expects of those that run.
func (f *foreseen) growth() (tokens float64) {
	for _, x := range f.ends {
		tokens += float64(f.expected(f.times(int(x.at - f.tick))))
	}
	for _, p := range f.prompts {
		tokens += float64(f.expected(p.seq.req.MaxTokens - p.seq.generated))
	}
	return tokens
}

// expected is the most output that it reckons with for one.
func (f *foreseen) expected(tokens int) int {
	if f.e.cfg.Role == PrefillOnly {
		return 1
	}
	return min(tokens, f.e.cfg.SGLang.ClipMaxNewTokens)
}

// finish ends a step, and reports whether the prompt asked for is complete.
func (f *foreseen) finish(ticked bool) (done bool) {
	if ticked {
		f.advance()
	}
	kept := f.prompts[:0]
	for _, p := range f.prompts {
		if p.computed < p.context {
			kept = append(kept, p)
			continue
		}
		done = done || p.own
		left := p.seq.req.MaxTokens - p.seq.generated - 1
		if left <= 0 || f.e.cfg.Role == PrefillOnly {
			f.leave(p.context + 1)
			continue
		}
		f.join(p.seq, p.context+1, left)
	}
	f.prompts = kept
	return done
}

// join adds a sequence to those that decode, left tokens before its end.
func (f *foreseen) join(s *sequence, context, left int) {
	f.decodes++
	f.context += context
	x := tickEnd{at: f.tick + f.ticksFor(left), tokens: context + left}
	bs := int64(f.e.cfg.BlockSize)
	x.remainder = int(((1-int64(f.e.rules.ahead)-int64(context)+f.tick)%bs + bs) % bs)
	f.cross[x.remainder]++
	heap.Push(&f.ends, x)
}

// grow takes the blocks that the decode step about to start needs.
func (f *foreseen) grow() { f.use(f.times(f.cross[f.tick%int64(f.e.cfg.BlockSize)])) }

// advance is a decode step: a token for everybody, and who has all leaves.
func (f *foreseen) advance() {
	f.tick++
	f.context += f.times(f.decodes)
	for len(f.ends) > 0 && f.ends[0].at <= f.tick {
		x := heap.Pop(&f.ends).(tickEnd)
		f.decodes--
		f.context = max(f.context-x.tokens, 0)
		f.cross[x.remainder]--
		f.leave(x.tokens)
	}
}

// leave gives back what a sequence of so many tokens, the last one included,
// held.
func (f *foreseen) leave(tokens int) {
	n := f.e.cfg.blocksFor(tokens - 1 + f.e.rules.ahead)
	f.seqs--
	f.active = max(f.active-n, 0)
	if f.e.rules.reserve {
		n = f.e.cfg.blocksFor(tokens)
	}
	f.taken = max(f.taken-n, 0)
}
