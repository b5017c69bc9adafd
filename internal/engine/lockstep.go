package engine

import (
	"container/heap"
	"slices"
	"time"
)

// lockstep advances all running sequences together, one step after the other:
// continuous batching.
//
// A step that decodes brings one token to every sequence in [decoding]; what
// it costs does not depend on how many those are. That is what makes replaying
// hours of a trace a matter of a second.
type lockstep struct {
	model   stepModel
	prompts []*sequence // that are being computed, in the order in which that began

	fetch dueQueue // transfers under way
	estimate

	inFlight bool
	ticking  bool // the step in flight decodes
	end      time.Duration

	pipe *pipeline // nil where a step is launched in no time
}

func newLockstep(m stepModel, c Config) *lockstep {
	return &lockstep{model: m, estimate: newEstimate(c.SGLang.Conservativeness)}
}

// batch is a step while it is being planned.
type batch struct {
	budget int // tokens that still fit
	load   load
}

// start plans a step unless one is in flight.
func (l *lockstep) start(e *Engine, at time.Duration) {
	if l.inFlight {
		return
	}
	b := batch{budget: e.cfg.MaxNumBatchedTokens}
	if l.pipe != nil {
		e.cutoff = l.cutoff(at)
	}
	if e.rules.phased {
		l.planPhases(e, &b, at)
	} else {
		l.planMixed(e, &b, at)
	}
	if b.load.decodeSeqs == 0 && len(l.prompts) == 0 {
		l.idle(e, at)
		return
	}
	b.load.usedBlocks = e.pool.active
	l.inFlight, l.ticking = true, b.load.decodeSeqs > 0
	e.stats.Steps++
	if l.pipe != nil {
		l.startPiped(e, b.load, at)
		return
	}
	l.end = at + e.cfg.stepTime(l.model, b.load) + e.loaded()
	l.cruise(e)
}

// idle is a plan with nothing in it. What came too late for it begins afresh.
func (l *lockstep) idle(e *Engine, at time.Duration) {
	if l.pipe == nil || !l.pipe.planned {
		return
	}
	l.pipe.planned = false
	if e.waiting.len() > 0 {
		l.start(e, at)
	}
}

// planMixed fills a step with one token of everybody who decodes and with as
// much of the prompts as the token budget leaves. Sequences that run go first;
// what is left goes to new ones. A sequence whose prompt is only partly
// computed is always the last of the running, since nothing is admitted past
// it.
func (l *lockstep) planMixed(e *Engine, b *batch, at time.Duration) {
	preempted := e.stats.Preempted
	l.advance(e, at)
	l.arrive(e, at)
	b.budget -= e.dec.n * e.cfg.perDecode()
	for i := 0; i < len(l.prompts) && b.budget > 0; i++ {
		i -= l.compute(e, l.prompts[i], b, at)
	}
	// What was just preempted would be the first to be admitted, and would
	// take the blocks again that the older ones need.
	for e.stats.Preempted == preempted && b.budget > 0 {
		s := e.admit(at, b.budget)
		if s == nil {
			break
		}
		if e.cfg.Role == DecodeOnly {
			l.transfer(e, s, at)
			l.arrive(e, at)
			continue
		}
		if l.await(e, s, at) {
			continue
		}
		l.prompts = append(l.prompts, s)
		l.compute(e, s, b, at)
	}
	e.dec.measure(&b.load)
	if e.rules.first && e.cfg.Role != PrefillOnly {
		l.measureFirst(&b.load)
	}
	if b.load.decodeSeqs == 0 {
		e.dec.started = e.dec.ticks
	}
}

// measureFirst adds the decoding of prompts that the step completes.
func (l *lockstep) measureFirst(step *load) {
	for _, s := range l.prompts {
		if s.computed+s.chunk == s.context() {
			step.decodeSeqs++
			step.decodeContext += s.context()
		}
	}
}

// compute adds what fits of s's prompt to the step. It returns 1 when s left
// the prompts: because it had to give way, or because it decodes in the same
// step.
func (l *lockstep) compute(e *Engine, s *sequence, b *batch, at time.Duration) (left int) {
	n := min(s.context()-s.computed, b.budget)
	upto := s.computed + n
	if e.rules.whole {
		upto = s.context()
	}
	done := s.computed+n == s.context()
	if done {
		upto += e.rules.ahead
	}
	if !e.makeRoom(s, upto, at) {
		return 1
	}
	s.chunk = n
	b.budget -= n
	b.load.addPrompt(s.computed, n)
	if done && e.rules.ahead > 0 && e.cfg.Role != PrefillOnly {
		l.prompts = slices.DeleteFunc(l.prompts, func(p *sequence) bool { return p == s })
		s.computed, s.chunk = s.context(), 0
		e.dec.join(s)
		return 1
	}
	return 0
}

// advance takes the blocks that the next token of the decoding sequences
// needs, preempting until they suffice. Going through the sequences one by one
// would preempt the same ones, since only the sum decides, but could evict a
// block for one that then has to give way itself.
func (l *lockstep) advance(e *Engine, at time.Duration) {
	if e.dec.drafted {
		l.advanceDrafts(e, at)
		return
	}
	for e.dec.crossings() > e.pool.available() {
		e.preempt(e.victim(), at)
	}
	n := e.dec.crossings()
	e.pool.take(n)
	e.holding += n
	e.dec.started++
}

