package openai

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"headway/internal/wire"
	"headway/record"
)

// scenario is something that a server does wrong over time, and what becomes of
// the request.
type scenario struct {
	name    string
	server  func(net.Conn, *http.Request)
	class   record.Class
	message string
}

func scenarios() []scenario {
	drip := func(text string) func(net.Conn, *http.Request) {
		return func(c net.Conn, _ *http.Request) {
			for i := range len(text) {
				if _, err := io.WriteString(c, text[i:i+1]); err != nil {
					return
				}
			}
		}
	}
	// A write is of kilobytes, since megabytes are written until a client gives up.
	forever := func(head, piece string) func(net.Conn, *http.Request) {
		piece = strings.Repeat(piece, 1+4096/len(piece))
		return func(c net.Conn, _ *http.Request) {
			for _, err := io.WriteString(c, head); err == nil; _, err = io.WriteString(c, piece) {
			}
		}
	}
	return []scenario{
		{"a byte at a time", drip(headChunked + chunked(chunk("a")) + chunked(endMarker) + "0\r\n\r\n"), "", ""},
		{"headers of megabytes", forever("HTTP/1.1 200 OK\r\n", "X-Filler: "+strings.Repeat("x", 4000)+"\r\n"),
			"garbage", "1048576"},
		{"one endless header", forever("HTTP/1.1 200 OK\r\nX: ", strings.Repeat("x", 4000)), "garbage", ""},
		{"interim replies without end", forever("", "HTTP/1.1 102 Processing\r\n\r\n"), "garbage", ""},
		{"a chunk that is longer than it says", script(headChunked + "4\r\ndata: {}\n\n\r\n0\r\n\r\n"), "garbage",
			"malformed chunked encoding"},
		{"a chunk that is shorter than it says", script(headChunked + "fff\r\n" + chunk("a")), "truncated",
			"closed by the server"},
		{"a chunk of 2^63 bytes", script(headChunked + "8000000000000000\r\n" + chunk("a")), "truncated",
			"closed by the server"},
		{"comments without end", forever(headChunked, chunked(": ping\n\n")), "too_large",
			"larger than the tokens asked for can need"},
		{"chunks of text without end", forever(headChunked, chunked(chunk("a"))), "too_large",
			"more events than the tokens asked for"},
		{"text in one event without end", forever(headChunked+"fffffff\r\ndata: ", strings.Repeat("x", 4000)),
			"too_large", "larger than the tokens asked for can need"},
		{"a whole reply without end", forever("HTTP/1.1 200 OK\r\nContent-Type: "+
			"application/json\r\n\r\n", strings.Repeat(" ", 4000)), "too_large",
			"larger than the tokens asked for can need"},
		{"a length beyond all bounds", forever("HTTP/1.1 200 OK\r\nContent-Type: "+
			"application/json\r\nContent-Length: 9223372036854775807\r\n\r\n", strings.Repeat(" ", 4000)),
			"too_large", ""},
		{"200,000 choices",
			script(headChunked + chunked("data: {\"choices\":[{}"+strings.Repeat(",{}", 200_000)+"]}\n\n")),
			"too_large", "more values"},
		{"a refusal without end", forever("HTTP/1.1 500 No\r\n\r\n", "[[[[[[[["), "http_5xx", "[[["},
		{"silence", func(c net.Conn, _ *http.Request) { _, _ = io.Copy(io.Discard, c) }, "timeout",
			"no end of the reply"},
		{"tool calls without end",
			forever(headChunked, chunked(`data: {"choices":[{"delta":{"tool_calls":[{"index":0,`+
				`"function":{"arguments":"`+strings.Repeat("x", 2000)+`"}}]}}]}`+"\n\n")), "too_large", ""},
		{"reasoning without end",
			forever(headChunked, chunked(`data: {"choices":[{"delta":{"reasoning_content":"`+strings.Repeat("x", 2000)+
				`"}}]}`+"\n\n")), "too_large", ""},
		{"unknown lines without end", forever(headChunked, chunked("nonsense\n")), "too_large",
			"larger than the tokens asked for can need"},
		{"usage without end", forever(headChunked, chunked(usageChunk)), "too_large",
			"more events than the tokens asked for"},
		{"more after [DONE] without end", forever(headChunked+chunked(chunk("a")+endMarker), chunked(chunk("b"))),
			"too_large", "more events than the tokens asked for"},
		{"nested arrays", script(headChunked + chunked("data: "+strings.Repeat("[", 100_000)+"\n\n")), "too_large",
			"more values"},
		{"a whole reply of 2,100,000 values", script("HTTP/1.1 200 OK\r\nContent-Type: " +
			"application/json\r\nConnection: close\r\n\r\n[" + strings.Repeat("1,", 2_090_000) + "1]"), "too_large",
			"more values"},
		{"an error of 400,000 values", script("HTTP/1.1 500 No\r\nConnection: " +
			"close\r\n\r\n{\"error\":{\"message\":[" + strings.Repeat("1,", 400_000) + "1]}}"), "http_5xx", ""},
		{"a message of a megabyte", script("HTTP/1.1 400 No\r\nConnection: " +
			"close\r\n\r\n{\"error\":{\"message\":\"" + strings.Repeat("word ", 200_000) + "\"}}"), "http_4xx",
			"word word…"},
		{"compressed", script("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Encoding: br\r\n\r\nxxx"),
			"garbage", "compressed (br), which was not asked for"},
		{"switching protocols", script("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: " +
			"x\r\n\r\nxxx"), "http", ""},
		{"redirect", script("HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n"), "http", "not followed"},
	}
}

