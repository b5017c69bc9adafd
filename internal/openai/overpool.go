package openai

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"headway/internal/wire"
	"headway/record"
	"headway/workload"
)

// overPool is an exchange over a connection of a wire.Pool. It has no
// goroutine: the pool's engine pushes what comes.
type overPool struct {
	exchange
	call   wire.Call
	stream bool // what was asked for
	done   func()
	cause  atomic.Pointer[error]

	cancel  *time.Timer
	watched watched
}

func (v *overPool) giveUp(cause error) {
	v.cause.CompareAndSwap(nil, &cause)
	v.call.Cancel(cause)
}

func (v *overPool) why() error {
	if p := v.cause.Load(); p != nil {
		return *p
	}
	return nil
}

// make makes the request.
func (v *overPool) make(r *workload.Request) *record.Failure {
	b, f := v.prepare(r)
	if f != nil {
		return f
	}
	to := &v.t.servers[v.s.url]
	v.stream = b.stream
	v.call.Server, v.call.Handler = to.address, v
	v.call.Request = v.t.bytes(to, v.tape, b)
	switch v.t.c.ConnectionReuse {
	case ReuseNever:
		v.call.Once = true
	case ReuseSticky:
		v.call.Key = v.s
	}
	if r.Cancel {
		after := r.CancelAfter
		v.call.Sent = func() {
			if v.cancel != nil {
				v.cancel.Stop()
			}
			v.cancel = time.AfterFunc(after, func() { v.giveUp(errGivenUp) })
		}
	}
	return nil
}

// send sends the request that was made, or ends it where making it failed; done
// is called when all is on the tape.
func (v *overPool) send(ctx context.Context, f *record.Failure) {
	v.t.running.Add(1)
	v.begin()
	if f != nil {
		defer v.t.running.Done()
		v.tape.Done = v.tape.Start
		v.t.close(&v.exchange, f)
		v.done()
		return
	}
	if ctx.Err() != nil {
		cause := context.Cause(ctx)
		v.cause.Store(&cause)
		v.over(&wire.DialError{Err: cause})
		return
	}
	v.t.watch.add(ctx, v)
	// The watch alone tells the call of the context's end, and why.
	v.t.pool.Do(context.WithoutCancel(ctx), &v.call)
}

// bytes is the whole request as it goes over the wire.
func (t *Target) bytes(to *server, tape *record.Tape, b body) []byte {
	p := make([]byte, 0, len(to.prefix)+len(b.data)+320)
	p = append(p, to.prefix...)
	line := func(name, value string) {
		p = append(append(append(append(p, name...), ": "...), value...), "\r\n"...)
	}
	line("Content-Length", strconv.Itoa(len(b.data)))
	line("Accept", accept(b.stream))
	line("Content-Type", "application/json")
	line("X-Request-ID", tape.RequestID)
	line(t.c.SessionHeader, tape.CorrelationID)
	line("X-Session-Affinity", tape.CorrelationID)
	return append(append(p, "\r\n"...), b.data...)
}

// prefix is what every request to a server begins with. net/http writes it, so
// that both transports say the same of hosts, paths and headers.
func (t *Target) prefix(i int) ([]byte, error) {
	req, err := http.NewRequest(http.MethodPost, t.servers[i].url.String(), http.NoBody)
	if err != nil {
		return nil, err
	}
	t.headers(req, i)
	for _, name := range []string{"Accept", "Content-Type", "X-Request-ID", t.c.SessionHeader, "X-Session-Affinity"} {
		req.Header.Del(name)
	}
	write := req.Write
	if t.servers[i].proxy != nil {
		write = req.WriteProxy // the whole address in the request line
	}
	if a := proxyAuthorization(t.servers[i].proxy); a != "" {
		req.Header.Set("Proxy-Authorization", a)
	}
	var w bytes.Buffer
	if err := write(&w); err != nil {
		return nil, fmt.Errorf("writing the head of requests to %s: %w", t.servers[i].shown, err)
	}
	head := bytes.TrimSuffix(w.Bytes(), []byte("\r\n"))
	return bytes.Replace(head, []byte("Content-Length: 0\r\n"), nil, 1), nil
}

// Head takes the head of the reply.
func (v *overPool) Head(h wire.Head, at wire.Stamp) error {
	head := replyHead{status: h.Status, length: h.Length,
		kind: h.Get("Content-Type"), coding: h.Get("Content-Encoding"), worker: h.Get("X-Worker-Id")}
	if h.Status < 200 || h.Status > 299 {
		head.reason, head.forward = string(bytes.TrimSpace(h.Reason)), h.Get("Location")
	}
	return v.head(head, v.tape.Clock.At(at.At), v.stream)
}

// Body takes a piece of the body.
func (v *overPool) Body(p []byte, at wire.Stamp, read int64) error {
	v.arrived(at, read)
	return v.body(p)
}

// End ends the exchange. A whole reply is parsed on a goroutine of its own: it
// may be large, and the engine has other connections to read.
func (v *overPool) End(err error) {
	if v.got.status != 0 && (v.reply.how == asWhole || v.reply.how == asSeen) {
		v.t.running.Go(func() { v.over(err) })
		return
	}
	v.over(err)
}

func (v *overPool) over(err error) {
	v.t.watch.remove(v)
	if v.cancel != nil {
		v.cancel.Stop()
	}
	f := v.outcome(err)
	h, sent := v.times()
	v.finish(h, sent, f)
	v.t.close(&v.exchange, f)
	v.done()
	v.t.running.Done()
}

// outcome is the failure that err means, nil for a good reply.
func (v *overPool) outcome(err error) *record.Failure {
	if v.got.status != 0 {
		return v.end(err)
	}
	if err == nil {
		// A reply without a head that ended well cannot be.
		err = net.ErrClosed
	}
	var dial *wire.DialError
	if errors.As(err, &dial) {
		return v.broken(dial.Err, reached{})
	}
	return v.broken(err, reached{connected: true, answered: errors.Is(err, wire.ErrMalformed)})
}

// times are the call's facts as a Record has them.
func (v *overPool) times() (h record.HTTP, sent record.Time) {
	at := func(t time.Time) record.Time {
		if t.IsZero() {
			return 0
		}
		return v.tape.Clock.At(t)
	}
	f := &v.call.Facts
	var d wire.Dialed
	if f.Dialed != nil {
		d = *f.Dialed
	}
	h = record.HTTP{
		DNSStart: at(d.DNSStart), DNSDone: at(d.DNSDone), ConnectStart: at(d.ConnectStart),
		ConnectDone: at(d.ConnectDone),
		GotConn:     at(f.GotConn), HeadersSent: at(f.FirstWrite), FirstByte: at(f.FirstByte.At),
		Reused: f.Reused, Remote: f.Remote, BytesSent: f.Sent, BytesReceived: f.Received,
	}
	sent = at(f.WriteEnded)
	// Whoever is woken by what is written may run before the write returns: the
	// bytes went when it began.
	if began := at(f.WriteBegan); h.HeadersSent == sent && began <= sent {
		h.HeadersSent = began
	}
	// The reply can arrive while the write returns. It is then said to have
	// ended with the reply's first byte, so that no wait is negative.
	if h.FirstByte.Known() && at(f.WriteBegan) <= h.FirstByte {
		sent, h.HeadersSent = min(sent, h.FirstByte), min(h.HeadersSent, h.FirstByte)
	}
	return h, sent
}
