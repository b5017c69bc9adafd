package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"headway/internal/engine"
)

// Tokens reach their stream at the times that the engine planned.
func TestDriverKeepsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := Defaults()
		c.everyToken = true
		c.Engine = engine.Config{Timing: engine.Fixed{TTFT: 20 * time.Millisecond, ITL: 5 * time.Millisecond},
			MaxNumSeqs: 1}
		f, err := newFleet(c)
		if err != nil {
			t.Fatal(err)
		}
		d := newDriver(f)
		stop := make(chan struct{})
		go d.run(stop)
		defer close(stop)
		first, err := d.submit(0, 10, plan{tokens: 3}, false)
		if err != nil {
			t.Fatal(err)
		}
		second, err := d.submit(0, 10, plan{tokens: 2}, true)
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []time.Duration{20, 25, 30} {
			steps, finished, err := first.wait(t.Context(), nil)
			if i == 2 && !finished && err == nil { // the end is told after the last token
				steps, finished, err = first.wait(t.Context(), steps)
			}
			now := d.now()
			if len(steps) != 1 || steps[0] != 1 || finished != (i == 2) || err != nil || now != want*time.Millisecond {
				t.Errorf("token %d: %d tokens at %v, finished %v, %v", i, len(steps), now, finished, err)
			}
		}
		d.closeStream(first)
		// One sequence at a time: the second begins when the first has ended.
		steps, finished, err := second.wait(t.Context(), nil)
		if now := d.now(); len(steps) != 2 || !finished || err != nil || now != 55*time.Millisecond {
			t.Errorf("second: %d tokens at %v, finished %v, %v", len(steps), now, finished, err)
		}
		want := timeline{admitted: 30 * time.Millisecond, first: 50 * time.Millisecond, last: 55 * time.Millisecond,
			finish: 55 * time.Millisecond}
		if got := second.times(); got != want {
			t.Errorf("timeline %+v, want %+v", got, want)
		}
		d.closeStream(second)
		if len(d.streams) != 0 {
			t.Errorf("%d streams are left", len(d.streams))
		}
	})
}

func TestWaitEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, whole := range []bool{false, true} {
		st := &stream{whole: whole, wake: make(chan struct{}, 1)}
		if _, _, err := st.wait(ctx, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("whole %v, nothing there: %v", whole, err)
		}
		// One token is enough for a handler that streams, and nothing for
		// one that wants the whole.
		st.take(engine.Event{Kind: engine.Token, Token: 1})
		if steps, _, err := st.wait(ctx, nil); (err != nil) != whole || (len(steps) == 1) == whole {
			t.Errorf("whole %v, one token there: %d tokens, %v", whole, len(steps), err)
		}
	}
}

// countingListener counts the writes of its connections.
type countingListener struct {
	net.Listener
	writes *atomic.Int64
}

type countingConn struct {
	net.Conn
	writes *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return countingConn{c, l.writes}, err
}

