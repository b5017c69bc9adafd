package study

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"headway/internal/openai"
	"headway/load"
	"headway/record"
	"headway/workload"
)

// TestEveryRequestHasOneRecord drives random plans over real sockets at a
// server that misbehaves at random, ended at a random moment, on both
// transports: each planned request has exactly one Record, which says what
// became of it and not two things at once.
func TestEveryRequestHasOneRecord(t *testing.T) {
	for _, transport := range []string{"auto", "std"} {
		t.Run(transport, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { everyRequest(rt, transport) })
		})
	}
}

func everyRequest(rt *rapid.T, transport string) {
	n := rapid.IntRange(1, 40).Draw(rt, "requests")
	url, stop := wildServer(rt, rapid.Uint64().Draw(rt, "server"))
	defer stop()
	target, err := openai.NewTarget(openai.Config{URLs: []string{url}, Models: []string{"m"}, Streaming: true,
		Transport: transport, Timeout: 150 * time.Millisecond,
		ConnectionReuse: rapid.SampledFrom([]string{openai.ReusePooled, openai.ReuseNever, openai.ReuseSticky}).Draw(
			rt, "reuse")})
	if err != nil {
		rt.Fatal(err)
	}
	defer target.Close()
	end := time.Duration(rapid.IntRange(1, 400).Draw(rt, "end_ms")) * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), end)
	defer cancel()
	kept := &keep{}
	g := &load.Generator{Target: target, Sink: kept, Clock: record.NewClock()}
	if _, err := g.Run(ctx, wildPlan(rt, n)); err != nil {
		rt.Fatal(err)
	}
	seen := make([]int, n)
	for _, r := range kept.records {
		seen[r.Index]++
		if fault := contradiction(r); fault != "" {
			rt.Errorf("request %d, %v, %+v: %s", r.Index, r.Outcome, r.Failure, fault)
		}
	}
	for i, k := range seen {
		if k != 1 {
			rt.Errorf("request %d has %d records", i, k)
		}
	}
}

// contradiction is what a Record says twice in different ways.
func contradiction(r *record.Record) string {
	switch {
	case (r.Outcome == record.OK) != (r.Failure == nil) && r.Outcome != record.Dropped:
		return "outcome and failure differ"
	case r.Failure != nil && (r.Failure.Class == "" || r.Failure.Message == ""):
		return "a failure without class or message"
	case r.Outcome == record.Dropped && (r.Start.Known() || len(r.Arrivals) > 0):
		return "dropped, and sent"
	case r.Outcome != record.Dropped && !r.Done.Known():
		return "sent, and without an end"
	case r.Outcome == record.OK && len(r.Arrivals) == 0:
		return "answered, and without an arrival"
	}
	last := r.Start
	for i, a := range r.Arrivals {
		if a.At < last || a.At > r.Done {
			return fmt.Sprintf("arrival %d lies before the one before it or after the end", i)
		}
		last = a.At
	}
	return ""
}

type keep struct{ records []*record.Record }

// Take keeps the Record.
func (k *keep) Take(r *record.Record) error {
	k.records = append(k.records, r)
	return nil
}

func wildPlan(rt *rapid.T, n int) workload.Plan {
	turns := rapid.IntRange(1, 3).Draw(rt, "turns")
	timed := rapid.Bool().Draw(rt, "timed")
	cancel := rapid.IntRange(2, 12).Draw(rt, "cancel every")
	return workload.Plan{Requests: n, Concurrency: rapid.IntRange(1, 8).Draw(rt, "concurrency"),
		Source: func(yield func(workload.Request, error) bool) {
			for i := range n {
				first := i - i%turns
				r := workload.Request{Index: i, Session: fmt.Sprint(first), Turn: i % turns, Turns: min(turns, n-first),
					Prompt: workload.Prompt{Text: "x"}, OutputTokens: 3}
				r.Timed, r.At = timed && r.Turn == 0, time.Duration(i)*3*time.Millisecond
				r.Cancel, r.CancelAfter = i%cancel == 1, time.Duration(i%7)*time.Millisecond
				if !yield(r, nil) {
					return
				}
			}
		}}
}

