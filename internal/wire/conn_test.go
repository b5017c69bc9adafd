package wire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

// slack is what a stamp may lie before the clock taken before its write. The
// two clocks are read some nanoseconds apart and may run at slightly different
// speeds while data waits.
const slack = 100 * time.Microsecond

// pair returns both ends of a loopback connection, unwrapped.
func pair(t testing.TB, network, addr string) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial(network, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client, server
}

func tcpPair(t testing.TB) (client, server net.Conn) { return pair(t, "tcp", "127.0.0.1:0") }

// send writes p and reads it at the other end.
func send(t testing.TB, from, to net.Conn, p string) {
	t.Helper()
	if _, err := from.Write([]byte(p)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(to, make([]byte, len(p))); err != nil {
		t.Fatal(err)
	}
}

// stamped returns ends of a connection whose reads carry kernel stamps by now,
// or skips where the system has none.
func stamped(t testing.TB) (sender net.Conn, c *Conn) {
	t.Helper()
	sender, server := tcpPair(t)
	c = NewConn(server)
	if _, ok := c.reader.(clockReader); ok {
		t.Skipf("no kernel receive timestamps on %s/%s here", runtime.GOOS, runtime.GOARCH)
	}
	// The kernel switches them on in the background, when it gets to it.
	const most = 1_000_000
	for range most {
		send(t, sender, c, "x")
		if c.Stamp().Kernel {
			return sender, c
		}
		runtime.Gosched()
	}
	t.Fatalf("receive timestamps are on, and %d reads had none", most)
	return nil, nil
}

func spin(d time.Duration) {
	for start := time.Now(); time.Since(start) < d; {
	}
}

func TestStampLiesBetweenWriteAndRead(t *testing.T) {
	sender, c := stamped(t)
	for range 200 {
		before := time.Now()
		send(t, sender, c, "data: x\n\n")
		after := time.Now()
		s := c.Stamp()
		if !s.Kernel || s.At.Before(before.Add(-slack)) || s.At.After(after) {
			t.Fatalf("stamp %+v, written after %v, read before %v", s, before, after)
		}
	}
}

// A reader that is late must not make the arrival late.
func TestStampOfLateReader(t *testing.T) {
	sender, c := stamped(t)
	const late = 5 * time.Millisecond
	type write struct{ before, after time.Time }
	wrote := make(chan write)
	go func() {
		before := time.Now()
		_, err := sender.Write([]byte("x"))
		if err != nil {
			t.Error(err)
		}
		wrote <- write{before, time.Now()}
	}()
	w := <-wrote
	spin(late)
	if _, err := c.Read(make([]byte, 16)); err != nil {
		t.Fatal(err)
	}
	s := c.Stamp()
	if !s.Kernel {
		t.Fatalf("no kernel stamp: %+v", s)
	}
	if s.At.Before(w.before.Add(-slack)) || s.At.After(w.after.Add(time.Millisecond)) {
		t.Errorf("arrived %v after the write began, which took %v", s.At.Sub(w.before), w.after.Sub(w.before))
	}
	if s.Lag < late-time.Millisecond {
		t.Errorf("lag %v, but the reader was %v late", s.Lag, late)
	}
}

// One read that takes in two packets has the time of the second.
func TestStampOfSeveralPackets(t *testing.T) {
	sender, c := stamped(t)
	if _, err := sender.Write([]byte("first")); err != nil {
		t.Fatal(err)
	}
	spin(2 * time.Millisecond)
	before := time.Now()
	if _, err := sender.Write([]byte("second")); err != nil {
		t.Fatal(err)
	}
	reads := c.Reads()
	buf := make([]byte, 64)
	n, err := c.Read(buf)
	if err != nil || string(buf[:n]) != "firstsecond" {
		t.Fatalf("read %q, %v", buf[:n], err)
	}
	if s := c.Stamp(); s.At.Before(before.Add(-slack)) {
		t.Errorf("stamp lies %v before the second write", before.Sub(s.At))
	}
	if got := c.Reads() - reads; got != 1 {
		t.Errorf("%d reads counted, want 1", got)
	}
}

func TestUnixSocketHasClock(t *testing.T) {
	client, server := pair(t, "unix", filepath.Join(t.TempDir(), "s"))
	c := NewConn(server)
	before := time.Now()
	send(t, client, c, "x")
	s := c.Stamp()
	if s.Kernel || s.Lag != 0 || s.At.Before(before) || s.At.After(time.Now()) {
		t.Errorf("stamp %+v", s)
	}
}

func TestCounts(t *testing.T) {
	client, server := tcpPair(t)
	a, b := NewConn(client), NewConn(server)
	if s := b.Stamp(); s != (Stamp{}) || b.Reads() != 0 {
		t.Errorf("before any read: %+v, %d reads", s, b.Reads())
	}
	if before, after := a.LastWrite(); !before.IsZero() || !after.IsZero() {
		t.Errorf("before any write: %v, %v", before, after)
	}
	start := time.Now()
	send(t, a, b, "hello")
	send(t, a, b, "you")
	before, after := a.LastWrite()
	if before.Before(start) || after.Before(before) || time.Now().Before(after) {
		t.Errorf("last write from %v to %v, test began %v", before, after, start)
	}
	if a.BytesWritten() != 8 || b.BytesRead() != 8 || b.Reads() != 2 {
		t.Errorf("written %d, read %d in %d reads, want 8, 8, 2", a.BytesWritten(), b.BytesRead(), b.Reads())
	}
	if err := a.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := b.Read(make([]byte, 1)); n != 0 || err != io.EOF || b.Reads() != 2 {
		t.Errorf("at the end: %d, %v, %d reads", n, err, b.Reads())
	}
}

// A write that the peer does not take in has begun and not ended.
func TestLastWriteWhileWriting(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	c := NewConn(client)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, err := c.Write([]byte("ab"))
		if err != nil {
			t.Error(err)
		}
	}()
	if _, err := server.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if before, after := c.LastWrite(); before.IsZero() || !after.IsZero() {
		t.Errorf("half written: before %v, after %v", before, after)
	}
	if _, err := server.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	<-done
	if before, after := c.LastWrite(); after.Before(before) {
		t.Errorf("written: before %v, after %v", before, after)
	}
}

