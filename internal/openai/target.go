// Package openai speaks the OpenAI API for chat and text completions, as a
// client that measures and as a server.
//
// The client side is a [Target]: it makes a request's body ([Body]), sends it
// and writes onto a record.Tape when what arrived. Plain HTTP on Linux goes
// over a wire.Pool, which needs no goroutine for a stream; https, HTTP/2,
// proxies, Unix sockets and other systems over net/http. Both push what comes
// into the same exchange, and give the same Records but for the times. Requests flow
// down, workload → Body → wire; stamps flow up, wire → Target → Tape. Tokens
// are not counted on that path: a [Counter], a record.Sink, does that once the
// request is over.
//
// The package computes no durations, keeps no statistics, retries nothing that
// can have reached the server and follows no redirect: each of these would hide
// what the server did. A request is sent again where the server had closed the
// idle connection before it came, which its kernel's silence shows.
//
// # When a chunk arrived
//
// The stamp of an event is the one that its connection has right after the
// read of the body that completed the event: with kernel stamps, the time at
// which the packet came in. Over HTTP/2 it is the clock, since one connection
// carries many replies. Over net/http it is too late in one case: its reader of
// chunked bodies goes on to the next chunk when that chunk's size line is
// already there, and waits for its data. A server that sends the size line of
// a chunk together with the chunk before, and the data in a later packet,
// therefore gives both events the later stamp; the second of them is then
// marked Coalesced. Servers write a chunk in one piece, so this is rare.
package openai

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"headway/internal/bound"
	"headway/internal/wire"
	"headway/record"
	"headway/workload"
)

// Target sends requests to the servers of a Config. It is safe for use by
// several goroutines; one made by NewTarget is ended by Close.
type Target struct {
	c         Config
	writer    writer
	servers   []server
	words     wording
	memory    bound.Account   // of the replies in flight
	reading   sync.Mutex      // held while a large whole reply is read: one tree is enough
	pool      *wire.Pool      // nil where net/http carries
	outlet    *outlet         // opens the connections of net/http
	pooled    *http.Transport // nil where each session has its own
	opened    openings        // ahead of need
	sessions  sessions
	watch     watch     // over what the pool carries
	scanners  sync.Pool // of *scanner
	splitters sync.Pool // of *wire.Splitter
	buffers   sync.Pool // of *[bodyBuffer]byte
	running   sync.WaitGroup
	nonce     [16]byte // makes this target's ids differ from every other's
}

// NewTarget makes a target. c is completed with Defaults; the error lists
// every fault of it. Nothing is sent yet.
func NewTarget(c Config) (*Target, error) {
	c.Defaults()
	if err := c.Validate(); err != nil {
		return nil, err
	}
	w, err := newWriter(c)
	if err != nil {
		return nil, err
	}
	t := &Target{c: c, writer: w, words: newWording(c), memory: bound.Account{Limit: c.ReplyMemory},
		watch: watch{timeout: c.Timeout}}
	if _, err := rand.Read(t.nonce[:]); err != nil {
		return nil, fmt.Errorf("drawing random bytes for request ids: %w", err)
	}
	t.sessions.open = make(map[sessionKey]*session)
	t.scanners.New = func() any { return newScanner() }
	t.splitters.New = func() any { return new(wire.Splitter) }
	t.buffers.New = func() any { return new([bodyBuffer]byte) }
	if err := t.connect(); err != nil {
		return nil, err
	}
	return t, nil
}

// connect prepares what requests go over; nothing is opened yet.
func (t *Target) connect() error {
	secure, err := clientTLS(t.c)
	if err = errors.Join(err, sourcesAreOurs(t.c)); err != nil {
		return err
	}
	t.outlet = &outlet{dialer: newDialer(t.c), tls: secure, sockets: make(map[string]string)}
	for i := range t.c.URLs {
		s, err := newServer(t.c, i)
		if err != nil {
			return err
		}
		t.servers = append(t.servers, s)
		if s.socket != "" {
			t.outlet.sockets[s.url.Hostname()] = s.socket
		}
		if t.servers[i].prefix, err = t.prefix(i); err != nil {
			return err
		}
	}
	if t.c.TransportUsed() == TransportEpoll {
		t.pool, err = wire.NewPool(t.outlet.dialer)
		return err
	}
	if t.c.ConnectionReuse != ReuseSticky {
		t.pooled = t.outlet.transport(t.c)
	}
	return nil
}

