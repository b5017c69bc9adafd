// Package record holds what happened: raw times, counts and outcomes, never a
// duration. A load generator in real time or a simulator in virtual time
// makes [Record]s; metrics, reports and displays consume them. Records and
// their [Run] are the only thing that passes between the two sides, in memory
// and on disk (records.jsonl).
//
// The package refuses to compute: what a time minus another means is said in
// package metric.
package record

import (
	"fmt"
	"time"
)

// Time is an instant on the run's monotonic clock in nanoseconds. Real times
// are above zero; zero says that it did not happen.
type Time int64

// Known reports whether the event happened.
func (t Time) Known() bool { return t > 0 }

// Clock turns instants of this process into Times. The origin is one
// nanosecond before the clock was made, so that every later instant is above
// zero.
type Clock struct{ origin time.Time }

// NewClock starts a clock now.
func NewClock() Clock { return Clock{origin: time.Now().Add(-time.Nanosecond)} }

// ClockAt makes the clock whose Time 0 was at origin; for a run read back from
// a file origin has wall time only.
func ClockAt(origin time.Time) Clock { return Clock{origin: origin} }

// Origin is the wall time of Time 0.
func (c Clock) Origin() time.Time { return c.origin }

// Now is the present Time.
func (c Clock) Now() Time { return c.At(time.Now()) }

// At converts an instant that carries a monotonic reading. Instants at or
// before the origin give 1, since 0 means "did not happen".
func (c Clock) At(t time.Time) Time { return Time(max(1, t.Sub(c.origin))) }

// Wall converts back to wall time.
func (c Clock) Wall(t Time) time.Time { return c.origin.Add(time.Duration(t)) }

// Outcome is what became of a planned request.
type Outcome uint8

const (
	// Dropped was planned and never sent, since the run ended first.
	Dropped Outcome = iota
	// OK was answered with content.
	OK
	// Failed was sent and not answered as it should; Failure says why.
	Failed
	// Cancelled was sent and given up by us: on purpose, or because the run
	// ended.
	Cancelled
)

var outcomeNames = [...]string{"dropped", "ok", "failed", "cancelled"}

// String is the outcome's name in files: dropped, ok, failed, cancelled.
func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "unknown"
}

// Class sorts failures by what the user can do about them.
type Class string

// The classes of failure.
const (
	ClassDNS       Class = "dns"       // the host name has no address
	ClassRefused   Class = "refused"   // nothing listens there, or no route
	ClassTLS       Class = "tls"       // the handshake or the certificate failed
	ClassTimeout   Class = "timeout"   // the request's time was up
	ClassReset     Class = "reset"     // the connection broke before the reply began
	ClassHTTP4     Class = "http_4xx"  // the server refused the request
	ClassHTTP5     Class = "http_5xx"  // the server failed
	ClassHTTP      Class = "http"      // another status that is not success
	ClassServer    Class = "server"    // an error inside a reply that had begun with 200
	ClassAborted   Class = "aborted"   // the server gave the reply up, by its finish_reason
	ClassTruncated Class = "truncated" // the reply ended early
	ClassGarbage   Class = "garbage"   // the reply is not what the API promises
	ClassTooLarge  Class = "too_large" // the reply passed a bound of this side, see docs/limits.md
	ClassEmpty     Class = "empty"     // a success without content
	ClassCancelled Class = "cancelled" // given up by us
	ClassClient    Class = "client"    // this side could not make or send the request
)

// Failure says why a request has no usable reply.
type Failure struct {
	Class Class `json:"class"`
	// Code is the HTTP status, 499 for a cancelled request as in aiperf, 502
	// for an error or an abort inside a reply without a status of its own, and
	// 0 where there was no reply.
	Code int `json:"code,omitempty"`
	// Type is aiperf's name for it, as in error_details.type.
	Type string `json:"type"`
	// Message is the server's own message or the cause, secrets redacted.
	Message string `json:"message"`
}

// Error makes a Failure usable as an error.
func (f *Failure) Error() string { return f.Message }

// Described is the message, after the HTTP status where that is the failure.
func (f *Failure) Described() string {
	switch f.Class {
	case ClassHTTP, ClassHTTP4, ClassHTTP5:
		return fmt.Sprintf("HTTP %d: %s", f.Code, f.Message)
	}
	return f.Message
}

// Kind says what an arrival carried; bits, since one chunk can hold several.
type Kind uint8

// The kinds of text in a chunk.
const (
	Content Kind = 1 << iota
	Reasoning
	ToolCall
	Usage
)

// Text reports whether the arrival carried output of the model. Only such
// arrivals count for latencies: a chunk with a role, with usage or the end
// marker does not.
func (k Kind) Text() bool { return k&(Content|Reasoning|ToolCall) != 0 }

