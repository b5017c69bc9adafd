package engine

import "time"

// makeRoom grows s, preempting others until it fits. It reports false when s
// itself had to go. A sequence that is alone always fits (Submit saw to that),
// so somebody always makes progress.
func (e *Engine) makeRoom(s *sequence, tokens int, at time.Duration) bool {
	for !e.grow(s, tokens) {
		v := e.victim()
		e.preempt(v, at)
		if v == s {
			return false
		}
	}
	return true
}

// victim is who has to give way.
func (e *Engine) victim() *sequence {
	switch e.cfg.Preemption {
	case FIFO:
		return e.running.first
	case retraction:
		return e.leastProgress()
	}
	return e.running.last
}

// preempt takes the blocks of a running sequence. Its output so far is kept
// and is computed again, together with the prompt, at its next admission.
func (e *Engine) preempt(s *sequence, at time.Duration) {
	e.leave(s)
	if e.rules.toBack {
		e.waiting.push(s)
	} else {
		e.waiting.pushFront(s)
	}
	e.stats.Preempted++
	e.note(at, s, Preempted)
}

// leave takes s from among the running, wherever it is.
func (e *Engine) leave(s *sequence) {
	e.pace.drop(e, s)
	e.running.remove(s)
	e.release(s)
}

// release gives back what s holds, from the last block to the first. What it
// leaves in the prefix cache includes the blocks of its reply that have names.
func (e *Engine) release(s *sequence) {
	if s.phase == decodes && len(s.req.Blocks) > len(s.held) {
		computing := len(e.coming)
		e.nameBlocks(s, min(len(s.req.Blocks), (s.context()-1)/e.cfg.BlockSize))
		e.came(computing) // a reply is there already
	}
	if e.hasTiers() {
		e.renew(s.held)
	}
	e.adapters.give(s.req.Adapter)
	e.pool.give(s.private)
	e.holding -= s.private + len(s.held)
	e.reserved -= e.whole(s)
	for i := len(s.held) - 1; i >= 0; i-- {
		e.pool.deref(s.held[i])
	}
	s.held, s.private = s.held[:0], 0
	s.computed, s.chunk, s.phase = 0, 0, inQueue
	e.stuck = false
}

// remove is the end of a cancelled request. It may have finished between the
// call of Cancel and its time.
func (e *Engine) remove(s *sequence, at time.Duration) {
	if e.byID[s.req.ID] != s {
		return
	}
	if s.phase == inQueue {
		e.waiting.remove(s)
		e.stuck = false
	} else {
		e.leave(s)
	}
	e.finished(s, at, Cancelled)
}

// emit gives s the token that follows from its complete context, outside of
// decode steps, and reports whether it was the last one here. The caller takes
// a finished sequence from among the running.
func (e *Engine) emit(s *sequence, at time.Duration) (last bool) {
	s.generated++
	e.stats.GeneratedTokens++
	if s.generated == 1 {
		e.stats.PromptTokens += int64(s.req.PromptTokens)
	}
	e.noteToken(at, s, s.generated, 0)
	switch {
	case s.generated == s.req.MaxTokens:
		e.finished(s, at, Finished)
	case e.cfg.Role == PrefillOnly:
		e.finished(s, at, HandedOver)
	default:
		return false
	}
	return true
}

// finished is the last that is heard of s.
func (e *Engine) finished(s *sequence, at time.Duration, k Kind) {
	delete(e.byID, s.req.ID)
	switch k {
	case Finished:
		e.stats.Finished++
	case HandedOver:
		e.stats.HandedOver++
	case Cancelled:
		e.stats.Cancelled++
	}
	e.note(at, s, k)
}

// note tells of s, whose tokens are counted in s.
func (e *Engine) note(at time.Duration, s *sequence, k Kind) {
	e.events = append(e.events, Event{At: at, ID: s.req.ID, Kind: k, Token: s.generated})
}

// noteToken tells of the n-th token, if anybody wants to know, with so many drafts
// among those before it.
func (e *Engine) noteToken(at time.Duration, s *sequence, n, drafted int) {
	if s.quiet && e.cfg.SkipTokens {
		return
	}
	s.quiet = true
	ev := Event{At: at, ID: s.req.ID, Kind: Token, Token: n, Drafted: drafted}
	if e.cfg.KeepTicks {
		ev.Tick = e.dec.ticks
	}
	e.events = append(e.events, ev)
}

// tokens is how many tokens s has.
func (e *Engine) tokens(s *sequence) int {
	if s.phase == decodes {
		return s.base + int(e.dec.ticks)
	}
	return s.generated
}

// share is the share of the KV blocks in use.
func (e *Engine) share() float64 { return float64(e.pool.active) / float64(e.cfg.NumGPUBlocks) }