// Start begins a request and returns at once; see load.Target. Later turns of
// a session are sent with everything that was said before, unless the request
// has a Payload. A turn whose session ended early, because a turn failed,
// begins it anew.
func (t *Target) Start(ctx context.Context, r workload.Request, tape *record.Tape, done func()) {
	if t.pool != nil {
		v, f := t.ready(&r, tape, done)
		v.send(ctx, f)
		return
	}
	x := t.enter(&r, tape)
	t.running.Go(func() {
		v := newOverHTTP(ctx, x)
		t.close(&v.exchange, v.run(&r))
		done()
	})
}

// Prepare makes a request without sending it; see load.Preparer. Over net/http,
// where a request costs more than its body does, nothing is made ahead.
func (t *Target) Prepare(r workload.Request, tape *record.Tape, done func()) (start func(context.Context)) {
	if t.pool == nil {
		return func(ctx context.Context) { t.Start(ctx, r, tape, done) }
	}
	v, f := t.ready(&r, tape, done)
	return func(ctx context.Context) { v.send(ctx, f) }
}

// ready makes what sends r over the pool. The failure is that of a request that
// cannot be made.
func (t *Target) ready(r *workload.Request, tape *record.Tape, done func()) (*overPool, *record.Failure) {
	v := &overPool{exchange: t.enter(r, tape), done: done}
	v.via = v
	return v, v.make(r)
}

// enter makes the exchange of a request, in its session.
func (t *Target) enter(r *workload.Request, tape *record.Tape) exchange {
	return t.open(r, t.sessions.enter(r, func(n int) *session { return t.begin(n, r) }), tape)
}

// begin makes the session that r opens, the n-th of all.
func (t *Target) begin(n int, r *workload.Request) *session {
	s := &session{id: t.id("session", int(r.Phase), r.Session), url: n % len(t.servers), transport: t.pooled}
	if s.transport == nil && t.pool == nil {
		s.transport = t.outlet.transport(t.c)
	}
	return s
}

// open makes the exchange of one request.
func (t *Target) open(r *workload.Request, s *session, tape *record.Tape) exchange {
	tape.URL = t.servers[s.url].shown
	tape.CorrelationID = s.id
	if tape.RequestID == "" {
		tape.RequestID = t.id("request", int(r.Phase), r.Session, strconv.Itoa(r.Turn), strconv.Itoa(r.Index))
	}
	return exchange{t: t, s: s, tape: tape, key: sessionKey{r.Phase, r.Session}, read: -1, most: t.c.limits(0)}
}

// close ends an exchange: its outcome, and what becomes of its session.
func (t *Target) close(x *exchange, f *record.Failure) {
	if f != nil {
		t.words.tell(f)
		t.servers[x.s.url].named(f)
		x.tape.Fail(f)
	} else {
		x.tape.Outcome = record.OK
	}
	if f == nil && x.turn != nil {
		x.remember()
		return
	}
	t.sessions.leave(x.key)
	t.part(x.s)
}

// part closes the connections of a session that had its own.
func (t *Target) part(s *session) {
	if t.c.ConnectionReuse != ReuseSticky {
		return
	}
	if t.pool != nil {
		t.pool.CloseIdle(t.servers[s.url].address, s)
	} else if s.transport != nil {
		s.transport.CloseIdleConnections()
	}
}

// Close waits for the requests that run and closes all connections. End their
// contexts first to be quick. No Start may follow.
func (t *Target) Close() {
	t.running.Wait()
	for _, s := range t.sessions.clear() {
		t.part(s)
	}
	if t.pooled != nil {
		t.pooled.CloseIdleConnections()
	}
	if t.pool != nil {
		t.pool.Close()
	}
	t.outlet.close()
}

// id is a name in the form of a random UUID (RFC 9562, version 4). It follows
// from what it names and a random number of this target, so that all turns of
// a session have the same without a table of them.
func (t *Target) id(kind string, phase int, name ...string) string {
	var room [128]byte
	p := append(room[:0], t.nonce[:]...)
	p = append(append(p, kind...), ' ')
	p = strconv.AppendInt(p, int64(phase), 10)
	for _, part := range name {
		p = append(append(p, ' '), part...)
	}
	b := sha256.Sum256(p)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	var id [36]byte
	hex.Encode(id[:8], b[:4])
	for i, at := range [...]int{9, 14, 19} {
		id[at-1] = '-'
		hex.Encode(id[at:at+4], b[4+2*i:6+2*i])
	}
	id[23] = '-'
	hex.Encode(id[24:], b[10:16])
	return string(id[:])
}
