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
// What is modelled: a queue by priority, admission limited by sequences, by
// tokens per step and by KV blocks; chunked prefill; a prefix cache of blocks
// that are counted by reference and evicted longest unused first, with events
// about what it holds, and tiers below it that other engines may share, see [Tier];
// preemption, which recomputes the context, when the
// blocks run out; speculative decoding, see [Speculation]; slots for LoRA adapters, see
// [Config.MaxLoras]; workers that only compute prompts or only decode, and the
// transfer between them. The schedulers of several engines are one code with
// different data, see [Type]. What is not modelled: replies whose blocks have no
// name in the prefix cache (they are private to their request), several ranks in one
// engine, noise. A PrefillOnly worker does not keep the
// blocks of a request for the time of the transfer. The package knows no text,
// no sockets and no wall clock, and starts no goroutine.
//
// Steps in which all that happens is that everybody gets a token cost a few
// tens of nanoseconds each for any number of sequences, when nobody wants to
// hear of every token (Config.SkipTokens): see [decoding].
//
// The constants and the order of work follow the mocker engine of NVIDIA
// Dynamo (ai-dynamo/dynamo, lib/mocker), its scheduler since release 1.5 by
// default, the one before as [Mocker14] and that of 2025 as [Mocker2025], and
// vLLM V1 and SGLang where it follows them. A prefill pass yields the first
// token by itself, so a lone request's first token comes after exactly
// Prefill(prompt); the older two add the decode of the same pass. Blocks are
// taken chunk by chunk as in vLLM, but a request is admitted only when its
// whole context has room.
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
	// never stops early. A DecodeOnly worker is asked for what is left after
	// the first token too, but counts that one: at least 2.
	MaxTokens int
	// Blocks are hashes of the prompt's first full blocks, each of the block
	// and everything before it: equal hashes say equal prompts up to there.
	// What has no hash is never found in the prefix cache, so a prompt that
	// shares nothing needs none. Where all full blocks of the prompt have one,
	// those of the full blocks that the reply completes may follow: they are in
	// the prefix cache from when the request leaves its worker. The last token
	// of a reply has no keys and values. It must not change until the request
	// ends.
	Blocks []uint64
	// Outbound, of a request to a DecodeOnly worker, is the link out of the worker that
	// has its prompt; nil is one that nobody has to wait for.
	Outbound *Link
	// Adapter is the LoRA adapter that the request asks for, 0 is none. Blocks of
	// different adapters must have different hashes.
	Adapter uint64
	// Priority orders the queue: higher goes first, equals in order of
	// submission.
	Priority int
}

// Kind says what an Event is about.
type Kind uint8

// The kinds of events. Every submitted request sees Admitted, then Token 1 to
// MaxTokens, then Finished, unless it is cancelled. A preempted request is
// admitted once more and goes on with the next Token. With [Speculation] a Token
// may stand for several. On a PrefillOnly worker
// Token 1 is the last, and HandedOver follows where more are wanted; on a
// DecodeOnly worker Token 2 is the first.
const (
	// Admitted: the request left the queue and its prompt is being computed,
	// or transferred.
	Admitted Kind = iota
	// Token: one token was produced. Token 1 is the end of the prefill.
	Token
	// Finished: all tokens were produced; it follows the last Token directly.
	Finished
	// Preempted: the request lost its blocks and went back to the queue, to
	// its head but for SGLang.
	Preempted
	// Cancelled: the request was taken out; nothing more follows.
	Cancelled
	// HandedOver: the prompt is computed and another worker goes on.
	HandedOver
	// Tokens, with Config.CountTokens: Token of them came to sequences that are
	// not told of one by one. The event has no ID.
	Tokens
)

// String is the kind's name in lower case.
func (k Kind) String() string {
	names := [...]string{"admitted", "token", "finished", "preempted", "cancelled", "handed over", "tokens"}
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
	// Drafted, of Token, is how many accepted drafts came with it, in the same step;
	// those are counted in Token, too, and have no events of their own.
	Drafted int
	// Cached, of Admitted, is how many tokens of the context were found in
	// the prefix cache and in tiers below it; Onboarded is what of that each tier
	// brought.
	Cached    int
	Onboarded [MaxTiers]int
	// Tick, of Token and with Config.KeepTicks, says when the tokens that
	// follow come, up to the next Preempted or the end: at Ticks()[Tick],
	// Ticks()[Tick+1] and so on.
	Tick int64
}

