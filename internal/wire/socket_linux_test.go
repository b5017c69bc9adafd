//go:build linux && (amd64 || arm64)

package wire

import (
	"net"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSocketOptions asks the kernel what the sockets were told.
func TestSocketOptions(t *testing.T) {
	l, err := Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const size = 64 << 10
	d := Dialer{RecvBuffer: size, SendBuffer: size}
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

	for _, o := range []struct {
		name          string
		level, option int
		client        int
	}{
		{"TCP_NODELAY", unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		{"SO_TIMESTAMPNS", unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1},
		{"SO_RCVBUF", unix.SOL_SOCKET, unix.SO_RCVBUF, 2 * size}, // the kernel doubles it
		{"SO_SNDBUF", unix.SOL_SOCKET, unix.SO_SNDBUF, 2 * size},
	} {
		if got := sockopt(t, Of(client), o.level, o.option); got != o.client {
			t.Errorf("client %s is %d, want %d", o.name, got, o.client)
		}
	}
	if got := sockopt(t, Of(server), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS); got != 1 {
		t.Errorf("server SO_TIMESTAMPNS is %d", got)
	}
	inner, ok := l.(listener).Listener.(*net.TCPListener)
	if !ok {
		t.Fatalf("listener is %T", l.(listener).Listener)
	}
	if got := sockopt(t, inner, unix.SOL_SOCKET, unix.SO_PROTOCOL); got != unix.IPPROTO_TCP {
		t.Errorf("the listener's protocol is %d, want TCP", got)
	}
}

func sockopt(t *testing.T, c syscall.Conn, level, option int) (value int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if cerr := raw.Control(func(fd uintptr) { value, err = unix.GetsockoptInt(int(fd), level, option) }); cerr != nil {
		t.Fatal(cerr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// A control message that is none, or another, or of the newer form.
func TestControlMessage(t *testing.T) {
	_, c := stamped(t)
	r := c.reader.(*kernelReader)
	full := uint64(r.msg.Controllen)
	for _, tt := range []struct {
		name   string
		change func()
		want   bool
	}{
		{"as received", func() {}, true},
		{"newer form", func() { r.ctl.header.Type = unix.SO_TIMESTAMPNS_NEW }, true},
		{"older form", func() { r.ctl.header.Type = unix.SO_TIMESTAMPNS_OLD }, true},
		{"other type", func() { r.ctl.header.Type = unix.SCM_RIGHTS }, false},
		{"other level", func() { r.ctl.header.Level = unix.IPPROTO_IP }, false},
		{"none", func() { r.msg.Controllen = 0 }, false},
	} {
		r.msg.Controllen = full
		r.ctl.header.Level, r.ctl.header.Type = unix.SOL_SOCKET, unix.SO_TIMESTAMPNS
		tt.change()
		if got := r.stamp(); got.Kernel != tt.want || got.At.IsZero() {
			t.Errorf("%s: %+v, want kernel %v", tt.name, got, tt.want)
		}
	}
}
