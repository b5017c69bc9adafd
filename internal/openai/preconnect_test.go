package openai

import (
	"net"
	"net/http"
	"slices"
	"strings"
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
		target := newTestTarget(t, Config{Transport: tt.via, URLs: []string{s.URL}, ConnectionReuse: tt.reuse, InsecureSkipVerify: true})
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
		if err := gone.Preconnect(t.Context(), 2); err == nil || !strings.Contains(err.Error(), "opening 2 connections") {
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
