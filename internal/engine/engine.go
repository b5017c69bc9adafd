// Package engine is one simulated inference worker: a continuous-batching
// scheduler over a paged KV cache, with models of how long its steps take.
//
// It has no clock of its own. Whoever holds an [Engine] says what time it is
// with every call, and is told what happened up to then and when to ask again.
// The same engine therefore serves in real time and replays a trace in virtual
// time. Requests go in through [Engine.Submit], events come out of
// [Engine.Step]; the ends of steps lie on the engine's own timeline, so a call
// that comes late shifts nothing, and one long step gives the same events as
// many short ones.
//
// What is modelled: first-come first-served admission limited by sequences, by
// tokens per step and by KV blocks; chunked prefill; preemption of the newest
// sequence, which recomputes its context, when the blocks run out. What is not
// modelled: reuse of prefixes (every prompt is computed in full), events about
// KV blocks, speculative decoding, and several ranks. The package knows no
// text, no sockets and no wall clock, and starts no goroutine.
//
// The constants and the order of work follow the mocker engine of NVIDIA
// Dynamo (ai-dynamo/dynamo, lib/mocker) as of 2025, with two differences: the
// newest sequence is preempted and not the oldest, as in its 2026 version, and
// a prefill pass yields the first token by itself, so a lone request's first
// token comes after exactly Prefill(prompt).
package engine

import (
	"fmt"
	"time"
)

// Request is what a worker is asked to do.
type Request struct {
	// ID names the request in events. It must not be in use.
	ID uint64
	// PromptTokens is the length of the prompt, at least 1.
	PromptTokens int
	// MaxTokens is how many tokens will be produced, at least 1. The engine
	// never stops early.
	MaxTokens int
}

// Kind says what an Event is about.
type Kind uint8

// The kinds of events. Every submitted request sees Admitted, then Token 1 to
// MaxTokens, then Finished, unless it is cancelled. A preempted request is
// admitted once more and goes on with the next Token.
const (
	// Admitted: the request left the queue and its prompt is being computed.
	Admitted Kind = iota
	// Token: one token was produced. Token 1 is the end of the prefill.
	Token
	// Finished: all tokens were produced; it follows the last Token directly.
	Finished
	// Preempted: the request lost its blocks and went back to the head of
	// the queue.
	Preempted
	// Cancelled: the request was taken out; nothing more follows.
	Cancelled
)

// String is the kind's name in lower case.
func (k Kind) String() string {
	names := [...]string{"admitted", "token", "finished", "preempted", "cancelled"}
	if int(k) < len(names) {
		return names[k]
	}
	return "unknown"
}

// Event is something that happened to a request at an instant of the engine's
// timeline.
type Event struct {
	At   time.Duration
	ID   uint64
	Kind Kind
	// Token counts the tokens produced so far, this one included.
	Token int
}

// Stats is the engine's present state and what it has done so far.
type Stats struct {
	// Running sequences hold KV blocks; Waiting ones do not.
	Running, Waiting int
	// KVShare is the share of the KV blocks in use, 0 to 1.
	KVShare float64
	// Submitted, Finished, Cancelled and Preempted count requests.
	Submitted, Finished, Cancelled, Preempted int64
	// PromptTokens counts the prompts of requests whose first token came;
	// GeneratedTokens counts the tokens produced; Steps the passes.
	PromptTokens, GeneratedTokens, Steps int64
}

// Engine is one worker. It is not safe for concurrent use.
type Engine struct {
	cfg  Config
	pace pace

	// inputs are requests and cancellations that are not yet reached, in
	// order of time. They are kept apart from the queue because a step that
	// starts before an input's time must not see it, however late Step is
	// called.
	inputs  fifo[input]
	waiting fifo[*sequence]
	running []*sequence // in order of admission
	byID    map[uint64]*sequence

	used   int           // KV blocks in use
	usable int           // KV blocks that admission may fill
	latest time.Duration // of all times that callers have named
	events []Event
	stats  Stats
}

// input is a submission, or a cancellation when cancel is set.
type input struct {
	at     time.Duration
	seq    *sequence
	cancel bool
}

// pace decides when the next tokens come. All sequences in step with each
// other, and each on its own, are its two implementations.
type pace interface {
	// start gives work to sequences that have none, admitting from the queue.
	start(e *Engine, at time.Duration)
	// next is the time at which the earliest work ends; false: there is none.
	next() (time.Duration, bool)
	// finish ends the work that ends at that time.
	finish(e *Engine, at time.Duration)
	// drop forgets the work of a sequence that no longer runs.
	drop(s *sequence)
}

