package openai

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptrace"
	"strings"
	"time"

	"headway/record"
	"headway/workload"
)

// bodyBuffer is what one read of a body takes. net/http reads 4 KiB at a time
// unless the buffer it is given is larger than that and its own is empty, so
// that this takes what a busy stream has ready.
const bodyBuffer = 8 << 10

// overHTTP is an exchange that net/http carries: any scheme, any proxy, on any
// system.
type overHTTP struct {
	exchange
	ctx    context.Context
	cancel context.CancelCauseFunc
	trace  trace
	lease  lease
	// Bytes over the connection while it was ours.
	received, sent int64
}

func newOverHTTP(ctx context.Context, x exchange) *overHTTP {
	v := &overHTTP{exchange: x}
	v.via = v
	v.ctx, v.cancel = context.WithCancelCause(ctx)
	v.trace.clock, v.trace.written, v.trace.shared = x.tape.Clock, make(chan struct{}), x.t.c.HTTP2
	return v
}

func (v *overHTTP) giveUp(cause error) { v.cancel(cause) }

func (v *overHTTP) why() error {
	if v.ctx.Err() == nil {
		return nil
	}
	return context.Cause(v.ctx)
}

// run sends the request and reads the reply; the failure says why there is
// none. All times are on the tape when it returns.
func (v *overHTTP) run(r *workload.Request) *record.Failure {
	defer v.cancel(nil)
	b, f := v.prepare(r)
	if f != nil {
		return f
	}
	v.begin()
	req, err := v.request(b)
	if err != nil {
		return v.unsendable(err)
	}
	v.trace.size = int64(len(b.data))
	stop := v.limits(r)
	f = v.roundTrip(req, b.stream)
	stop()
	if f == nil {
		v.trace.settle()
	}
	v.count()
	h, sent := v.trace.close()
	h.BytesReceived = v.received
	if h.BytesSent == 0 {
		h.BytesSent = v.sent
	}
	v.finish(h, sent, f)
	return f
}

// limits arms what ends the request early.
func (v *overHTTP) limits(r *workload.Request) (stop func()) {
	timeout := time.AfterFunc(v.t.c.Timeout, func() { v.cancel(errTimeUp) })
	if !r.Cancel {
		return func() { timeout.Stop() }
	}
	// The delay counts from the last byte sent, so the timer is started by
	// the goroutine that writes.
	giveUp := make(chan *time.Timer, 1)
	v.trace.wrote = func() {
		giveUp <- time.AfterFunc(r.CancelAfter, func() { v.cancel(errGivenUp) })
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

// request makes the HTTP request.
func (v *overHTTP) request(b body) (*http.Request, error) {
	ctx := httptrace.WithClientTrace(v.ctx, v.trace.hooks())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, v.t.servers[v.s.url].url.String(),
		bytes.NewReader(b.data))
	if err != nil {
		return nil, err
	}
	v.t.headers(req, v.s.url)
	req.Header.Set("Accept", accept(b.stream))
	req.Header.Set("Content-Type", "application/json")
	for name, value := range map[string]string{
		"X-Request-ID":       v.tape.RequestID,
		v.t.c.SessionHeader:  v.tape.CorrelationID,
		"X-Session-Affinity": v.tape.CorrelationID,
	} {
		// Written as spelt: aiperf's spelling is not the canonical one.
		req.Header.Del(name)
		req.Header[name] = []string{value}
	}
	return req, nil
}

// headers sets those that are the same for every request to one server.
func (t *Target) headers(req *http.Request, server int) {
	to := t.servers[server]
	if to.socket != "" {
		req.Host = "localhost"
	}
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
	if u := to.user; u != nil && req.Header.Get("Authorization") == "" {
		password, _ := u.Password()
		req.SetBasicAuth(u.Username(), password)
	}
}

// roundTrip sends and reads. It uses the transport and not an http.Client,
// which would follow redirects and put the address into its errors.
func (v *overHTTP) roundTrip(req *http.Request, stream bool) *record.Failure {
	resp, got, err := v.send(req)
	if err != nil {
		return v.broken(err, got)
	}
	defer func() { _ = resp.Body.Close() }() // the reply is read, or known to be broken

	if err := v.checkStatus(resp); err != nil {
		return v.broken(err, reached{connected: true, answered: true})
	}
	at, _ := v.lease.stamp()
	v.count()
	if err := v.head(headOf(resp), v.tape.Clock.At(at.At), stream); err != nil {
		return v.end(err)
	}
	return v.readBody(resp)
}

// checkStatus refuses a status line that net/http takes and the pool does not:
// another version of HTTP, which none was asked for, and a status below 100.
func (v *overHTTP) checkStatus(resp *http.Response) error {
	switch {
	case !v.t.c.HTTP2 && resp.ProtoMajor != 1:
		return fmt.Errorf("HTTP version %q is not 1.0 or 1.1", resp.Proto)
	case resp.StatusCode < 100:
		return fmt.Errorf("malformed HTTP status code %q", resp.Status[:min(3, len(resp.Status))])
	}
	return nil
}

// send is the transport's RoundTrip, repeated for as long as it finds
// connections that the server had closed (lease.lost). net/http itself does that
// only where nothing was written, or for requests that ask for nothing. It ends
// with a connection of the request's own at the latest.
func (v *overHTTP) send(req *http.Request) (resp *http.Response, got reached, err error) {
	for {
		resp, err = v.s.transport.RoundTrip(req)
		got, v.lease = v.trace.reached()
		if err == nil || got.answered || !got.reused || !v.lease.lost() || v.why() != nil {
			return resp, got, err
		}
		body, e := req.GetBody()
		if e != nil {
			return nil, got, err
		}
		req = req.Clone(req.Context())
		req.Body = body
	}
}

// headOf is what counts of a reply's head.
func headOf(resp *http.Response) replyHead {
	_, reason, _ := strings.Cut(resp.Status, " ")
	return replyHead{status: resp.StatusCode, reason: strings.TrimSpace(reason), length: resp.ContentLength,
		kind: resp.Header.Get("Content-Type"), coding: resp.Header.Get("Content-Encoding"),
		forward: resp.Header.Get("Location"),
		worker:  resp.Header.Get("X-Worker-Id")}
}

// readBody takes the body of a reply.
func (v *overHTTP) readBody(resp *http.Response) *record.Failure {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return v.end(nil) // what follows is no body but another protocol
	}
	buf := v.t.buffers.Get().(*[bodyBuffer]byte)
	defer v.t.buffers.Put(buf)
	return v.end(v.pull(resp.Body, buf[:], func() {
		s, read := v.lease.stamp()
		v.arrived(s, read)
		v.count()
	}))
}

// count notes how many bytes went over the connection while it is ours.
func (v *overHTTP) count() {
	if received, sent, ok := v.lease.bytes(); ok {
		v.received, v.sent = received, sent
	}
}