// arrive lets those decode whose transfer has ended, and those compute the rest of
// their prompts for whom a tier had the beginning.
func (l *lockstep) arrive(e *Engine, at time.Duration) {
	for l.fetch.Len() > 0 && l.fetch.sequences[0].due <= at {
		s := heap.Pop(&l.fetch).(*sequence)
		if e.cfg.Role == DecodeOnly {
			e.dec.join(s)
			continue
		}
		s.phase = prefilling
		e.fetched(s, true)
		l.prompts = append(l.prompts, s)
	}
}

// transfer begins to fetch the keys and values of s.
func (l *lockstep) transfer(e *Engine, s *sequence, at time.Duration) {
	s.phase, s.due = fetching, later(at, e.fetchTime(s, at))
	e.grow(s, s.context()+e.rules.ahead) // admission saw to it that there is room
	s.computed = s.context()
	heap.Push(&l.fetch, s)
}

func (l *lockstep) next() (time.Duration, bool) {
	switch {
	case l.inFlight:
		return l.end, true
	case l.fetch.Len() > 0:
		return l.fetch.sequences[0].due, true
	}
	return 0, false
}

// finish ends the step: everybody who decodes has a new token, and so has
// everybody whose prompt is complete.
func (l *lockstep) finish(e *Engine, at time.Duration) {
	if !l.inFlight {
		return // a transfer ended
	}
	if l.pipe != nil && !l.pipe.launch.Serial && !l.pipe.planned {
		l.plan(e, at)
		return
	}
	l.inFlight = false
	e.came(0)
	if l.ticking {
		l.tick(e, at)
	}
	kept := l.prompts[:0]
	for _, s := range l.prompts {
		s.computed += s.chunk
		s.chunk = 0
		if s.computed < s.context() {
			kept = append(kept, s)
			continue
		}
		if e.emit(s, at) {
			e.running.remove(s)
			e.release(s)
		} else {
			e.dec.join(s)
		}
	}
	clear(l.prompts[len(kept):])
	l.prompts = kept
}

// tick brings everybody who decodes one token. Only those whose last one it
// is need attention, unless somebody wants to hear of every token.
func (l *lockstep) tick(e *Engine, at time.Duration) {
	e.dec.tick()
	if e.dec.drafted {
		l.verify(e, at)
		return
	}
	e.stats.GeneratedTokens += int64(e.dec.n)
	if e.cfg.KeepTicks {
		e.ticks = append(e.ticks, at)
	}
	if e.cfg.CountTokens {
		l.count(e, at)
		return
	}
	if e.cfg.SkipTokens && e.dec.fresh == 0 {
		for s := e.dec.finished(); s != nil; s = e.dec.finished() {
			l.finishDecoding(e, s, at)
		}
		return
	}
	for s := e.running.first; s != nil; {
		following := s.next
		if s.phase == decodes {
			l.hear(e, s, at, 0)
		}
		s = following
	}
}

// count is tick where tokens that nobody wants to hear of are counted.
func (l *lockstep) count(e *Engine, at time.Duration) {
	silent := 0
	flush := func() {
		if silent > 0 {
			e.events = append(e.events, Event{At: at, Kind: Tokens, Token: silent})
		}
		silent = 0
	}
	for s := e.running.first; s != nil; {
		following := s.next
		if s.phase == decodes {
			if s.quiet {
				silent++
			}
			if !s.quiet || s.lastTick == e.dec.ticks {
				flush()
				l.hear(e, s, at, 0)
			}
		}
		s = following
	}
	flush()
}

// hear tells of the token that s has got, and of so many drafts that came with it.
func (l *lockstep) hear(e *Engine, s *sequence, at time.Duration, drafted int) {
	n := s.base + int(e.dec.ticks)
	if !s.quiet {
		e.dec.fresh--
	}
	if n == 1 {
		e.stats.PromptTokens += int64(s.req.PromptTokens)
	}
	e.noteToken(at, s, n, drafted)
	if n == s.req.MaxTokens {
		l.finishDecoding(e, s, at)
	}
}

func (l *lockstep) finishDecoding(e *Engine, s *sequence, at time.Duration) {
	l.drop(e, s)
	e.running.remove(s)
	e.finished(s, at, Finished)
	e.release(s)
}

// drop forgets the work of a sequence that no longer runs. The step in flight
// ends when it was planned to.
func (l *lockstep) drop(e *Engine, s *sequence) {
	switch s.phase {
	case decodes:
		e.dec.leave(s)
		if e.dec.drafted {
			return // its blocks are counted in it
		}
		// What a sequence holds follows from how long its context is.
		s.private = e.cfg.blocksFor(s.req.PromptTokens+s.base+int(e.dec.started)-1+e.rules.ahead) - len(s.held)
	case fetching:
		heap.Remove(&l.fetch, s.heapIndex)
		if e.hasTiers() {
			e.fetched(s, false)
		}
	case prefilling:
		l.prompts = slices.DeleteFunc(l.prompts, func(p *sequence) bool { return p == s })
	}
}
