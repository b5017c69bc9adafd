package wire

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"sync"
	"testing"
	"time"
)

const chunks = 5

// stream serves chunks one at a time: each waits for next, and its write time
// goes to wrote. It also says what it saw of its own connection.
type stream struct {
	next  chan struct{}
	wrote chan time.Time

	mu    sync.Mutex
	conns map[string]*Conn // by the client's address
}

func (s *stream) connState(c net.Conn, _ http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c.RemoteAddr().String()] = Of(c)
}

func (s *stream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w).Flush
	if err := flush(); err != nil {
		panic(err)
	}
	for i := range chunks {
		select {
		case <-s.next:
		case <-r.Context().Done():
			return
		}
		s.wrote <- time.Now()
		fmt.Fprintf(w, "data: %d\n\n", i)
		if err := flush(); err != nil {
			panic(err)
		}
	}
}

// TestHTTP runs net/http's client and server over this package's sockets:
// chunked replies, keep-alive, with TLS and without.
func TestHTTP(t *testing.T) {
	for _, secure := range []bool{false, true} {
		t.Run(map[bool]string{false: "plain", true: "tls"}[secure], func(t *testing.T) {
			s := &stream{next: make(chan struct{}), wrote: make(chan time.Time, 1), conns: map[string]*Conn{}}
			l, err := Listen(t.Context(), "tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			srv := httptest.NewUnstartedServer(s)
			if err := srv.Listener.Close(); err != nil {
				t.Fatal(err)
			}
			srv.Listener = l
			srv.Config.ConnState = s.connState
			start, trusted := srv.Start, &tls.Config{}
			if secure {
				start = srv.StartTLS
			}
			start()
			defer srv.Close()
			if secure {
				trusted = srv.Client().Transport.(*http.Transport).TLSClientConfig
			}
			dialer := &Dialer{Timeout: 5 * time.Second, RecvBuffer: 1 << 18, SendBuffer: 1 << 18}
			tr := &http.Transport{DialContext: dialer.DialContext, TLSClientConfig: trusted}
			defer tr.CloseIdleConnections()

			first := s.fetch(t, tr, srv.URL)
			second := s.fetch(t, tr, srv.URL)
			if first != second {
				t.Error("the connection was not kept alive")
			}
			if first.BytesWritten() == 0 || first.BytesRead() == 0 {
				t.Errorf("written %d, read %d bytes", first.BytesWritten(), first.BytesRead())
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			peer := s.conns[first.LocalAddr().String()]
			if peer == nil {
				t.Fatalf("the server saw no Conn from %v", first.LocalAddr())
			}
			if peer.BytesRead() != first.BytesWritten() || peer.Stamp().At.IsZero() {
				t.Errorf("server read %d bytes, client wrote %d; stamp %+v", peer.BytesRead(),
					first.BytesWritten(), peer.Stamp())
			}
		})
	}
}

// fetch gets the stream once and checks the stamp of each chunk.
func (s *stream) fetch(t *testing.T, tr *http.Transport, url string) *Conn {
	t.Helper()
	var c *Conn
	ctx := httptrace.WithClientTrace(context.Background(), &httptrace.ClientTrace{
		GotConn: func(i httptrace.GotConnInfo) { c = Of(i.Conn) },
	})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if c == nil {
		t.Fatal("no Conn below the connection of net/http")
	}
	if before, _ := c.LastWrite(); before.Before(began) {
		t.Errorf("last write began %v before the request", began.Sub(before))
	}
	var split Splitter
	buf := make([]byte, 4096)
	for i := range chunks {
		reads := c.Reads()
		s.next <- struct{}{}
		wrote := <-s.wrote
		got := ""
		for got == "" {
			n, rerr := resp.Body.Read(buf)
			if err := split.Feed(buf[:n], func(e Event) error { got = string(e.Data); return nil }); err != nil {
				t.Fatal(err)
			}
			// The last chunk may come together with the end.
			if rerr != nil && (rerr != io.EOF || got == "") {
				t.Fatal(rerr)
			}
		}
		if got != fmt.Sprint(i) {
			t.Errorf("chunk %d is %q", i, got)
		}
		stamp := c.Stamp()
		if stamp.At.Before(wrote.Add(-slack)) || stamp.At.After(time.Now()) {
			t.Errorf("chunk %d: stamp %+v, written after %v", i, stamp, wrote)
		}
		if c.Reads() == reads {
			t.Errorf("chunk %d came without a read", i)
		}
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDialCarriesTrace(t *testing.T) {
	l, err := Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var connected string
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		ConnectDone: func(_, addr string, err error) { connected = addr },
	})
	c, err := new(Dialer).DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if connected != l.Addr().String() {
		t.Errorf("trace says connected to %q", connected)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Accept(); err == nil {
		t.Error("a closed listener accepts")
	}
}
