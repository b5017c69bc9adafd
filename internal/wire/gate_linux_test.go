//go:build linux && (amd64 || arm64)

package wire

import (
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// testGate is the gate of an epoll in which the reading end of a pipe lies, as
// an engine's connections do, and the other end.
func testGate(t *testing.T) (g *gate, inner int, w *os.File) {
	t.Helper()
	inner, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET}
	if err := unix.EpollCtl(inner, unix.EPOLL_CTL_ADD, int(r.Fd()), &ev); err != nil {
		t.Fatal(err)
	}
	if g, err = newGate(inner); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		g.close()
		_ = r.Close()
		_ = w.Close()
		_ = unix.Close(inner)
	})
	return g, inner, w
}

// pending says how many events there are, and takes them.
func pending(t *testing.T, inner int) int {
	t.Helper()
	var events [4]unix.EpollEvent
	n, err := unix.EpollWait(inner, events[:], 0)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A timer that has expired before anybody waits for it is heard of all the
// same. The one of a nanosecond mostly has.
func TestGateSleepIsHeardOf(t *testing.T) {
	g, _, _ := testGate(t)
	for i := range 20000 {
		if err := g.sleep(time.Duration(1 + i%20*1000)); err != nil {
			t.Fatal(err)
		}
	}
}

// What comes while the gate is shut is found when it opens.
func TestGateLosesNoEdge(t *testing.T) {
	g, inner, w := testGate(t)
	for i := range 2000 {
		if _, err := w.Write([]byte{0}); err != nil {
			t.Fatal(err)
		}
		if i%2 == 0 {
			if err := g.sleep(time.Microsecond); err != nil {
				t.Fatal(err)
			}
		}
		got := 0
		if err := g.wait(func() bool { got += pending(t, inner); return got > 0 }); err != nil {
			t.Fatal(err)
		}
	}
	// And what comes while somebody waits.
	written := make(chan error, 1)
	go func() {
		_, err := w.Write([]byte{0})
		written <- err
	}()
	if err := g.wait(func() bool { return pending(t, inner) > 0 }); err != nil {
		t.Fatal(err)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
}

func TestGateClosed(t *testing.T) {
	for name, wait := range map[string]func(*gate, chan<- struct{}) error{
		"wait": func(g *gate, begun chan<- struct{}) error {
			return g.wait(func() bool { close(begun); return false })
		},
		"sleep": func(g *gate, begun chan<- struct{}) error { close(begun); return g.sleep(time.Hour) },
	} {
		g, _, _ := testGate(t)
		begun, ended := make(chan struct{}), make(chan error, 1)
		go func() { ended <- wait(g, begun) }()
		<-begun
		g.close()
		if <-ended == nil {
			t.Errorf("%s ended as if it had been waited for", name)
		}
		if g.sleep(time.Microsecond) == nil || g.wait(func() bool { return true }) == nil {
			t.Errorf("%s: a closed gate can be waited at", name)
		}
	}
}

// inEachMood runs a test with engines that look at each event, and with ones
// for which any event is a rush.
func inEachMood(t *testing.T, test func(t *testing.T, rush int)) {
	t.Helper()
	t.Run("calm", func(t *testing.T) { test(t, busyRate) })
	t.Run("rush", func(t *testing.T) { test(t, 0) })
}

// An engine goes over to looking at intervals above a rate, and back.
func TestRush(t *testing.T) {
	e := &engine{pool: &Pool{rush: busyRate}}
	for i, tt := range []struct {
		events int
		took   time.Duration
		busy   bool
	}{{100000, time.Millisecond, false}, {1, 2 * window, true}, {100000, time.Millisecond, true},
		{40, 10 * window, true}, {1, 2 * window, false}} {
		if tt.took >= window {
			e.since = time.Now().Add(-tt.took)
		} else {
			e.since = time.Now().Add(time.Minute) // less than a window: nothing is decided
		}
		if e.rate(tt.events); e.busy != tt.busy {
			t.Errorf("%d: busy %v", i, e.busy)
		}
	}
}
