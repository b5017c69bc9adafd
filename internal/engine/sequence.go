package engine

import (
	"math/rand/v2"
	"slices"
	"time"
)

// sequence is a request on its way through the engine.
type sequence struct {
	req   Request
	order uint64 // of submission; breaks ties

	generated int // tokens produced
	computed  int // tokens whose keys and values are in the cache
	blocks    int // KV blocks held
	chunk     int // tokens that the step in flight computes
	// decoding is set once the context is whole. It is not the same as
	// "one token is left to compute": a prompt's last chunk can be one token.
	decoding bool
	dying    bool // a cancellation is queued

	// due, heapIndex and rng are used when every sequence has its own pace.
	due       time.Duration
	heapIndex int
	rng       *rand.Rand
}

// context is how many tokens must be in the cache before the next one can be
// produced: the prompt and everything produced so far.
func (s *sequence) context() int { return s.req.PromptTokens + s.generated }

// admit moves the head of the queue among the running and gives it the blocks
// of its whole context, or returns nil when it has to wait. It never looks
// past the head: a short request does not overtake a long one.
func (e *Engine) admit(at time.Duration) *sequence {
	if e.waiting.len() == 0 || len(e.running) >= e.cfg.MaxNumSeqs {
		return nil
	}
	s := e.waiting.first()
	need := e.cfg.blocksFor(s.context())
	if e.used+need > e.usable {
		return nil
	}
	e.waiting.pop()
	e.running = append(e.running, s)
	s.blocks = need
	e.used += need
	e.note(at, s, Admitted)
	return s
}

// grow gives s the blocks for so many tokens, or reports false when there are
// not enough. Growth may use what the watermark keeps from admission.
func (e *Engine) grow(s *sequence, tokens int) bool {
	more := e.cfg.blocksFor(tokens) - s.blocks
	if more <= 0 {
		return true
	}
	if e.used+more > e.cfg.NumGPUBlocks {
		return false
	}
	s.blocks += more
	e.used += more
	return true
}

// makeRoom grows s, preempting the newest sequences until it fits. It reports
// false when s itself was the newest and had to go. The oldest sequence always
// fits alone (Submit saw to that), so somebody always makes progress.
func (e *Engine) makeRoom(s *sequence, tokens int, at time.Duration) bool {
	for !e.grow(s, tokens) {
		newest := e.running[len(e.running)-1]
		e.preempt(newest, at)
		if newest == s {
			return false
		}
	}
	return true
}

// preempt takes the blocks of a running sequence. Its output so far is kept
// and is computed again, together with the prompt, at its next admission.
func (e *Engine) preempt(s *sequence, at time.Duration) {
	e.leave(s)
	s.computed, s.decoding = 0, false
	e.waiting.pushFront(s)
	e.stats.Preempted++
	e.note(at, s, Preempted)
}

// leave takes s from among the running, wherever it is.
func (e *Engine) leave(s *sequence) {
	if i := slices.Index(e.running, s); i >= 0 {
		e.running = slices.Delete(e.running, i, i+1)
	}
	e.release(s)
}

// release gives back what s holds.
func (e *Engine) release(s *sequence) {
	e.pace.drop(s)
	e.used -= s.blocks
	s.blocks, s.chunk = 0, 0
}

// remove is the end of a cancelled request. It may have finished between the
// call of Cancel and its time.
func (e *Engine) remove(s *sequence, at time.Duration) {
	if e.byID[s.req.ID] != s {
		return
	}
	delete(e.byID, s.req.ID)
	if !e.waiting.remove(s) {
		e.leave(s)
	}
	e.stats.Cancelled++
	e.note(at, s, Cancelled)
}

// emit counts one token of s and reports whether it was the last. The caller
// takes a finished sequence from among the running.
func (e *Engine) emit(s *sequence, at time.Duration) (last bool) {
	s.generated++
	s.decoding = true
	e.stats.GeneratedTokens++
	if s.generated == 1 {
		e.stats.PromptTokens += int64(s.req.PromptTokens)
	}
	e.note(at, s, Token)
	if s.generated < s.req.MaxTokens {
		return false
	}
	delete(e.byID, s.req.ID)
	e.stats.Finished++
	e.note(at, s, Finished)
	return true
}

func (e *Engine) note(at time.Duration, s *sequence, k Kind) {
	e.events = append(e.events, Event{At: at, ID: s.req.ID, Kind: k, Token: s.generated})
}

// share is the share of the KV blocks in use.
func (e *Engine) share() float64 { return float64(e.used) / float64(e.cfg.NumGPUBlocks) }