// Arrival is one chunk of a reply.
type Arrival struct {
	At   Time
	Kind Kind
	// Tokens is the count of this chunk's text alone, 0 until counted.
	Tokens int
	// Bytes is the length of the chunk's text.
	Bytes int
	// Coalesced is set when the chunk was read in the same read as the chunk
	// before it, so that only an upper bound of its arrival is known.
	Coalesced bool
	// UserspaceStamp is set when the time is the clock after the read and not the
	// kernel's receive time.
	UserspaceStamp bool
}

// HTTP holds the times of the connection. Those of DNS, connect and TLS are
// zero on a connection that was open already.
type HTTP struct {
	DNSStart, DNSDone         Time
	ConnectStart, ConnectDone Time
	TLSStart, TLSDone         Time
	GotConn                   Time // a connection was ours
	HeadersSent               Time // the first bytes of the request went to the wire
	FirstByte                 Time // first byte of the reply's head
	FirstBody                 Time // first byte of the reply's body
	End                       Time // last byte of the reply's body
	// FirstRead is when this program had read the first text, which the kernel
	// had received earlier where its arrival has the kernel's time.
	FirstRead                Time
	Reused                   bool
	BytesSent, BytesReceived int64
	Chunks                   int // pieces in which the body was read
	Status                   int
	Remote                   string
}

// Record is one planned request and what became of it: raw times on the run's
// monotonic clock, counts and the outcome.
type Record struct {
	Index   int
	Warmup  bool
	Session string
	Turn    int
	// RequestID and CorrelationID are the X-Request-ID and X-Correlation-ID
	// that were sent.
	RequestID, CorrelationID string
	URL                      string
	// Worker names the worker that answered, where the server says it: of Told the
	// one that decoded, else that of the header X-Worker-Id.
	Worker string
	// Told is what else the server says of the request; nil where it says nothing.
	Told *Told

	Planned Time // when the schedule wanted it sent; a free slot's time in a closed loop
	Start   Time // taken before DNS, connect and TLS: the zero of every latency, as in aiperf
	Sent    Time // the last byte of the request was written
	Ack     Time // the head of a 2xx reply was read
	Done    Time // nothing more will come
	HTTP    HTTP

	Arrivals []Arrival
	Streamed bool // the reply came as an event stream
	// Sparse is set when the Arrivals are the first and the last text alone, as
	// a simulation keeps them: nothing is known of what came between.
	Sparse bool
	// Skipped is how many chunks of the stream could not be read and are not
	// among the Arrivals.
	Skipped int
	// Finish is the finish_reason as the server said it: "stop", "length", …;
	// empty where it said none.
	Finish string
	// Unknown is how many lines of the stream were no field of one.
	Unknown int

	Outcome Outcome
	Failure *Failure

	// PlannedISL and PlannedOSL are the planned token counts, 0 where unknown.
	PlannedISL, PlannedOSL int
	// TokensIn, TokensOut and TokensReasoning are this side's counts, -1
	// until counted and where nothing could be counted.
	TokensIn, TokensOut, TokensReasoning int
	// Usage is what the server said, by the name of aiperf's usage_* metric
	// without that prefix: "prompt_tokens", "completion_tokens", …
	Usage map[string]int
	// FirstUsage is usage.completion_tokens at the first chunk with text that
	// also had usage; 0 where no chunk had both.
	FirstUsage int

	// Client is the Record with this side's counts, where those of this one are
	// the server's and ours are known too. It is in no file.
	Client *Record
	// Text is what was said, kept only until it has been counted.
	Text *Text
	// Raw is what went over the wire, nil unless it is asked for. It is in no file
	// of Records.
	Raw *Raw
}

// Raw is a request and its reply as they went over the wire.
type Raw struct {
	// Body is the request's, JSON.
	Body []byte
	// Parts are the events of a stream, or the one body of another reply.
	Parts []RawPart
}

// RawPart is an event of a stream, or the whole body of a reply that is none.
type RawPart struct {
	At   Time
	Name string // of the event, mostly ""
	Data []byte
}

// Size is about how many bytes it holds; 0 for nil.
func (w *Raw) Size() int {
	if w == nil {
		return 0
	}
	n := cap(w.Body) + 56*cap(w.Parts)
	for _, p := range w.Parts {
		n += cap(p.Data)
	}
	return n
}

// Text is the text of a request and its reply. A counting Sink reads it and
// lets it go.
type Text struct {
	Prompt    string // every text of the request joined by one space
	Content   []byte
	Reasoning []byte
	ToolCalls []byte
	// Pieces says how the reply's bytes fall on arrivals, in order.
	Pieces []Piece
}

// Piece is a run of bytes of one kind that came in one arrival.
type Piece struct {
	Arrival int // index into Record.Arrivals
	Kind    Kind
	Len     int
}

// Sink takes finished Records. Take is called from one goroutine at a time; it
// may keep the Record.
type Sink interface {
	Take(*Record) error
}
