// Package workload says what to send and when, and nothing about how it went.
//
// A [Source] yields planned [Request]s in send order; a [Plan] is a Source and
// how to drive it. Everything follows from a seed before the first byte is
// sent, so the same seed gives the same requests for any number of CPUs or
// hosts. Text is not made here: a Request holds lengths and a key, and
// internal/prompt turns them into words, late or on another machine.
//
// The package refuses to know clocks, sockets, tokenizers and results.
package workload

import (
	"encoding/json"
	"iter"
	"time"
)

// Phase says whether a request is measured.
type Phase uint8

const (
	// Profiling requests are measured.
	Profiling Phase = iota
	// Warmup requests are sent before the measurement and kept out of it.
	Warmup
)

// String is the name that aiperf's files use: "profiling" or "warmup".
func (p Phase) String() string {
	if p == Warmup {
		return "warmup"
	}
	return "profiling"
}

// Request is one planned call.
type Request struct {
	// Index is the position in the plan of its phase, from 0.
	Index int
	Phase Phase

	// At is when to send, counted from the start of the phase. It holds only
	// when Timed is set; otherwise the request waits for a free slot, or, in
	// a later turn of a session, for the reply before it.
	At    time.Duration
	Timed bool
	// Delay is the pause between the end of the previous turn's reply and
	// this turn. It holds for turns after the first that are not Timed.
	Delay time.Duration

	// Session names the conversation; never empty, unique in the plan.
	// Turn counts from 0 up to Turns-1.
	Session string
	Turn    int
	Turns   int

	Prompt Prompt
	// OutputTokens is how many tokens to ask for; 0 asks for no limit.
	OutputTokens int
	// CancelAfter drops the request so long after its body was sent, when
	// Cancel is set. Zero cancels right after sending.
	Cancel      bool
	CancelAfter time.Duration
	// Extra is a JSON object merged last into the request body.
	Extra json.RawMessage
}

// Prompt is what a Request says to the model: a length to be made into text,
// or text that was given. Exactly one of Tokens, Text, Messages and Payload is
// set once it is ready to send; internal/prompt turns Tokens into Text.
type Prompt struct {
	// Tokens is the length of the text to make, the prefix not counted.
	Tokens int
	// Planned is the length of what was made of Tokens, Prefix and
	// SystemTokens once there is text instead of them; 0 before, and where the
	// text was given and not made.
	Planned int
	// Key names the text to make: equal keys give equal text.
	Key Key
	// Prefix is put before the text; Prefix.Tokens is added to Tokens.
	Prefix Prefix

	// System is sent as a system message before everything else. When
	// SystemTokens is set it is still to be made, from SystemKey, and counts
	// beside Tokens. Every turn of a session carries it.
	System       string
	SystemKey    Key
	SystemTokens int

	Text string
	// Messages are sent as they are, after System.
	Messages []Message
	// Payload is a whole request body, sent verbatim.
	Payload json.RawMessage

	// Reference is a recorded answer; its length in tokens becomes
	// OutputTokens when that is 0.
	Reference string

	// Blocks are the ids of a trace's prefix blocks, each of BlockSize tokens
	// but the last, which may be partly filled; equal ids mean the same block
	// after the same prefix. They name the beginning of the Tokens; what they
	// do not reach is made of Key, so that it is shared with nobody.
	Blocks    []int64
	BlockSize int
	// BlockKey is the world of the ids: text and hashes of a block follow from
	// it and the id. Ids of two traces, or of two rounds through one, are kept
	// apart by it.
	BlockKey Key

	// Whole says that a later turn holds the conversation so far itself, as it
	// was recorded: what was said before must not be put before it again.
	Whole bool
}

// Length is how many tokens the prompt was planned to have, with prefix and
// system message and without the turns before it, whether its text has been
// made or not; 0 where it was given.
func (p Prompt) Length() int {
	if p.Text != "" || p.Messages != nil || p.Payload != nil {
		return p.Planned
	}
	return p.Tokens + p.Prefix.Tokens + p.SystemTokens
}

// Prefix names one of a pool of shared beginnings. The zero value is none.
type Prefix struct {
	Key    Key
	Tokens int
}

// Message is one message of a chat. Raw, when set, is the whole message as
// JSON (several parts, tool calls) and wins over Role and Content.
type Message struct {
	Role    string
	Content string
	Raw     json.RawMessage
}

// Source yields requests in send order. The turns of one session follow each
// other directly. An error ends the sequence.
type Source = iter.Seq2[Request, error]

// Plan is a Source and how to drive it. The zero value of every limit means
// that there is none.
type Plan struct {
	Source Source
	// Endless says that the Source has no end of its own: Duration ends it,
	// and what was only read ahead was never planned.
	Endless bool
	// Requests is how many the Source yields, 0 while that is not known.
	Requests int
	// Warmup comes before the Source, on the same slots and under the same
	// limits; nil is nothing. Duration counts from its end.
	Warmup *LeadIn
	// Cooldown keeps the slots of a closed loop busy from the last of the
	// Source's requests on until all of those have ended, so that they end
	// under the load under which they began; nil lets the slots run empty.
	// What of it is in flight then is given up. Its requests are of phase
	// Warmup, since they are not measured.
	Cooldown Source

	// Concurrency is how many sessions may be open at a time (a request
	// without turns is a session of one). With an untimed Source it is the
	// load: every slot starts at once, and a reply lets the next begin.
	Concurrency int
	// PrefillConcurrency is how many requests may be waiting for their first
	// token at a time.
	PrefillConcurrency int
	// ConcurrencyRamp and PrefillRamp raise the limits linearly from 1.
	ConcurrencyRamp time.Duration
	PrefillRamp     time.Duration
	// ConcurrencyPlaces and PrefillPlaces are set where the limits are parts of
	// larger ones, see [Share].
	ConcurrencyPlaces Places
	PrefillPlaces     Places
	// Bound gives every slot of a closed loop its own sessions: session k, counted
	// from 0 in each phase, runs on slot k modulo Concurrency, and slot k opens when
	// place k of the ramp does. What a slot sends then depends on its own replies
	// alone, and a loop that is split by [Share] sends what the whole does.
	// Otherwise a free slot takes the next session, whichever that is. With a timed
	// Source it changes nothing.
	Bound bool

	// Duration stops sending so long after the start: nothing is sent at that
	// instant or later. Then Grace is given to the requests in flight before
	// they are cancelled. Grace < 0 waits for all of them.
	Duration time.Duration
	Grace    time.Duration

	// FailedThreshold aborts the run when this share of the finished
	// requests failed, counted once max(Concurrency, 10) have finished.
	FailedThreshold float64
	// FailFast ends the run when the endpoint refuses one request after the
	// other for a reason that does not pass by itself (401, 404, an unknown
	// model), but not for 429 or 5xx.
	FailFast bool
}