func TestUnsupported(t *testing.T) {
	a, b := net.Pipe()
	defer b.Close()
	c := NewConn(a)
	defer c.Close()
	if err := c.CloseWrite(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("CloseWrite: %v", err)
	}
	if _, err := c.SyscallConn(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("SyscallConn: %v", err)
	}
}

type wrapper struct{ net.Conn }

func (w wrapper) NetConn() net.Conn { return w.Conn }

func TestOf(t *testing.T) {
	client, _ := tcpPair(t)
	c := NewConn(client)
	if NewConn(c) != c {
		t.Error("a Conn is wrapped twice")
	}
	if got := Of(wrapper{wrapper{c}}); got != c {
		t.Errorf("through two wrappers: %v", got)
	}
	for _, none := range []net.Conn{nil, client, wrapper{client}, wrapper{nil}} {
		if got := Of(none); got != nil {
			t.Errorf("Of(%v) = %v", none, got)
		}
	}
}

// Everything may be asked while a read runs (for the race detector), and what
// comes out is what went in.
func TestConcurrentUse(t *testing.T) {
	client, server := tcpPair(t)
	a, b := NewConn(client), NewConn(server)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := a.Write(sent); err != nil {
			t.Error(err)
		}
		if err := a.CloseWrite(); err != nil {
			t.Error(err)
		}
	})
	wg.Go(func() {
		var last time.Time
		for {
			select {
			case <-stop:
				return
			default:
			}
			a.LastWrite()
			b.Reads()
			if s := b.Stamp(); s.At.Before(last) {
				t.Errorf("stamp went back from %v to %v", last, s.At)
			} else {
				last = s.At
			}
			runtime.Gosched()
		}
	})
	got, err := io.ReadAll(b)
	close(stop)
	wg.Wait()
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("read %d of %d bytes, %v", len(got), len(sent), err)
	}
	if b.BytesRead() != int64(len(sent)) {
		t.Errorf("counted %d of %d bytes", b.BytesRead(), len(sent))
	}
}

func TestDialerRejects(t *testing.T) {
	ctx := context.Background()
	for _, d := range []Dialer{{RecvBuffer: -1}, {SendBuffer: -1}} {
		if _, err := d.DialContext(ctx, "tcp", "127.0.0.1:1"); err == nil {
			t.Errorf("%+v: no error", d)
		}
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := new(Dialer).DialContext(cancelled, "tcp", "127.0.0.1:1"); err == nil {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := Listen(ctx, "tcp", "127.0.0.1:none"); err == nil {
		t.Error("listening on a port of no number: no error")
	}
}
