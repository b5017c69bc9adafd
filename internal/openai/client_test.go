package openai

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"headway/internal/wire"
	"headway/record"
	"headway/workload"
)

// leaks fails the test when it leaves goroutines behind; call it first.
func leaks(t *testing.T) {
	t.Helper()
	before := goleak.IgnoreCurrent()
	t.Cleanup(func() { goleak.VerifyNone(t, before) })
}

// overBoth runs a test over each transport.
func overBoth(t *testing.T, test func(t *testing.T, via string)) {
	t.Helper()
	for _, via := range []string{TransportStd, TransportEpoll} {
		t.Run(via, func(t *testing.T) {
			if via == TransportEpoll && !wire.HasPool {
				t.Skip("no epoll on this system")
			}
			leaks(t)
			test(t, via)
		})
	}
}

// newTestTarget makes a target that is closed with the test.
func newTestTarget(t testing.TB, c Config) *Target {
	t.Helper()
	if c.Models == nil {
		c.Models = []string{"m"}
	}
	target, err := NewTarget(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(target.Close)
	return target
}

func ask(ctx context.Context, target *Target, r workload.Request) *record.Record {
	if r.Session == "" {
		r.Session = fmt.Sprint("s", r.Index)
	}
	r.Turns = max(r.Turns, 1)
	tape := record.NewTape(record.NewClock(), record.Record{}, nil)
	done := make(chan struct{})
	target.Start(ctx, r, tape, func() { close(done) })
	<-done
	return &tape.Record
}

func say(text string) workload.Request {
	return workload.Request{Prompt: workload.Prompt{Text: text}, OutputTokens: 8}
}

// serve answers with a handler over connections that take arrival times.
func serve(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := unstarted(t, h)
	s.Start()
	return s
}

func serveTLS(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := unstarted(t, h)
	s.StartTLS()
	return s
}

func unstarted(t testing.TB, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	l, err := wire.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Listener.Close()
	s.Listener = l
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(s.Close)
	return s
}

// rawServer hands each connection to script after it has read one request from
// it; the connection is closed when script returns.
func rawServer(t testing.TB, script func(c net.Conn, req *http.Request)) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer c.Close()
				req, err := http.ReadRequest(bufio.NewReader(c))
				if err != nil {
					return
				}
				if _, err := io.Copy(io.Discard, req.Body); err != nil {
					return
				}
				script(c, req)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		running.Wait()
	})
	return "http://" + l.Addr().String()
}

// script answers with the bytes of reply and closes the connection.
func script(reply string) func(net.Conn, *http.Request) {
	return func(c net.Conn, _ *http.Request) { _, _ = io.WriteString(c, reply) }
}

const (
	headSSE  = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
	headJSON = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n"
	headHTML = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
)

// chunk is an event with a bit of content.
func chunk(content string) string {
	return `data: {"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":` +
		string(appendString(nil, content)) + `},"finish_reason":null}]}` + "\n\n"
}

const (
	roleChunk   = `data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}` + "\n\n"
	finishChunk = `data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}` + "\n\n"
	usageChunk  = `data: {"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}}` + "\n\n"
	endMarker   = "data: [DONE]\n\n"
)

// chunked is body as one piece of a chunked reply.
func chunked(body string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(body), body) }

func contents(r *record.Record) string { return string(r.Text.Content) }

func kinds(r *record.Record) string {
	var b strings.Builder
	for _, a := range r.Arrivals {
		fmt.Fprintf(&b, "%d ", a.Kind)
	}
	return strings.TrimSpace(b.String())
}
