package openai

import (
	"context"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"headway/internal/wire"
	"headway/record"
)

func TestPreconnect(t *testing.T) {
	leaks(t)
	for _, tt := range []struct {
		via    string
		reuse  string
		secure bool
	}{
		{TransportStd, ReusePooled, false}, {TransportStd, ReusePooled, true}, {TransportStd, ReuseSticky, false},
		{TransportEpoll, ReusePooled, false}, {TransportEpoll, ReuseSticky, false}, {TransportEpoll, ReuseNever, false},
	} {
		if tt.via == TransportEpoll && !wire.HasPool {
			continue
		}
		conns := make(chan net.Conn, 64)
		s := unstarted(t, whole)
		s.Config.ConnState = func(c net.Conn, st http.ConnState) {
			if st == http.StateNew {
				conns <- c
			}
		}
		if tt.secure {
			s.StartTLS()
		} else {
			s.Start()
		}
		target := newTestTarget(t,
			Config{Transport: tt.via, URLs: []string{s.URL}, ConnectionReuse: tt.reuse, InsecureSkipVerify: true})
		if err := target.Preconnect(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
		if took := target.Opened(); len(took) != 5 || took[0] <= 0 || !slices.IsSorted(took) {
			t.Errorf("%+v: the connections took %v", tt, took)
		}
		for range 5 {
			<-conns // the server may hear of them later than the client
		}
		for i := range 3 {
			req := say("x")
			req.Index = i
			r := ask(t.Context(), target, req)
			if r.Outcome != record.OK || !r.HTTP.Reused || r.HTTP.ConnectStart.Known() || r.HTTP.TLSDone.Known() {
				t.Errorf("%+v: %v %+v, %+v", tt, r.Outcome, r.Failure, r.HTTP)
			}
		}
		if n := len(conns); n != 0 {
			t.Errorf("%+v: %d more connections than were asked for", tt, n)
		}
		s.Close()
		gone := newTestTarget(t, Config{Transport: tt.via, URLs: []string{s.URL}, InsecureSkipVerify: true})
		if err := gone.Preconnect(t.Context(), 2); err == nil ||
			!strings.Contains(err.Error(), "opening 2 connections") {
			t.Errorf("nobody listens: %v", err)
		}
	}
}

// A preconnected connection that the server has closed meanwhile is not used.
func TestPreconnectStale(t *testing.T) { overBoth(t, preconnectStale) }

func preconnectStale(t *testing.T, via string) {
	s := unstarted(t, whole)
	l := &closing{Listener: s.Listener, left: 3, closed: make(chan struct{}, 3)}
	s.Listener = l
	s.Start()
	target := newTestTarget(t, Config{Transport: via, URLs: []string{s.URL}})
	if err := target.Preconnect(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		<-l.closed
	}
	if r := ask(t.Context(), target, say("x")); r.Outcome != record.OK || r.HTTP.Reused {
		t.Errorf("%v %+v, reused %v", r.Outcome, r.Failure, r.HTTP.Reused)
	}
}

// A server closes a connection between the look at it and the request, which
// net/http takes for an answer to it: the request goes out again.
func TestPreconnectLost(t *testing.T) {
	s := unstarted(t, whole)
	l := &handing{Listener: s.Listener, accepted: make(chan net.Conn, 1)}
	s.Listener = l
	s.Start()
	target := newTestTarget(t, Config{Transport: TransportStd, URLs: []string{s.URL}})
	if err := target.Preconnect(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	open := target.pooled.DialContext
	target.pooled.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := open(ctx, network, addr)
		target.pooled.DialContext = open
		_ = (<-l.accepted).Close()
		for wire.Of(c).Quiet() {
			runtime.Gosched() // the word of it is on its way through the kernel
		}
		return &readFirst{Conn: c, read: make(chan struct{})}, err
	}
	if r := ask(t.Context(), target, say("x")); r.Outcome != record.OK || r.HTTP.Reused || !r.HTTP.ConnectDone.Known() {
		t.Errorf("%v %+v, %+v", r.Outcome, r.Failure, r.HTTP)
	}
}

// readFirst writes once a read has come back, so that net/http has the word of a
// closed connection before it sends a request on it.
type readFirst struct {
	net.Conn
	read chan struct{}
	once sync.Once
}

func (c *readFirst) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.once.Do(func() { close(c.read) })
	return n, err
}

func (c *readFirst) Write(b []byte) (int, error) {
	<-c.read
	return c.Conn.Write(b)
}

func (c *readFirst) NetConn() net.Conn { return c.Conn }

// handing hands out the first connection that it accepts, too.
type handing struct {
	net.Listener
	accepted chan net.Conn
}

func (l *handing) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		select {
		case l.accepted <- c:
		default:
		}
	}
	return c, err
}

// A server that reads a request and hangs up has failed it, once.
func TestPreconnectHangUp(t *testing.T) { overBoth(t, preconnectHangUp) }

func preconnectHangUp(t *testing.T, via string) {
	var asked atomic.Int64
	s := unstarted(t, func(http.ResponseWriter, *http.Request) {
		asked.Add(1)
		panic(http.ErrAbortHandler)
	})
	s.Start()
	target := newTestTarget(t, Config{Transport: via, URLs: []string{s.URL}})
	if err := target.Preconnect(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	r := ask(t.Context(), target, say("x"))
	if r.Outcome != record.Failed || r.Failure.Class != record.ClassReset || asked.Load() != 1 {
		t.Errorf("%v %+v, asked %d times", r.Outcome, r.Failure, asked.Load())
	}
}

// What earlier requests left open is not opened again.
func TestPreconnectTwice(t *testing.T) { overBoth(t, preconnectTwice) }

func preconnectTwice(t *testing.T, via string) {
	s := unstarted(t, whole)
	s.Start()
	target := newTestTarget(t, Config{Transport: via, URLs: []string{s.URL}})
	for i, n := range []int{2, 2, 5} {
		if err := target.Preconnect(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		if took := target.Opened(); len(took) != n {
			t.Errorf("call %d: %d connections were opened in all, want %d", i, len(took), n)
		}
		if r := ask(t.Context(), target, say("x")); r.Outcome != record.OK || !r.HTTP.Reused {
			t.Errorf("call %d: %v %+v", i, r.Outcome, r.Failure)
		}
	}
}

// closing closes the first connections that it accepts.
type closing struct {
	net.Listener
	left   int
	closed chan struct{}
}

func (l *closing) Accept() (net.Conn, error) {
	for ; l.left > 0; l.left-- {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		_ = c.Close()
		l.closed <- struct{}{}
	}
	return l.Listener.Accept()
}
