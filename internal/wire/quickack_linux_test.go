//go:build linux && (amd64 || arm64)

package wire

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"

	"golang.org/x/sys/unix"
)

func TestRenewsAck(t *testing.T) {
	for _, tt := range []struct {
		name string
		n    int
		sent bool
		want bool
	}{
		{"a reply's first read", 100, true, true},
		{"a later, small one", leastSegment - 1, false, false},
		{"one that may be a full segment", leastSegment, false, true},
	} {
		if got := renewsAck(tt.n, tt.sent); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestAcknowledgesAtOnce asks the kernel after reads of the side that asks.
func TestAcknowledgesAtOnce(t *testing.T) {
	l, err := Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	var d Dialer
	client, err := d.DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	ours := Of(client)
	for _, tt := range []struct {
		name string
		send int
		size int
	}{
		{"a reply's first read", 1, 100},
		{"a long one", 0, leastSegment},
	} {
		if _, err := ours.Write(make([]byte, tt.send)); err != nil {
			t.Fatal(err)
		}
		if tt.send == 0 {
			ours.sent.Store(false) // as a read between the two would have left it
		}
		hold(t, ours)
		if _, err := server.Write(make([]byte, tt.size)); err != nil {
			t.Fatal(err)
		}
		if n, err := ours.Read(make([]byte, 2*leastSegment)); n != tt.size || err != nil {
			t.Fatalf("%s: read %d, %v", tt.name, n, err)
		}
		if got := sockopt(t, ours, unix.IPPROTO_TCP, unix.TCP_QUICKACK); got != 1 {
			t.Errorf("%s: TCP_QUICKACK is %d", tt.name, got)
		}
		if ours.sent.Load() {
			t.Errorf("%s: a read leaves the note that something was sent", tt.name)
		}
	}
	if Of(server).reader.(*kernelReader).sent != nil {
		t.Error("the side that answers acknowledges at once, too: its answer would do that")
	}
}

// hold makes the kernel wait with acknowledgements, as a request does that
// follows a reply closely. The option then reads 0, and 1 once that is over,
// which the kernel itself brings about 40 ms after data that was not
// acknowledged: that it is 1 can be asserted at any speed, that it is still 0
// cannot.
func hold(t *testing.T, c *Conn) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if err := raw.Control(
		func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0) }); err != nil {
		t.Fatal(err)
	}
	if got := sockopt(t, c, unix.IPPROTO_TCP, unix.TCP_QUICKACK); got != 0 {
		t.Fatalf("TCP_QUICKACK is %d after it was set to 0", got)
	}
}

// TestPoolAcknowledgesAtOnce has a server with Nagle's algorithm on, which
// writes the head of a reply apart from its body.
func TestPoolAcknowledgesAtOnce(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go serveInTwoWrites(l)
	p := testPool(t, busyRate)

	first := newHearing()
	p.Do(t.Context(), &Call{Server: l.Addr().String(), Request: []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		Handler: first})
	<-first.done
	s := p.take(&Call{Server: l.Addr().String()})
	if s == nil {
		t.Fatal("the connection was not kept: ", first.err)
	}
	if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0); err != nil {
		t.Fatal(err)
	}
	second := &asksAtHead{hearing: newHearing(), fd: s.fd}
	if !s.begin(&Call{Server: l.Addr().String(), Request: []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		Handler: second}, true) {
		t.Fatal("the connection was closed")
	}
	<-second.done
	if second.hearing.err != nil || second.err != nil || second.quick != 1 || second.body.String() != "data" {
		t.Errorf("TCP_QUICKACK is %d (%v) once the head was read; the call ended with %v and %q", second.quick,
			second.err, second.hearing.err, &second.body)
	}
}

// asksAtHead looks at the option when the head of the reply is there.
type asksAtHead struct {
	*hearing
	fd, quick int
	err       error
}

func (h *asksAtHead) Head(x Head, at Stamp) error {
	h.quick, h.err = unix.GetsockoptInt(h.fd, unix.IPPROTO_TCP, unix.TCP_QUICKACK)
	return h.hearing.Head(x, at)
}

func serveInTwoWrites(l net.Listener) {
	c, err := l.Accept()
	if err != nil {
		return
	}
	defer c.Close()
	if err := c.(*net.TCPConn).SetNoDelay(false); err != nil {
		return
	}
	for in := bufio.NewReader(c); ; {
		if _, err := http.ReadRequest(in); err != nil {
			return
		}
		for _, part := range []string{"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "data"} {
			if _, err := io.WriteString(c, part); err != nil {
				return
			}
		}
	}
}
