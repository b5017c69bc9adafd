// Package openai speaks the OpenAI API for chat and text completions, as a
// client that measures and as a server.
//
// The client side is a [Target]: it makes a request's body ([Body]), sends it
// over net/http and writes onto a record.Tape when what arrived. Requests flow
// down, workload → Body → wire; stamps flow up, wire → Target → Tape. Tokens
// are not counted on that path: a [Counter], a record.Sink, does that once the
// request is over.
//
// The package computes no durations, keeps no statistics, retries nothing and
// follows no redirect: each of these would hide what the server did.
//
// # When a chunk arrived
//
// The stamp of an event is the one that its connection has right after the
// read of the body that completed the event: with kernel stamps, the time at
// which the packet came in. That is too late in one case: net/http's reader of
// chunked bodies goes on to the next chunk when that chunk's size line is
// already there, and waits for its data. A server that sends the size line of
// a chunk together with the chunk before, and the data in a later packet,
// therefore gives both events the later stamp; the second of them is then
// marked Together. Servers write a chunk in one piece, so this is rare.
package openai

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"headway/internal/wire"
	"headway/record"
	"headway/workload"
)

// Target sends requests to the servers of a Config. It is safe for use by
// several goroutines; one made by NewTarget is ended by Close.
type Target struct {
	c        Config
	writer   writer
	urls     []*url.URL // of the endpoint, without user and password
	users    []*url.Userinfo
	secrets  *strings.Replacer
	pooled   *http.Transport // nil where each session has its own
	sessions sessions
	readers  sync.Pool // of *reader
	running  sync.WaitGroup
	nonce    [16]byte // makes this target's ids differ from every other's
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
	t := &Target{c: c, writer: w, secrets: secretsOf(c)}
	t.sessions.open = make(map[sessionKey]*session)
	t.readers.New = func() any { return newReader() }
	for _, s := range c.URLs {
		u, err := parseURL(s)
		if err != nil {
			return nil, err
		}
		full := join(u, c.path())
		full.User = nil
		t.urls, t.users = append(t.urls, full), append(t.users, u.User)
	}
	if c.ConnectionReuse != ReuseSticky {
		t.pooled = newTransport(c)
	}
	if _, err := rand.Read(t.nonce[:]); err != nil {
		return nil, fmt.Errorf("drawing random bytes for request ids: %w", err)
	}
	return t, nil
}

// newTransport makes net/http do what a measurement needs: HTTP/1.1 over
// connections that take arrival times, nothing between here and the server,
// bodies as they came, and no limit on connections.
func newTransport(c Config) *http.Transport {
	tr := &http.Transport{
		DialContext:           dialLeased(&wire.Dialer{}),
		TLSClientConfig:       &tls.Config{InsecureSkipVerify: c.InsecureSkipVerify},
		TLSNextProto:          map[string]func(string, *tls.Conn) http.RoundTripper{},
		DisableCompression:    true,
		DisableKeepAlives:     c.ConnectionReuse == ReuseNever,
		MaxIdleConnsPerHost:   1 << 20,
		IdleConnTimeout:       300 * time.Second,
		ExpectContinueTimeout: time.Second,
	}
	if c.TrustEnv {
		tr.Proxy = http.ProxyFromEnvironment
	}
	return tr
}

// Start begins a request and returns at once; see load.Target. Later turns of
// a session are sent with everything that was said before, unless the request
// has a Payload. A turn whose session ended early, because a turn failed,
// begins it anew.
func (t *Target) Start(ctx context.Context, r workload.Request, tape *record.Tape, done func()) {
	s := t.sessions.enter(r, func(n int) *session { return t.begin(n, r) })
	t.running.Go(func() {
		t.exchange(ctx, r, s, tape)
		done()
	})
}

// begin makes the session that r opens, the n-th of all.
func (t *Target) begin(n int, r workload.Request) *session {
	s := &session{id: t.id("session", int(r.Phase), r.Session), url: n % len(t.urls), transport: t.pooled}
	if s.transport == nil {
		s.transport = newTransport(t.c)
	}
	return s
}

// exchange makes one request from its body to its outcome.
func (t *Target) exchange(ctx context.Context, r workload.Request, s *session, tape *record.Tape) {
	tape.URL = t.urls[s.url].String()
	tape.CorrelationID = s.id
	if tape.RequestID == "" {
		tape.RequestID = t.id("request", int(r.Phase), fmt.Sprint(r.Session, " ", r.Turn, " ", r.Index))
	}
	x := &exchange{t: t, r: r, s: s, tape: tape}
	if f := x.run(ctx); f != nil {
		f.Message = t.secrets.Replace(f.Message)
		tape.Fail(f)
	} else {
		tape.Outcome = record.OK
	}
	if tape.Outcome == record.OK && r.Turn < r.Turns-1 {
		x.remember()
		return
	}
	t.sessions.leave(r)
	if s.transport != t.pooled {
		s.transport.CloseIdleConnections()
	}
}

// Close waits for the requests that run and closes all connections. End their
// contexts first to be quick. No Start may follow.
func (t *Target) Close() {
	t.running.Wait()
	for _, s := range t.sessions.clear() {
		s.transport.CloseIdleConnections()
	}
	if t.pooled != nil {
		t.pooled.CloseIdleConnections()
	}
}

// id is a name in the form of a random UUID (RFC 9562, version 4). It follows
// from what it names and a random number of this target, so that all turns of
// a session have the same without a table of them.
func (t *Target) id(kind string, phase int, name string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s %x %d %s", kind, t.nonce, phase, name)
	b := h.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// secretsOf finds what must not be in a message; servers repeat keys that they
// refuse.
func secretsOf(c Config) *strings.Replacer {
	var pairs []string
	hide := func(s string) {
		if s != "" {
			pairs = append(pairs, s, "<redacted>")
		}
	}
	hide(c.APIKey)
	for name, values := range c.Headers {
		for _, v := range values {
			if secretHeader(name) {
				hide(v)
				_, credentials, _ := strings.Cut(v, " ")
				hide(credentials)
			}
		}
	}
	for _, s := range c.URLs {
		if u, err := parseURL(s); err == nil && u.User != nil {
			hide(u.User.String())
			password, _ := u.User.Password()
			hide(password)
		}
	}
	return strings.NewReplacer(pairs...)
}

// secretHeader reports whether a header's value is a credential.
func secretHeader(name string) bool {
	switch strings.ToLower(name) {
	case "authorization", "proxy-authorization", "x-api-key", "api-key", "ocp-apim-subscription-key",
		"x-goog-api-key", "x-functions-key", "aeg-sas-key", "x-amz-security-token":
		return true
	}
	return false
}
