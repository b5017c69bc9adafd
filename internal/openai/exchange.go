package openai

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"headway/record"
	"headway/workload"
)

// Limits on what a server may send, so that a broken one cannot take the
// client's memory with it.
const (
	maxReply     = 256 << 20 // a whole reply, not streamed
	maxErrorBody = 1 << 20   // a reply that is not a success
	// drain is how long a stream may stay open after it said [DONE].
	drain = time.Second
)

// Why a request was given up, as the cause of its context.
var (
	errTimeUp  = errors.New("the request's time is up")
	errGivenUp = errors.New("given up on purpose")
	errDrained = errors.New("the stream stayed open after its end marker")
)

// exchange is one request under way.
type exchange struct {
	t    *Target
	r    workload.Request
	s    *session
	tape *record.Tape

	ctx    context.Context
	cancel context.CancelCauseFunc
	trace  trace
	lease  lease
	reply  reply
	drain  *time.Timer // nil until the stream said [DONE]
	// Of the body's reads: the last stamp, and what it is said to be.
	at   record.Time
	user bool
	read int64
	http record.HTTP // FirstBody, End, Chunks, BytesSent, BytesReceived, Status
}

// run sends the request and reads the reply; the failure says why there is
// none. All times are on the tape when it returns.
func (x *exchange) run(ctx context.Context) *record.Failure {
	x.ctx, x.cancel = context.WithCancelCause(ctx)
	defer x.cancel(nil)

	system, history := x.s.before()
	if x.r.Prompt.System == "" {
		x.r.Prompt.System = system
	}
	b, err := x.t.writer.body(x.r, history)
	x.tape.Text.Prompt = b.texts
	var req *http.Request
	if err == nil {
		req, err = x.request(b)
	}
	if err != nil {
		x.tape.Start = x.tape.Clock.Now()
		x.tape.Done = x.tape.Start
		return &record.Failure{Class: record.ClassClient, Type: "ValueError", Message: err.Error()}
	}
	x.reserve()
	x.trace.size = int64(len(b.data))

	stop := x.limits()
	// From here on the time is the server's and the network's: making the
	// body was ours, and shows as a late start instead.
	x.tape.Start = x.tape.Clock.Now()
	f := x.roundTrip(req, b.stream)
	stop()
	if x.drain != nil {
		x.drain.Stop()
	}
	x.finish(f)
	return f
}

// limits arms what ends the request early.
func (x *exchange) limits() (stop func()) {
	timeout := time.AfterFunc(x.t.c.Timeout, func() { x.cancel(errTimeUp) })
	x.trace.clock, x.trace.written = x.tape.Clock, make(chan struct{})
	if !x.r.Cancel {
		return func() { timeout.Stop() }
	}
	// The delay counts from the last byte sent, so the timer is started by
	// the goroutine that writes.
	giveUp := make(chan *time.Timer, 1)
	x.trace.wrote = func() {
		giveUp <- time.AfterFunc(x.r.CancelAfter, func() { x.cancel(errGivenUp) })
	}
	return func() {
		timeout.Stop()
		select {
		case timer := <-giveUp:
			timer.Stop()
		default:
		}
	}
}

// reserve makes room for what the reply is expected to bring.
func (x *exchange) reserve() {
	n := min(x.r.OutputTokens, 4096) + 4
	x.tape.Arrivals = make([]record.Arrival, 0, n)
	x.tape.Text.Pieces = make([]record.Piece, 0, n)
	x.tape.Text.Content = make([]byte, 0, 6*n)
}

// request makes the HTTP request.
func (x *exchange) request(b body) (*http.Request, error) {
	ctx := httptrace.WithClientTrace(x.ctx, x.trace.hooks())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, x.t.urls[x.s.url].String(), bytes.NewReader(b.data))
	if err != nil {
		return nil, err
	}
	x.t.headers(req, x.s.url)
	accept := "application/json"
	if b.stream {
		accept = "text/event-stream"
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("Content-Type", "application/json")
	for name, value := range map[string]string{
		"X-Request-ID":       x.tape.RequestID,
		x.t.c.SessionHeader:  x.tape.CorrelationID,
		"X-Session-Affinity": x.tape.CorrelationID,
	} {
		// Written as spelt: aiperf's spelling is not the canonical one.
		req.Header.Del(name)
		req.Header[name] = []string{value}
	}
	return req, nil
}