func (c countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// Every event is one write to the socket, its chunk header included.
func TestOneWritePerEvent(t *testing.T) {
	s, err := NewServer(ServerConfig{Engine: quick()})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var writes atomic.Int64
	var served sync.WaitGroup
	served.Go(func() {
		if err := s.Serve(countingListener{ln, &writes}); err != nil {
			t.Error(err)
		}
	})
	c := dialRaw(t, ln.Addr().String())
	sizes := c.stream(chat("x", `,"max_tokens":50,"stream":true,"stream_options":{"include_usage":true}`))
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	served.Wait()
	// The head, role, tokens, finish, usage, [DONE], and the end of the body.
	if got := writes.Load(); got != 1+1+50+3+1 {
		t.Errorf("%d writes", got)
	}
	if sizes != 1+50+3 {
		t.Errorf("%d chunks", sizes)
	}
}

// rawClient reads a socket as it comes.
type rawClient struct {
	t    testing.TB
	conn net.Conn
	buf  []byte
}

func dialRaw(t testing.TB, addr string) *rawClient {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &rawClient{t: t, conn: conn, buf: make([]byte, 64<<10)}
}

// stream sends a chat and reads its reply. Every read must hold whole chunks
// of the transfer encoding, which hold one event each. It returns their
// number.
func (c *rawClient) stream(body string) (chunks int) {
	c.send(body)
	for first := true; ; first = false {
		n, err := c.conn.Read(c.buf)
		if err != nil {
			c.t.Fatal(err)
		}
		rest := string(c.buf[:n])
		if first {
			_, after, ok := strings.Cut(rest, "\r\n\r\n")
			if !ok {
				c.t.Fatalf("the head came in pieces: %q", rest)
			}
			rest = after
		}
		for rest != "" {
			size, after, _ := strings.Cut(rest, "\r\n")
			length, err := strconv.ParseInt(size, 16, 64)
			if err != nil || int(length)+2 > len(after) || !strings.HasPrefix(after[length:], "\r\n") {
				c.t.Fatalf("a read holds half a chunk: %q", rest)
			}
			if length == 0 {
				return chunks
			}
			if event := after[:length]; strings.Index(event, "\n\n") != len(event)-2 {
				c.t.Fatalf("a chunk is not one event: %q", event)
			}
			rest = after[length+2:]
			chunks++
		}
	}
}

func (c *rawClient) send(body string) {
	w := bufio.NewWriter(c.conn)
	fmt.Fprintf(w, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s", chatPath, len(body), body)
	if err := w.Flush(); err != nil {
		c.t.Fatal(err)
	}
}

// The log's times come in the order of cause and effect: each write after the
// engine's time for it and after the one before, and nothing reaches the client
// before its write began. That a write has returned is noted when there is a
// processor for it: the engine may be further by then, and the client.
func TestLogTimes(t *testing.T) {
	e := serve(t, ServerConfig{Engine: quick()})
	c := dialRaw(t, strings.TrimPrefix(e.url, "http://"))
	sent := time.Now().UnixNano()
	c.stream(chat("x", `,"max_tokens":20,"stream":true`))
	received := time.Now().UnixNano()
	line := e.entries()[0]
	inOrder := func(what string, times ...int64) {
		t.Helper()
		for i := 1; i < len(times); i++ {
			// JSON numbers went through float64 here: 256 ns at this size.
			if times[i] < times[i-1]-512 {
				t.Errorf("%s: time %d of %d runs backwards by %d ns", what, i, len(times), times[i-1]-times[i])
			}
		}
	}
	var writes []int64
	for _, w := range line.Writes {
		writes = append(writes, int64(w[1].(float64)), int64(w[2].(float64)))
	}
	inOrder("writes", writes...)
	inOrder("the head", sent, line.ReceivedNs, line.Engine.SubmittedNs, writes[0])
	inOrder("the first token", line.Engine.SubmittedNs, line.Engine.FirstNs, writes[2])
	inOrder("the end", line.Engine.FinishedNs, writes[len(writes)-2], received)
	if line.Engine.AdmittedNs != line.Engine.SubmittedNs || line.Engine.FinishedNs <= line.Engine.FirstNs {
		t.Errorf("engine %+v", line.Engine)
	}
}

// lines hands on what is written to it.
type lines chan string

func (l lines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

// A line is written when its reply has ended, while the server goes on.
func TestLogIsWrittenAtTheEndOfAReply(t *testing.T) {
	log := make(lines, 100)
	e := serve(t, ServerConfig{Engine: quick(), Log: log})
	c := dialRaw(t, strings.TrimPrefix(e.url, "http://"))
	for range 2 {
		c.stream(chat("x", `,"max_tokens":3,"stream":true`))
		select {
		case line := <-log:
			if !strings.HasSuffix(line, "}\n") || strings.Count(line, "\n") != 1 ||
				!strings.Contains(line, `"outcome":"ok"`) {
				t.Errorf("%q", line)
			}
		case <-t.Context().Done():
			t.Fatal("nothing was written")
		}
	}
}
