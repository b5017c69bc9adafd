package openai

import (
	"errors"
	"io"
	"mime"
	"time"

	"headway/internal/wire"
	"headway/record"
	"headway/workload"
)

// Limits on what a server may send, so that a broken one cannot take the
// client's memory with it.
const (
	maxErrorBody = 1 << 20  // a reply that is not a success
	maxLead      = 64 << 10 // blank lines before a body says what it is
	// drain is how long a stream may stay open after it said [DONE].
	drain = time.Second
)

// Why a request was given up, as the cause of its end.
var (
	errTimeUp  = errors.New("the request's time is up")
	errGivenUp = errors.New("given up on purpose")
	errDrained = errors.New("the stream stayed open after its end marker")
)

// exchange is one request under way, whatever carries it. The carrier pushes:
// head once, then arrived and body for each piece that came, then end.
type exchange struct {
	t    *Target
	s    *session
	tape *record.Tape
	via  carrier
	// turn is the request where a later turn builds on it, else nil: the
	// prompts of ten thousand requests in flight would be a lot to keep.
	turn *workload.Request
	// key finds the session among those with turns to come.
	key sessionKey

	reply reply
	drain *time.Timer // nil until the stream said [DONE]
	// Of the body's reads: the last stamp, and what it is said to be.
	at   record.Time
	lag  time.Duration
	user bool
	read int64
	got  progress
	most limits
	held int64 // bytes in the account of all replies
	raw  int   // bytes of the reply that are kept as they came
}

// progress is how much of a reply has come.
type progress struct {
	first, last record.Time // of the body's bytes
	text        record.Time // when the first text had been read
	chunks      int         // reads that brought a part of the body
	events      int         // of a stream
	bytes       int64       // of the body
	status      int
}

// carrier is a request on its way over net/http or a wire.Pool.
type carrier interface {
	// giveUp ends the request early, with a cause.
	giveUp(cause error)
	// why is the cause of the early end, nil while there is none.
	why() error
}

// replyHead is what counts of a reply's head.
type replyHead struct {
	status                int
	reason                string // as in the status line
	kind, coding, forward string // Content-Type, Content-Encoding, Location
	length                int64  // Content-Length, -1 when not said
	worker                string // X-Worker-Id, of the simulated cluster and of some routers
}

// prepare makes the request's body and room for its reply.
func (x *exchange) prepare(r *workload.Request) (body, *record.Failure) {
	system, history := x.s.before()
	if r.Prompt.System == "" && system != "" {
		with := *r
		with.Prompt.System = system
		r = &with
	}
	if r.Turn < r.Turns-1 {
		again := *r
		x.turn = &again
	}
	b, err := x.t.writer.body(r, history)
	x.tape.Text.Prompt = b.texts
	if err == nil && !validHeaderValue(x.tape.RequestID) {
		err = errors.New("the request's id holds a control character")
	}
	if err != nil {
		return body{}, x.unsendable(err)
	}
	if x.t.c.KeepRaw {
		x.tape.Raw = &record.Raw{Body: b.data}
	}
	x.most = x.t.c.limits(b.asked)
	x.reserve(r.OutputTokens)
	return b, nil
}

// begin is called when the request is made. From now on the time is the
// server's and the network's: making the body was ours, and shows as a late
// start instead.
func (x *exchange) begin() { x.tape.Start = x.tape.Clock.Now() }

// unsendable is the failure of a request that could not be made.
func (x *exchange) unsendable(err error) *record.Failure {
	x.tape.Start = x.tape.Clock.Now()
	x.tape.Done = x.tape.Start
	return &record.Failure{Class: record.ClassClient, Type: "ValueError", Message: err.Error()}
}

// reserve makes room for what the reply is expected to bring.
func (x *exchange) reserve(tokens int) {
	n := min(tokens, 4096) + 4
	x.tape.Arrivals = make([]record.Arrival, 0, n)
	x.tape.Text.Pieces = make([]record.Piece, 0, n)
	x.tape.Text.Content = make([]byte, 0, 6*n)
}

// accept is the kind of reply that a request asks for.
func accept(stream bool) string {
	if stream {
		return "text/event-stream"
	}
	return "application/json"
}

// streamed reports whether a reply is an event stream: sure by its own word,
// which counts since servers ignore "stream"; else whether it is taken for one
// where its first bytes do not say so. A type that says nothing of use has what
// was asked for.
func streamed(contentType string, asked bool) (sure, otherwise bool) {
	if contentType == "text/event-stream" {
		return true, true
	}
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case err == nil && kind == "text/event-stream":
		return true, true
	case err == nil && (kind == "application/json" || kind == "text/html"):
		return false, false
	}
	return false, asked
}

// arrived notes when a piece of the body came. read is the number of the read
// of the connection that brought it, -1 when that is not known.
func (x *exchange) arrived(s wire.Stamp, read int64) {
	at := x.tape.Clock.At(s.At)
	if read < 0 || read != x.read || x.got.chunks == 0 {
		x.got.chunks++
	}
	x.at = at
	x.lag = s.Lag
	x.user = !s.Kernel
	x.read = read
	if !x.got.first.Known() {
		x.got.first = at
	}
	x.got.last = at
}

// finish puts what was learnt onto the tape: h and sent are the connection's.
func (x *exchange) finish(h record.HTTP, sent record.Time, f *record.Failure) {
	if x.drain != nil {
		x.drain.Stop()
	}
	x.release()
	h.FirstBody = x.got.first
	h.End = x.got.last
	h.Chunks = x.got.chunks
	h.Status = x.got.status
	h.FirstRead = x.got.text
	x.tape.HTTP, x.tape.Sent = h, sent
	if x.reply.usage != nil {
		x.tape.Usage = x.reply.usage.named()
	}
	x.tape.FirstUsage = x.reply.firstUsage
	x.heard()
	x.tape.Finish, x.tape.Unknown = x.reply.finish, x.reply.rare().unknown
	x.tape.Done = h.End
	if f != nil || !h.End.Known() {
		x.tape.Done = x.tape.Clock.Now()
	}
}

// remember adds this turn and its reply to the session. A payload is nobody's
// turn.
func (x *exchange) remember() {
	if p := &x.turn.Prompt; p.Payload == nil {
		x.s.say(p.System, turn(p), x.reply.message(x.tape.Text.Content))
	}
}

// pull reads a body to its end for an exchange that is pushed, and returns
// what to call end with. note is called after each read that brought data.
func (x *exchange) pull(body io.Reader, buf []byte, note func()) error {
	for {
		n, err := body.Read(buf)
		if n > 0 {
			note()
			if e := x.body(buf[:n]); e != nil {
				return e
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
