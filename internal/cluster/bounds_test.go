package cluster

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"headway/internal/bound"
	"headway/internal/engine"
)

func dialTo(t *testing.T, e *endpoint) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(e.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

const slowHead = "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"

// A client that does not go on loses its connection: with its head, its body, or
// between requests.
func TestSlowClients(t *testing.T) {
	const short = 50 * time.Millisecond
	// Only the bound that is tried is short: a busy machine is late with the others.
	head, body, idle := Bounds{HeaderTimeout: short}, Bounds{BodyTimeout: short}, Bounds{IdleTimeout: short}
	for _, tt := range []struct {
		name, sent, want string
		bounds           Bounds
	}{
		{"nothing", "", "", head},
		{"half a head", "POST /v1/chat", "", head},
		{"half a body", fmt.Sprintf(slowHead, 100) + `{"model":`, "408 Request Timeout", body},
		{"one request", "GET /health HTTP/1.1\r\nHost: x\r\n\r\n", "200 OK", idle},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := dialTo(t, serve(t, ServerConfig{Engine: quick(), Bounds: tt.bounds}))
			if _, err := io.WriteString(c, tt.sent); err != nil {
				t.Fatal(err)
			}
			// The server ends the connection; without a bound this waits for ever.
			got, _ := io.ReadAll(c)
			if !strings.Contains(string(got), tt.want) {
				t.Errorf("the reply is %q, want %s", got, tt.want)
			}
		})
	}
}

// A client that does not read its reply loses it, and its place.
func TestUnreadReply(t *testing.T) {
	e := serve(t, ServerConfig{Engine: engine.Config{Timing: engine.Fixed{}}, MaxModelLen: 1 << 22,
		Bounds: Bounds{WriteTimeout: 50 * time.Millisecond}})
	c := dialTo(t, e)
	body := `{"model":"simulated","stream":true,"max_tokens":200000,"ignore_eos":true,"messages":[{"role":"user",` +
		`"content":"x"}]}`
	if _, err := fmt.Fprintf(c, slowHead+"%s", len(body), body); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); err != nil { // the reply has begun, and is read no further
		t.Fatal(err)
	}
	e.server.handlers.Wait()
}

// One connection more than there may be is told so, and there is room again when
// another has closed.
func TestMaxConnections(t *testing.T) {
	e := serve(t, ServerConfig{Engine: quick(), Bounds: Bounds{MaxConnections: 2}})
	ask := func(c net.Conn) string {
		if _, err := io.WriteString(c, "GET /health HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			return err.Error()
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return err.Error()
		}
		text, _ := io.ReadAll(resp.Body)
		return resp.Status + " " + string(text)
	}
	first, second := dialTo(t, e), dialTo(t, e)
	for _, c := range []net.Conn{first, second} {
		if got := ask(c); !strings.HasPrefix(got, "200") {
			t.Fatal(got)
		}
	}
	if got := ask(dialTo(t, e)); !strings.HasPrefix(got, "503") || !strings.Contains(got, "--max-connections") {
		t.Error(got)
	}
	first.Close()
	for !strings.HasPrefix(ask(dialTo(t, e)), "200") {
		// The server has not seen the end of the first yet.
	}
}

func TestBodyMemory(t *testing.T) {
	e := serve(t, ServerConfig{Engine: quick(), Bounds: Bounds{MaxBodyBytes: bound.MiB, BodyMemory: 2 * bound.MiB}})
	// Eleven pieces of a body of sixteen stay in flight and hold what they take. All
	// of it: had it still to grow, it might itself be the one that there is no room for.
	const pieces = 11
	held := dialTo(t, e)
	if _, err := fmt.Fprintf(held, slowHead+"%s", 16*bodyPiece, strings.Repeat(" ", pieces*bodyPiece)); err != nil {
		t.Fatal(err)
	}
	for e.server.bodies.Held() < 2*(pieces+1)*bodyPiece {
		runtime.Gosched()
	}
	send := func(size int) int {
		resp, err := e.client.Post(e.url+"/v1/chat/completions", "application/json",
			strings.NewReader(strings.Repeat(" ", size)))
		// The server may close before all of a body that it refuses was sent.
		if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
			return http.StatusServiceUnavailable
		}
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := send(900 << 10); got != http.StatusServiceUnavailable {
		t.Errorf("a body without room has status %d", got)
	}
	if got := send(2 << 20); got != http.StatusRequestEntityTooLarge && got != http.StatusServiceUnavailable {
		t.Errorf("a large body has status %d", got)
	}
	if got := send(100); got != http.StatusBadRequest {
		t.Errorf("a small one has status %d", got)
	}
	held.Close()
	for e.server.bodies.Held() > 0 {
		runtime.Gosched()
	}
}
