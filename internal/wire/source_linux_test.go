package wire

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestPortsUsedUp runs in a network of its own with ten ports: connections
// beyond them come from other addresses or wait, and none fails.
func TestPortsUsedUp(t *testing.T) {
	if os.Getenv("HEADWAY_TEST_NETNS") != "" {
		portsUsedUpInside(t)
		return
	}
	c := exec.Command(os.Args[0], "-test.run=^TestPortsUsedUp$", "-test.v")
	c.Env = append(os.Environ(), "HEADWAY_TEST_NETNS=1")
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	out, err := c.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EINVAL) || strings.Contains(string(out), "--- SKIP") {
		t.Skipf("no network namespace can be made here: %v %s", err, out)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// loopbackUp switches the interface lo on, which a new network has off.
func loopbackUp() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(s)
	var req struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}
	copy(req.name[:], "lo")
	req.flags = unix.IFF_UP | unix.IFF_RUNNING
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(s), unix.SIOCSIFFLAGS,
		uintptr(unsafe.Pointer(&req))); errno != 0 {
		return errno
	}
	return nil
}

func portsUsedUpInside(t *testing.T) {
	if err := loopbackUp(); err != nil {
		t.Skip("switching the loopback interface on: ", err)
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("40000 40009"), 0); err != nil {
		t.Skip("shrinking the range of ports: ", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:30000")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 256)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- c
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()

	// Loopback has other addresses without being told.
	var d Dialer
	for i := range 50 {
		if _, err := d.DialContext(ctx, "tcp", l.Addr().String()); err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		c := <-accepted
		_ = c.(*net.TCPConn).SetLinger(0)
		defer c.Close()
	}

	// From one address only the eleventh waits until one is free, and says so.
	told := make(chan error, 1)
	d = Dialer{Sources: []netip.Addr{netip.MustParseAddr("127.0.0.77")},
		LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 77)},
		Waiting:   func(err error) { told <- err }}
	var ours []net.Conn
	for i := range 10 {
		c, err := d.DialContext(ctx, "tcp", l.Addr().String())
		if err != nil {
			t.Fatalf("connection %d from one address: %v", i, err)
		}
		ours = append(ours, <-accepted)
		defer c.Close()
	}
	go func() {
		err := <-told
		if !strings.Contains(err.Error(), "no free local port") || !strings.Contains(err.Error(), "127.0.0.1:30000") {
			t.Errorf("told %v", err)
		}
		_ = ours[0].(*net.TCPConn).SetLinger(0) // a reset leaves no TIME_WAIT
		_ = ours[0].Close()
	}()
	if _, err := d.DialContext(ctx, "tcp", l.Addr().String()); err != nil {
		t.Errorf("the eleventh: %v", err)
	}
	defer (<-accepted).Close()

	short, end := context.WithCancel(ctx)
	defer end()
	d.Waiting = func(error) { end() }
	_, err = d.DialContext(short, "tcp", l.Addr().String())
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "no free local port") {
		t.Errorf("the twelfth, given up while it waited for a free port: %v", err)
	}
}

func TestSourceThatIsNotOurs(t *testing.T) {
	d := Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(192, 0, 2, 7)}}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := d.DialContext(ctx, "tcp", "127.0.0.1:9"); err == nil || ctx.Err() != nil ||
		!errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Errorf("an address of another machine: %v", err)
	}
}

func TestNeedFiles(t *testing.T) {
	var before syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before) }()
	low := syscall.Rlimit{Cur: 512, Max: before.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	if err := NeedFiles(600); err != nil {
		t.Errorf("below the hard limit of %d: %v", before.Max, err)
	}
	var now syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now); err != nil || now.Cur < 600 {
		t.Errorf("the limit is %d, %v", now.Cur, err)
	}
	err := NeedFiles(1 << 40)
	if err == nil || !strings.Contains(err.Error(), "ulimit -n 1099511627840") {
		t.Errorf("more than any system has: %v", err)
	}
}