const (
	wildHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
	wildText = "data: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\n\n"
	wildEnd  = "data: [DONE]\n\n"
)

func framed(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }

// wildReplies are what a server may do with a request; the bool says whether
// the connection goes on.
var wildReplies = []func(c *net.TCPConn) bool{
	func(c *net.TCPConn) bool {
		return say(c, wildHead+framed(wildText)+framed(wildText+wildEnd)+"0\r\n\r\n")
	},
	func(c *net.TCPConn) bool { return say(c, wildHead+framed(wildText)+framed(wildEnd)+"0\r\n\r\n") },
	func(c *net.TCPConn) bool { // a byte at a time
		for _, b := range []byte(wildHead + framed(wildText) + framed(wildEnd) + "0\r\n\r\n") {
			if !say(c, string(b)) {
				return false
			}
		}
		return true
	},
	func(c *net.TCPConn) bool {
		return say(c, "HTTP/1.1 103 Early Hints\r\n\r\n"+wildHead+framed(wildText)+"0\r\n\r\n")
	},
	func(c *net.TCPConn) bool { return say(c, "HTTP/1.1 500 Oops\r\nContent-Length: 2\r\n\r\n{}") },
	func(c *net.TCPConn) bool { return say(c, "HTTP/1.1 429 Later\r\nConnection: close\r\n\r\nno") && false },
	func(c *net.TCPConn) bool { return say(c, wildHead+framed(wildText)) && false },                 // ends early
	func(c *net.TCPConn) bool { return say(c, wildHead+framed(wildText)) && c.SetLinger(0) != nil }, // resets
	func(c *net.TCPConn) bool { return c.SetLinger(0) != nil },
	func(*net.TCPConn) bool { return false },
	func(c *net.TCPConn) bool { return say(c, wildHead+"zzz\r\n") && false },
	func(c *net.TCPConn) bool {
		return say(c, wildHead+framed("data: not JSON\n\n"+wildText+wildEnd)+"0\r\n\r\n")
	},
	func(c *net.TCPConn) bool { return say(c, "HTTP/1.1 200 OK\r\nContent-Ty") && false },
	func(c *net.TCPConn) bool {
		return say(c, "HTTP/1.1 200 OK\r\n"+strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 1200)) && false
	},
	func(c *net.TCPConn) bool { return say(c, "\x16\x03\x01") && false },
	func(c *net.TCPConn) bool { _, _ = io.Copy(io.Discard, c); return false }, // never answers
	func(c *net.TCPConn) bool { // never ends
		for more := wildHead; say(c, more); more = strings.Repeat(framed(": ping\n\n"), 64) {
		}
		return false
	},
}

func say(c net.Conn, s string) bool {
	_, err := io.WriteString(c, s)
	return err == nil
}

// wildServer answers each request as chance wills; stop ends it with all its
// connections.
func wildServer(rt *rapid.T, seed uint64) (url string, stop func()) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		rt.Fatal(err)
	}
	var mu sync.Mutex
	random, open, all := rand.New(rand.NewPCG(seed, 1)), map[net.Conn]bool{}, sync.WaitGroup{}
	serve := func(c *net.TCPConn) {
		defer c.Close()
		in := bufio.NewReader(c)
		for {
			r, err := http.ReadRequest(in)
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, r.Body)
			mu.Lock()
			reply := wildReplies[random.IntN(len(wildReplies))]
			mu.Unlock()
			if !reply(c) {
				return
			}
		}
	}
	all.Go(func() {
		for {
			c, err := ln.Accept()
			if errors.Is(err, net.ErrClosed) {
				return
			}
			mu.Lock()
			open[c] = true
			mu.Unlock()
			all.Go(func() { serve(c.(*net.TCPConn)) })
		}
	})
	return "http://" + ln.Addr().String(), func() {
		_ = ln.Close()
		mu.Lock()
		for c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		all.Wait()
	}
}
