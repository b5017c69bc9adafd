package wire

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// outcome is what a caller can tell about a Read.
type outcome struct {
	N                           int
	Op, Net, Cause              string
	EOF, Timeout, NetError      bool
	Closed, Deadline, Reset     bool
	SourceIsLocal, AddrIsRemote bool
}

func describe(c net.Conn, n int, err error) outcome {
	o := outcome{N: n, EOF: err == io.EOF}
	if err == nil || o.EOF {
		return o
	}
	o.Closed = errors.Is(err, net.ErrClosed)
	o.Deadline = errors.Is(err, os.ErrDeadlineExceeded)
	o.Reset = errors.Is(err, syscall.ECONNRESET)
	var ne net.Error
	if o.NetError = errors.As(err, &ne); o.NetError {
		o.Timeout = ne.Timeout()
	}
	// The outermost error, not one further down: callers assert on it.
	if op, ok := err.(*net.OpError); ok {
		o.Op, o.Net, o.Cause = op.Op, op.Net, op.Err.Error()
		o.SourceIsLocal = op.Source != nil && op.Source.String() == c.LocalAddr().String()
		o.AddrIsRemote = op.Addr != nil && op.Addr.String() == c.RemoteAddr().String()
	}
	return o
}

// reading starts a Read of c and gives it every chance to be waiting before it
// returns; whether it is or not, the outcome is to be the same.
func reading(c net.Conn) <-chan outcome {
	done := make(chan outcome, 1)
	started := make(chan struct{})
	go func() {
		close(started)
		n, err := c.Read(make([]byte, 8))
		done <- describe(c, n, err)
	}()
	<-started
	for range 100 {
		runtime.Gosched()
	}
	return done
}

var past = time.Unix(1, 0)

// readCases do something to a connection and read from it.
var readCases = []struct {
	name string
	run  func(t *testing.T, c, peer net.Conn) outcome
	want func(outcome) bool
}{
	{"data", func(t *testing.T, c, peer net.Conn) outcome {
		write(t, peer, "abc")
		return readOnce(c, 8)
	}, func(o outcome) bool { return o.N == 3 }},
	{"less room than data", func(t *testing.T, c, peer net.Conn) outcome {
		write(t, peer, "abc")
		return readOnce(c, 2)
	}, func(o outcome) bool { return o.N == 2 }},
	{"data after waiting", func(t *testing.T, c, peer net.Conn) outcome {
		done := reading(c)
		write(t, peer, "abc")
		return <-done
	}, func(o outcome) bool { return o.N == 3 }},
	{"no room", func(t *testing.T, c, peer net.Conn) outcome {
		return readOnce(c, 0)
	}, func(o outcome) bool { return o == outcome{} }},
	{"no room after close", func(t *testing.T, c, peer net.Conn) outcome {
		c.Close()
		return readOnce(c, 0)
	}, func(o outcome) bool { return o.Closed }},
	{"end", func(t *testing.T, c, peer net.Conn) outcome {
		peer.Close()
		return readOnce(c, 8)
	}, func(o outcome) bool { return o.EOF }},
	{"end again", func(t *testing.T, c, peer net.Conn) outcome {
		peer.Close()
		readOnce(c, 8)
		return readOnce(c, 8)
	}, func(o outcome) bool { return o.EOF }},
	{"end while reading", func(t *testing.T, c, peer net.Conn) outcome {
		done := reading(c)
		peer.Close()
		return <-done
	}, func(o outcome) bool { return o.EOF }},
	{"reset", func(t *testing.T, c, peer net.Conn) outcome {
		reset(t, peer)
		return readOnce(c, 8)
	}, func(o outcome) bool { return o.Reset && o.NetError && !o.Timeout }},
	{"reset while reading", func(t *testing.T, c, peer net.Conn) outcome {
		done := reading(c)
		reset(t, peer)
		return <-done
	}, func(o outcome) bool { return o.Reset }},
	{"close before", func(t *testing.T, c, peer net.Conn) outcome {
		c.Close()
		return readOnce(c, 8)
	}, func(o outcome) bool { return o.Closed && !o.Timeout }},
	{"close while reading", func(t *testing.T, c, peer net.Conn) outcome {
		done := reading(c)
		c.Close()
		return <-done
	}, func(o outcome) bool { return o.Closed }},
	{"deadline past", func(t *testing.T, c, peer net.Conn) outcome {
		deadline(t, c, past)
		return readOnce(c, 8)
	}, func(o outcome) bool { return o.Deadline && o.NetError && o.Timeout }},
	{"deadline past beats data", func(t *testing.T, c, peer net.Conn) outcome {
		write(t, peer, "abc")
		deadline(t, c, past)
		return readOnce(c, 8)
	}, func(o outcome) bool { return o.N == 0 && o.Timeout }},
	{"deadline comes while reading", func(t *testing.T, c, peer net.Conn) outcome {
		deadline(t, c, time.Now().Add(2*time.Millisecond))
		return readOnce(c, 8)
	}, func(o outcome) bool { return o.Deadline && o.Timeout }},
	{"deadline set while reading", func(t *testing.T, c, peer net.Conn) outcome {
		done := reading(c)
		deadline(t, c, past)
		return <-done
	}, func(o outcome) bool { return o.Deadline && o.Timeout }},
	{"deadline lifted", func(t *testing.T, c, peer net.Conn) outcome {
		deadline(t, c, past)
		readOnce(c, 8)
		deadline(t, c, time.Time{})
		write(t, peer, "abc")
		return readOnce(c, 8)
	}, func(o outcome) bool { return o.N == 3 }},
}

func TestReadEqualsTCPConn(t *testing.T) {
	for _, tt := range readCases {
		t.Run(tt.name, func(t *testing.T) {
			for range 10 { // the cases with two goroutines come out in either order
				plain, peer := tcpPair(t)
				want := tt.run(t, plain, peer)
				if !tt.want(want) {
					t.Fatalf("TCPConn itself: %+v", want)
				}
				inner, peer := tcpPair(t)
				got := tt.run(t, NewConn(inner), peer)
				if d := cmp.Diff(want, got); d != "" {
					t.Fatalf("Conn differs from TCPConn (-want +got):\n%s", d)
				}
			}
		})
	}
}

func readOnce(c net.Conn, room int) outcome {
	n, err := c.Read(make([]byte, room))
	return describe(c, n, err)
}

func write(t *testing.T, c net.Conn, p string) {
	t.Helper()
	if _, err := c.Write([]byte(p)); err != nil {
		t.Fatal(err)
	}
}

func deadline(t *testing.T, c net.Conn, at time.Time) {
	t.Helper()
	if err := c.SetReadDeadline(at); err != nil {
		t.Fatal(err)
	}
}

func reset(t *testing.T, c net.Conn) {
	t.Helper()
	if err := c.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	c.Close()
}
