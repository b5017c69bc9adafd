//go:build linux && (amd64 || arm64)

package wire

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// Words that nobody asked for, and an end, close an idle connection.
func TestPoolIdle(t *testing.T) { inEachMood(t, poolIdle) }

func poolIdle(t *testing.T, rush int) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const reply = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	gone := make(chan error, 8)
	go func() {
		for after := range 3 {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r := bufio.NewReader(c)
			req, err := http.ReadRequest(r)
			if err != nil {
				gone <- err
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			_, _ = io.WriteString(c, []string{reply, reply + "more", reply}[after])
			if after == 0 {
				_, _ = io.WriteString(c, "HTTP/1.1 408 Request Timeout\r\n\r\n")
			}
			if after == 2 {
				_ = c.Close()
				gone <- nil
				continue
			}
			_, err = r.ReadByte() // until the client closes
			if err == nil {
				err = errors.New("the connection was used again")
			} else {
				err = nil
			}
			gone <- err
			_ = c.Close()
		}
	}()
	p := testPool(t, rush)
	for range 3 {
		h := newHearing()
		p.Do(t.Context(), &Call{Server: l.Addr().String(), Request: request("/", ""), Handler: h})
		<-h.done
		if h.err != nil || h.body.String() != "ok" {
			t.Errorf("%q, %v", h.body.String(), h.err)
		}
		if err := <-gone; err != nil {
			t.Error(err)
		}
	}
}

func TestPoolClose(t *testing.T) { inEachMood(t, poolClose) }

func poolClose(t *testing.T, rush int) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer s.Close()
	p, err := newPool(nil, rush)
	if err != nil {
		t.Fatal(err)
	}
	h := newHearing()
	sent := make(chan struct{})
	p.Do(t.Context(), &Call{Server: address(s), Request: request("/", ""), Handler: h, Sent: func() { close(sent) }})
	<-sent
	p.Close()
	<-h.done
	if !errors.Is(h.err, errPoolClosed) {
		t.Errorf("a call under way ended with %v", h.err)
	}
}

func TestPoolNoServer(t *testing.T) {
	p := testPool(t, busyRate)
	h := newHearing()
	p.Do(t.Context(), &Call{Server: "127.0.0.1:1", Request: request("/", ""), Handler: h})
	<-h.done
	var dial *DialError
	if !errors.As(h.err, &dial) {
		t.Errorf("error %v", h.err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	h = newHearing()
	// TEST-NET-1 (RFC 5737) answers nobody.
	p.Do(ctx, &Call{Server: "192.0.2.1:80", Request: request("/", ""), Handler: h})
	<-h.done
	if !errors.As(h.err, &dial) {
		t.Errorf("error %v", h.err)
	}
}
