//go:build linux

package bench

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headway/internal/openai"
	"headway/load"
	"headway/record"
	"headway/workload"
)

// moods are what a server may do to a request. Each is written to the raw
// connection, which is closed afterwards but for the first.
var moods = []func(c net.Conn){
	func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 55\r\n\r\n"+
			`data: {"choices":[{"delta":{"content":"a"}}]}`+"\n\ndata: [DONE]\n\n"[:10])
	},
	func(net.Conn) {},
	func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) },
	func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Ty") },
	func(c net.Conn) { _, _ = io.WriteString(c, "\x00\x01 not HTTP") },
	func(c net.Conn) { _, _ = io.WriteString(c, "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno") },
	func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ndata:\r\nzz")
	},
	func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ndata:\r\n")
		_ = c.(*net.TCPConn).SetLinger(0)
	},
	func(c net.Conn) {
		_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\n"+strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 1200))
	},
	func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }, // silence, until the client goes
}

// misbehaving is a server whose mood is drawn anew for each request.
func misbehaving(seed uint64) *httptest.Server {
	return httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		draw := rand.New(rand.NewPCG(seed, uint64(len(body))+uint64(body[len(body)/3])<<8+rand.Uint64N(64)))
		c, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer c.Close()
		moods[draw.IntN(len(moods))](c)
	}))
}

// Every planned request has exactly one Record, whatever the server does and
// whenever the run ends, over both transports.
func TestEveryRequestHasOneRecord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		via := rapid.SampledFrom([]string{openai.TransportEpoll, openai.TransportStd}).Draw(t, "transport")
		n := rapid.IntRange(1, 60).Draw(t, "requests")
		turns := rapid.IntRange(1, 3).Draw(t, "turns")
		stop := rapid.IntRange(0, 3).Draw(t, "stop after") // in 30 ms, 0 for never
		s := misbehaving(rapid.Uint64().Draw(t, "seed"))
		defer s.Close()
		x, err := openai.NewTarget(openai.Config{URLs: []string{s.URL}, Models: []string{"m"}, Streaming: true, Transport: via,
			Timeout:         40 * time.Millisecond,
			ConnectionReuse: rapid.SampledFrom([]string{openai.ReusePooled, openai.ReuseNever, openai.ReuseSticky}).Draw(t, "reuse")})
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		all := requests(n*turns, 4)
		for i := range all {
			all[i].Session, all[i].Turn, all[i].Turns = fmt.Sprint(i/turns), i%turns, turns
			all[i].Cancel, all[i].CancelAfter = i%7 == 3, time.Duration(i%3)*time.Millisecond
		}
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		if stop > 0 {
			defer time.AfterFunc(time.Duration(stop)*10*time.Millisecond, cancel).Stop()
		}
		sink := &keep{}
		g := &load.Generator{Target: x, Sink: sink, Clock: record.NewClock()}
		if _, err := g.Run(ctx, workload.Plan{Source: source(all), Concurrency: rapid.IntRange(1, 20).Draw(t, "concurrency"), Requests: len(all)}); err != nil {
			t.Fatal(err)
		}
		seen := make([]int, len(all))
		for _, r := range sink.all {
			seen[r.Index]++
			if (r.Outcome == record.Failed || r.Outcome == record.Cancelled) != (r.Failure != nil) {
				t.Errorf("request %d: outcome %v, failure %v", r.Index, r.Outcome, r.Failure)
			}
			if r.Failure != nil && (r.Failure.Class == "" || r.Failure.Message == "") {
				t.Errorf("request %d: unclassified %+v", r.Index, r.Failure)
			}
		}
		for i, k := range seen {
			if k != 1 {
				t.Errorf("request %d has %d Records", i, k)
			}
		}
	})
}
