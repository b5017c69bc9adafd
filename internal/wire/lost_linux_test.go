//go:build linux && (amd64 || arm64)

package wire

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"
)

// A server closes an idle connection while a request is on its way to it: the
// request is sent again over another, and nothing of that is an error.
func TestLostRequestIsSentAgain(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p := testPool(t, busyRate)
	if err := p.Preconnect(t.Context(), l.Addr().String(), 1, func(time.Duration) {}); err != nil {
		t.Fatal(err)
	}
	closed, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	go serveInTwoWrites(l)

	sent := 0
	h := newHearing()
	c := &Call{Server: l.Addr().String(), Request: request("/", "x"), Handler: h, Sent: func() { sent++ }}
	s := p.take(c)
	if s == nil {
		t.Fatal("nothing was opened ahead")
	}
	// Under its lock the engine cannot see that the connection is over.
	s.mu.Lock()
	_ = closed.Close()
	for quietSocket(uintptr(s.fd)) {
		runtime.Gosched() // the word of it is on its way through the kernel
	}
	s.send(c, true)
	s.mu.Unlock()

	<-h.done
	if h.err != nil || h.body.String() != "data" || sent != 2 {
		t.Errorf("the call ended with %v and %q, the request was sent %d times", h.err, &h.body, sent)
	}
	if c.Facts.Reused || c.Facts.Dialed == nil {
		t.Errorf("the facts are of the connection that was closed: %+v", c.Facts)
	}
}

// A request that reached the server is not sent again, whatever becomes of it.
func TestAnsweredByHangingUp(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	asked := make(chan error, 8)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, err = http.ReadRequest(bufio.NewReader(c))
			asked <- err
			_ = c.Close() // without a word
		}
	}()
	p := testPool(t, busyRate)
	if err := p.Preconnect(t.Context(), l.Addr().String(), 1, func(time.Duration) {}); err != nil {
		t.Fatal(err)
	}
	h := newHearing()
	p.Do(t.Context(),
		&Call{Server: l.Addr().String(), Request: []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), Handler: h})
	<-h.done
	if !errors.Is(h.err, io.EOF) {
		t.Errorf("the call ended with %v", h.err)
	}
	if err := <-asked; err != nil || len(asked) != 0 {
		t.Errorf("the server read %v, and %d requests more", err, len(asked))
	}
}
