//go:build linux && (amd64 || arm64)

package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// hearing is a Handler that keeps what it hears.
type hearing struct {
	status int
	body   bytes.Buffer
	first  chan struct{} // closed with the first piece of the body
	reads  int64
	kernel int
	err    error
	done   chan struct{}
	refuse error
}

func newHearing() *hearing {
	return &hearing{first: make(chan struct{}), done: make(chan struct{})}
}

func (h *hearing) Head(x Head, _ Stamp) error { h.status = x.Status; return nil }

func (h *hearing) Body(p []byte, at Stamp, read int64) error {
	if h.body.Len() == 0 {
		close(h.first)
	}
	h.body.Write(p)
	h.reads = read
	if at.Kernel {
		h.kernel++
	}
	return h.refuse
}

func (h *hearing) End(err error) { h.err = err; close(h.done) }

func testPool(t *testing.T, rush int) *Pool {
	t.Helper()
	before := goleak.IgnoreCurrent()
	p, err := newPool(nil, rush)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.Close()
		goleak.VerifyNone(t, before)
	})
	return p
}

func request(path, body string) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

func address(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }

func TestPoolCalls(t *testing.T) { inEachMood(t, poolCalls) }

func poolCalls(t *testing.T, rush int) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Len", fmt.Sprint(len(b)))
		for part := range bytes.Lines(b) {
			_, _ = w.Write(part)
			w.(http.Flusher).Flush()
		}
	}))
	defer s.Close()
	p := testPool(t, rush)
	var wg sync.WaitGroup
	for i := range 32 {
		wg.Go(func() {
			for k := range 20 {
				h := newHearing()
				want := strings.Repeat(fmt.Sprintf("%d.%d\n", i, k), 3)
				c := &Call{Server: address(s), Request: request("/", want), Handler: h}
				size := int64(len(c.Request))
				p.Do(t.Context(), c)
				<-h.done
				f := c.Facts
				if h.err != nil || h.status != 200 || h.body.String() != want {
					t.Errorf("%d.%d: %v, %d, %q", i, k, h.err, h.status, h.body.String())
				}
				if f.Sent != size || f.Received < int64(len(want)) || f.Reused == (f.Dialed != nil) ||
					f.GotConn.After(f.WriteEnded) || f.FirstByte.At.IsZero() {
					t.Errorf("%d.%d: facts %+v", i, k, f)
				}
			}
		})
	}
	wg.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle[idleKey{address(s), nil}]); n == 0 || n > 32 {
		t.Errorf("%d connections are kept of 32 callers'", n)
	}
}

// A request that does not fit into the socket's buffer is written when the
// server reads, while the engine serves others.
func TestPoolLargeRequest(t *testing.T) { inEachMood(t, poolLargeRequest) }

func poolLargeRequest(t *testing.T, rush int) {
	gate, arrived := make(chan struct{}), make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/large" {
			close(arrived)
			<-gate
		}
		n, _ := io.Copy(io.Discard, r.Body)
		fmt.Fprint(w, n)
	}))
	defer s.Close()
	p := testPool(t, rush)
	large, small := newHearing(), newHearing()
	sent := make(chan struct{})
	c := &Call{Server: address(s), Request: request("/large", strings.Repeat("x", 20<<20)), Handler: large,
		Sent: func() { close(sent) }}
	p.Do(t.Context(), c)
	<-arrived
	p.Do(t.Context(), &Call{Server: address(s), Request: request("/", "y"), Handler: small})
	<-small.done
	select {
	case <-sent:
		t.Error("20 MB were sent to a server that does not read")
	default:
	}
	close(gate)
	<-sent
	<-large.done
	if small.body.String() != "1" || large.body.String() != fmt.Sprint(20<<20) || large.err != nil {
		t.Errorf("%q and %q, %v", small.body.String(), large.body.String(), large.err)
	}
	if f := c.Facts; !f.FirstWrite.Before(f.WriteEnded) || f.WriteBegan.Before(f.FirstWrite) {
		t.Errorf("writes: first done %v, last from %v to %v", f.FirstWrite, f.WriteBegan, f.WriteEnded)
	}
}

func TestPoolCancel(t *testing.T) { inEachMood(t, poolCancel) }

func poolCancel(t *testing.T, rush int) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/body" {
			_, _ = io.WriteString(w, "x")
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	}))
	defer s.Close()
	p := testPool(t, rush)
	cause := errors.New("enough")
	for _, path := range []string{"/head", "/body"} {
		h := newHearing()
		sent := make(chan struct{})
		c := &Call{Server: address(s), Request: request(path, ""), Handler: h, Sent: func() { close(sent) }}
		p.Do(t.Context(), c)
		<-sent
		if path == "/body" {
			<-h.first
		}
		c.Cancel(cause)
		c.Cancel(errors.New("again"))
		<-h.done
		c.Cancel(cause) // of no effect
		if !errors.Is(h.err, cause) {
			t.Errorf("%s: %v", path, h.err)
		}
	}
	// Before there is a connection: nothing answers at a listener whose queue
	// is full, but a cancelled call must end anyway.
	h := newHearing()
	c := &Call{Server: address(s), Request: request("/head", ""), Handler: h}
	c.Cancel(cause)
	p.Do(t.Context(), c)
	<-h.done
	if !errors.Is(h.err, cause) {
		t.Errorf("cancelled before it began: %v", h.err)
	}
}

// A server that sends without end neither keeps others waiting nor is read
// beyond what its handler takes.
func TestPoolFirehose(t *testing.T) { inEachMood(t, poolFirehose) }

func poolFirehose(t *testing.T, rush int) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/small" {
			fmt.Fprint(w, "ok")
			return
		}
		filler := make([]byte, 1<<20)
		for {
			if _, err := w.Write(filler); err != nil {
				return
			}
		}
	}))
	defer s.Close()
	p := testPool(t, rush)
	var hoses []*Call
	var heard []*hearing
	for range 2 * len(p.engines) {
		h := newHearing()
		c := &Call{Server: address(s), Request: request("/hose", ""), Handler: discard{h}}
		p.Do(t.Context(), c)
		hoses, heard = append(hoses, c), append(heard, h)
	}
	for _, h := range heard {
		<-h.first
	}
	for range 8 {
		h := newHearing()
		p.Do(t.Context(), &Call{Server: address(s), Request: request("/small", ""), Handler: h})
		<-h.done
		if h.body.String() != "ok" || h.err != nil {
			t.Errorf("%q, %v", h.body.String(), h.err)
		}
	}
	full := errors.New("full")
	h := newHearing()
	h.refuse = full
	p.Do(t.Context(), &Call{Server: address(s), Request: request("/hose", ""), Handler: h})
	<-h.done
	if !errors.Is(h.err, full) {
		t.Errorf("a handler's error ended the call with %v", h.err)
	}
	for i, c := range hoses {
		c.Cancel(full)
		<-heard[i].done
	}
}

// discard keeps nothing of the body.
type discard struct{ *hearing }

func (d discard) Body([]byte, Stamp, int64) error {
	select {
	case <-d.first:
	default:
		close(d.first)
	}
	return nil
}