// judge holds a Record against the failure that the scenario is.
func (s scenario) judge(t *testing.T, r *record.Record) {
	t.Helper()
	if s.class == "" {
		if r.Outcome != record.OK || contents(r) != "a" {
			t.Errorf("%v %+v", r.Outcome, r.Failure)
		}
		return
	}
	if f := r.Failure; f == nil || f.Class != s.class || !strings.Contains(f.Message, s.message) {
		t.Errorf("failure %+v, want %s: …%s…", f, s.class, s.message)
	}
	if r.HTTP.BytesReceived > 16<<20 {
		t.Errorf("%d bytes were read", r.HTTP.BytesReceived)
	}
}

// A connection that the server says it closes is not used again, and one that
// it closed without a word is found out.
func TestConnectionClose(t *testing.T) { overBoth(t, connectionClose) }

func connectionClose(t *testing.T, via string) {
	for _, head := range []string{"Connection: close\r\n", ""} {
		body := `{"choices":[{"message":{"content":"w"}}]}`
		url := rawServer(t, script(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: "+
			"application/json\r\nContent-Length: %d\r\n%s\r\n%s", len(body), head, body)))
		target := newTestTarget(t, Config{Transport: via, URLs: []string{url}})
		for i := range 3 {
			req := say("x")
			req.Index = i
			r := ask(t.Context(), target, req)
			if head == "" && r.Failure != nil && r.Failure.Class == record.ClassReset && r.HTTP.Reused {
				continue // the request crossed the close: that did happen
			}
			if r.Outcome != record.OK || r.HTTP.Reused {
				t.Errorf("%q, request %d: %v %+v, reused %v", head, i, r.Outcome, r.Failure, r.HTTP.Reused)
			}
		}
	}
}

// A run of contexts and timeouts leaves nothing behind in the watch.
func TestWatch(t *testing.T) {
	if !wire.HasPool {
		t.Skip("no epoll on this system")
	}
	leaks(t)
	silent := rawServer(t, func(c net.Conn, _ *http.Request) { _, _ = io.Copy(io.Discard, c) })
	target := newTestTarget(t, Config{URLs: []string{silent}, Timeout: 150 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	type result struct {
		i int
		*record.Record
	}
	results := make(chan result, 12)
	for i := range 12 {
		under := t.Context()
		if i%3 == 0 {
			under = ctx
		}
		go func() {
			req := say("x")
			req.Index = i
			results <- result{i, ask(under, target, req)}
		}()
		if i == 8 {
			cancel()
		}
	}
	for range 12 {
		r := <-results
		switch class := r.Failure.Class; {
		case r.i%3 != 0 && class != record.ClassTimeout, r.i == 9 && class != record.ClassCancelled:
			t.Errorf("request %d: %v", r.i, class)
		case class != record.ClassTimeout && class != record.ClassCancelled:
			// Of those that were under way the end of time may come first.
			t.Errorf("request %d: %v, want a timeout or cancelled", r.i, class)
		}
	}
	target.watch.mu.Lock()
	defer target.watch.mu.Unlock()
	if len(target.watch.groups) != 0 {
		t.Errorf("%d groups are left", len(target.watch.groups))
	}
}