// headers sets those that are the same for every request to one server.
func (t *Target) headers(req *http.Request, server int) {
	req.Header.Set("User-Agent", t.c.UserAgent)
	for name, values := range t.c.Headers {
		if strings.EqualFold(name, "Host") && len(values) > 0 {
			req.Host = values[0]
			continue
		}
		req.Header.Del(name)
		for _, v := range values {
			req.Header.Add(name, v)
		}
	}
	if t.c.APIKey != "" {
		req.Header.Set("Authorization", "Bearer "+t.c.APIKey)
	}
	if u := t.users[server]; u != nil && req.Header.Get("Authorization") == "" {
		password, _ := u.Password()
		req.SetBasicAuth(u.Username(), password)
	}
}

// roundTrip sends and reads. It uses the transport and not an http.Client,
// which would follow redirects and put the address into its errors.
func (x *exchange) roundTrip(req *http.Request, stream bool) *record.Failure {
	resp, err := x.s.transport.RoundTrip(req)
	if err != nil {
		return x.broken(err)
	}
	defer func() { _ = resp.Body.Close() }() // the reply is read, or known to be broken

	x.lease = x.trace.state().lease
	x.http.Status = resp.StatusCode
	head, _ := x.lease.stamp()
	x.count()
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return x.refused(resp)
	}
	x.tape.Ack = x.tape.Clock.At(head.At)
	if streamed(resp.Header.Get("Content-Type"), stream) {
		x.tape.Streamed = true
		return x.stream(resp.Body)
	}
	return x.whole(resp.Body, resp.ContentLength)
}

// streamed reports whether a reply is an event stream. Its own word counts,
// since servers ignore "stream"; one that says nothing of use has what was
// asked for.
func streamed(contentType string, asked bool) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	switch {
	case err == nil && kind == "text/event-stream":
		return true
	case err == nil && (kind == "application/json" || kind == "text/html"):
		return false
	}
	return asked
}

// next reads from the body and notes when the data arrived.
func (x *exchange) next(body io.Reader, buf []byte) (int, error) {
	n, err := body.Read(buf)
	if n > 0 {
		s, read := x.lease.stamp()
		x.at, x.user, x.read = x.tape.Clock.At(s.At), !s.Kernel, read
		if !x.http.FirstBody.Known() {
			x.http.FirstBody = x.at
		}
		x.http.End = x.at
		x.http.Chunks++
		x.count()
	}
	return n, err
}

// count notes how many bytes went over the connection while it is ours.
func (x *exchange) count() {
	if received, sent, ok := x.lease.bytes(); ok {
		x.http.BytesReceived, x.http.BytesSent = received, sent
	}
}

// finish puts the connection's times onto the tape.
func (x *exchange) finish(f *record.Failure) {
	if f == nil {
		x.trace.settle()
	}
	x.count()
	h, sent := x.trace.close()
	h.FirstBody, h.End, h.Chunks, h.Status = x.http.FirstBody, x.http.End, x.http.Chunks, x.http.Status
	h.BytesReceived = x.http.BytesReceived
	if h.BytesSent == 0 {
		h.BytesSent = x.http.BytesSent
	}
	x.tape.HTTP, x.tape.Sent = h, sent
	x.tape.Usage = x.reply.usage.named()
	x.tape.FirstUsage = x.reply.firstUsage
	x.tape.Done = h.End
	if f != nil || !h.End.Known() {
		x.tape.Done = x.tape.Clock.Now()
	}
}

// remember adds this turn and its reply to the session. A payload is nobody's
// turn.
func (x *exchange) remember() {
	if p := x.r.Prompt; p.Payload == nil {
		x.s.say(p.System, turn(p), x.reply.message(x.tape.Text.Content))
	}
}