// New makes an idle engine at time 0. The error lists every fault of cfg.
func New(cfg Config) (*Engine, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	e := &Engine{cfg: cfg, byID: map[uint64]*sequence{}}
	e.usable = cfg.usableBlocks()
	e.pace = cfg.Timing.pace(cfg)
	return e, nil
}

// TooLongError says that a request could never run, even alone.
type TooLongError struct {
	// Tokens is the request's prompt and output together, Capacity how many
	// tokens one request can have on this engine.
	Tokens, Capacity int
}

func (e *TooLongError) Error() string {
	return fmt.Sprintf("%d tokens of prompt and output do not fit: the KV cache holds at most %d for one request",
		e.Tokens, e.Capacity)
}

// Submit queues a request at the time now. It takes part in the first step
// that starts at or after now. Times must not run backwards: one that lies
// before an earlier call's is taken as that one's. A request that could never
// run is refused with a *TooLongError.
func (e *Engine) Submit(now time.Duration, r Request) error {
	switch {
	case r.PromptTokens < 1 || r.MaxTokens < 1:
		return fmt.Errorf("submitting request %d: prompt of %d and output of %d tokens: each must be at least 1",
			r.ID, r.PromptTokens, r.MaxTokens)
	case e.byID[r.ID] != nil:
		return fmt.Errorf("submitting request %d: the id is in use", r.ID)
	case e.cfg.blocksFor(r.PromptTokens+r.MaxTokens) > e.usable:
		return &TooLongError{Tokens: r.PromptTokens + r.MaxTokens, Capacity: e.usable * e.cfg.BlockSize}
	}
	s := &sequence{req: r, order: uint64(e.stats.Submitted), heapIndex: -1}
	e.byID[r.ID] = s
	e.stats.Submitted++
	e.enqueue(now, input{seq: s})
	return nil
}

// Cancel takes a request out at the time now, wherever it stands; its blocks
// are free from then on. It reports whether the request was there.
func (e *Engine) Cancel(now time.Duration, id uint64) bool {
	s := e.byID[id]
	if s == nil || s.dying {
		return false
	}
	s.dying = true
	e.enqueue(now, input{seq: s, cancel: true})
	return true
}

// enqueue keeps inputs in order of time. Nothing happens before StartupTime,
// so what comes earlier counts as coming then.
func (e *Engine) enqueue(now time.Duration, in input) {
	e.latest = max(e.latest, now)
	in.at = max(e.latest, e.cfg.StartupTime)
	e.inputs.push(in)
}

// Step advances to the time now. It returns what happened since the last call,
// in order of time and at most at now; the slice is valid until the next call.
// While busy, next is the time of the next event that can be foreseen, and
// calling earlier changes nothing. Submissions at an instant should come
// before the Step of that instant: a step that has started takes no more.
func (e *Engine) Step(now time.Duration) (events []Event, next time.Duration, busy bool) {
	e.latest = max(e.latest, now)
	e.events = e.events[:0]
	for {
		at, busy := e.next()
		if !busy || at > now {
			return e.events, at, busy
		}
		// Inputs go first, so that a request cancelled at the very end of a
		// step gets no token, and all inputs of one instant go together, so
		// that they share a step.
		if e.apply(at) == 0 {
			e.pace.finish(e, at)
		}
		e.pace.start(e, at)
	}
}

// next is the earlier of the next input and the next end of work.
func (e *Engine) next() (time.Duration, bool) {
	at, busy := e.pace.next()
	if e.inputs.len() > 0 && (!busy || e.inputs.first().at <= at) {
		return e.inputs.first().at, true
	}
	return at, busy
}

// apply takes in all inputs of one instant and returns how many there were.
func (e *Engine) apply(at time.Duration) int {
	n := 0
	for ; e.inputs.len() > 0 && e.inputs.first().at == at; n++ {
		in := e.inputs.first()
		e.inputs.pop()
		if in.cancel {
			e.remove(in.seq, at)
		} else {
			e.waiting.push(in.seq)
		}
	}
	return n
}

// Stats returns the engine's state as of the last Step. Requests submitted
// since then count as waiting.
func (e *Engine) Stats() Stats {
	s := e.stats
	s.Running, s.Waiting = len(e.running), e.waiting.len()
	for _, in := range e.inputs.all() {
		if !in.cancel {
			s.Waiting++
		}
	}
	s.KVShare = e.share()
	return s
}