// Engine is one worker. It is not safe for concurrent use.
type Engine struct {
	cfg   Config
	rules scheduler
	pace  pace

	// inputs are requests and cancellations that are not yet reached, in
	// order of time. They are kept apart from the queue because a step that
	// starts before an input's time must not see it, however late Step is
	// called.
	inputs  fifo[input]
	waiting queue
	running roster
	dec     decoding // those of the running that get a token with every step
	byID    map[uint64]*sequence

	pool     pool
	below    []below // by node of the pool; empty without tiers
	coming   []int32 // nodes that the step in flight computes, or the one being planned
	usable   int     // KV blocks that admission may fill
	holding  int     // blocks of all running sequences, shared ones once for each
	reserved int     // blocks that they may come to hold in the end
	stuck    bool
	cutoff   time.Duration // of arrivals that the step being planned may admit
	// admissions counts them.
	admissions uint64
	adapters   adapters
	loading    time.Duration // of adapters, still to be charged to a step
	// reach is, by position, the share of drafts that are accepted up to there.
	reach []float64

	latest  time.Duration // of all times that callers have named
	clock   time.Duration // of what is happening
	horizon time.Duration // to which Step advances
	events  []Event
	ticks   []time.Duration
	stats   Stats

	kvEvents uint64
	gone     [1]uint64

	// Scratch space of Outlook.
	ahead  []prospect
	future foreseen
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
	drop(e *Engine, s *sequence)
	// outlook is what Engine.Outlook promises.
	outlook(e *Engine, now time.Duration, s *sequence) time.Duration
}

// New makes an idle engine at time 0. The error lists every fault of cfg.
func New(cfg Config) (*Engine, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	e := &Engine{cfg: cfg, rules: schedulers[cfg.Type], byID: map[uint64]*sequence{}}
	e.usable = cfg.usableBlocks()
	e.pool = newPool(cfg.NumGPUBlocks)
	switch {
	case len(cfg.Tiers) > 0:
		e.pool.evicted = e.lost
	case cfg.OnKV != nil:
		e.pool.evicted = e.evicted
	}
	e.dec = newDecoding(cfg.BlockSize, e.rules.ahead)
	e.adapters.most = cfg.MaxLoras
	e.reach = cfg.Speculation.reach()
	e.dec.drafted = len(e.reach) > 0
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
	if err := e.check(r); err != nil {
		return err
	}
	if e.cfg.NoPrefixCaching {
		r.Blocks = nil
	}
	s := &sequence{req: r, order: uint64(e.stats.Submitted), heapIndex: -1, foreseen: -1}
	if e.cfg.Role == DecodeOnly {
		s.generated = 1
	}
	e.byID[r.ID] = s
	e.stats.Submitted++
	e.enqueue(now, input{seq: s})
	return nil
}

// check says why a request cannot be taken.
func (e *Engine) check(r Request) error {
	least := 1
	if e.cfg.Role == DecodeOnly {
		least = 2
	}
	tokens := e.cfg.tokensHere(r)
	switch {
	case r.PromptTokens < 1 || r.MaxTokens < least:
		return fmt.Errorf("submitting request %d: prompt of %d and output of %d tokens: must be at least 1 and %d",
			r.ID, r.PromptTokens, r.MaxTokens, least)
	case len(r.Blocks) > (r.PromptTokens+max(r.MaxTokens, 1)-1)/e.cfg.BlockSize:
		return fmt.Errorf("submitting request %d: %d block hashes: the %d tokens of its prompt and reply "+
			"but for the last have %d full blocks of %d", r.ID, len(r.Blocks), r.PromptTokens+r.MaxTokens,
			(r.PromptTokens+max(r.MaxTokens, 1)-1)/e.cfg.BlockSize, e.cfg.BlockSize)
	case e.byID[r.ID] != nil:
		return fmt.Errorf("submitting request %d: the id is in use", r.ID)
	case tokens > e.cfg.capacity():
		return &TooLongError{Tokens: tokens, Capacity: e.cfg.capacity()}
	}
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
// calling earlier changes nothing. With Config.SkipTokens it is when the
// present step ends, which may bring no event. Submissions at an instant should come
// before the Step of that instant: a step that has started takes no more.
func (e *Engine) Step(now time.Duration) (events []Event, next time.Duration, busy bool) {
	e.latest, e.horizon = max(e.latest, now), now
	e.events = e.events[:0]
	for {
		at, busy := e.next()
		if !busy || at > now {
			return e.events, at, busy
		}
		e.clock, e.cutoff = at, at
		// Inputs go first, so that a request cancelled at the very end of a
		// step gets no token, and all inputs of one instant go together, so
		// that they share a step.
		if e.apply(at) == 0 {
			e.pace.finish(e, at)
		}
		e.pace.start(e, at)
	}
}

// quietUntil is the last time that Step may advance to without meeting an
// input.
func (e *Engine) quietUntil() time.Duration {
	if e.inputs.len() > 0 {
		return min(e.horizon, e.inputs.first().at-1)
	}
	return e.horizon
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
			in.seq.came = at
			e.waiting.push(in.seq)
			e.stuck = false // it may go before the one that waits for room
		}
	}
	return n
}

// Ticks are the times at which decode steps ended, with Config.KeepTicks; see
// [Event]. Those that are there do not change.
func (e *Engine) Ticks() []time.Duration { return e.ticks }
