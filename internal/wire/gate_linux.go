//go:build linux && (amd64 || arm64)

package wire

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// gate is where an engine waits: in Go's netpoller, for its epoll descriptor or
// for a timer.
//
// The descriptor lies in a second epoll, the gate, and that is what the
// netpoller watches. Only so can it be left alone for a while: the netpoller
// never lets go of a file, and would wake for every event of one that it
// watches, whether or not anybody waits for it.
type gate struct {
	inner int
	epoll *os.File
	timer *os.File
	// The same, to be used without allocating. Descriptors are only touched in
	// their callbacks, which keep them from being closed, and their numbers
	// from being given to somebody else, meanwhile.
	epollRaw, timerRaw syscall.RawConn

	open    bool // inner is in epoll
	armed   bool // used by sleep
	spec    unix.ItimerSpec
	failed  error // of a callback
	control func(uintptr)
	step    func(uintptr) bool
}

// newGate makes the gate of an epoll descriptor.
func newGate(inner int) (*gate, error) {
	g := &gate{inner: inner}
	g.control, g.step = g.turn, g.armThenExpire
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	// NewFile registers what is non-blocking with the netpoller.
	err = unix.SetNonblock(fd, true)
	g.epoll = os.NewFile(uintptr(fd), "epoll")
	if fd, failed := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); failed != nil {
		err = errors.Join(err, failed)
	} else {
		g.timer = os.NewFile(uintptr(fd), "timerfd")
		g.timerRaw, failed = g.timer.SyscallConn()
		err = errors.Join(err, failed)
	}
	var failed error
	g.epollRaw, failed = g.epoll.SyscallConn()
	if err = errors.Join(err, failed); err == nil {
		err = g.set(true)
	}
	if err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

// set opens or shuts the gate.
func (g *gate) set(open bool) error {
	if g.open == open {
		return nil
	}
	g.open = open
	if err := g.epollRaw.Control(g.control); err != nil {
		return err
	}
	return g.failed
}

// turn brings the epoll to what open says. To put the descriptor in again finds
// what has come meanwhile.
func (g *gate) turn(fd uintptr) {
	op, ev := unix.EPOLL_CTL_DEL, unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(g.inner)}
	if g.open {
		op = unix.EPOLL_CTL_ADD
	}
	g.failed = unix.EpollCtl(int(fd), op, g.inner, &ev)
}

// wait calls look whenever the descriptor may have something, until look is
// true.
func (g *gate) wait(look func() bool) error {
	if err := g.set(true); err != nil {
		return err
	}
	return g.epollRaw.Read(func(uintptr) bool { return look() })
}

// sleep waits for d and for nothing else, or less long.
func (g *gate) sleep(d time.Duration) error {
	if err := g.set(false); err != nil {
		return err
	}
	g.spec.Value = unix.NsecToTimespec(int64(d))
	g.armed = false
	if err := g.timerRaw.Read(g.step); err != nil {
		return err
	}
	return g.failed
}

// armThenExpire is what RawConn.Read calls: the first call sets the timer and
// asks to wait, the second says that this is over.
//
// The timer must not be set before Read, which begins by forgetting what the
// netpoller has told: a timer that expires in between, since this thread was
// kept from its processor for a tenth of a millisecond, would have told the only
// time, and the engine would sleep for ever. Once set in here, it is heard of.
// The timer is not read: setting it again makes it as new.
func (g *gate) armThenExpire(fd uintptr) bool {
	if g.armed {
		return true
	}
	g.armed, g.failed = true, nil
	if _, _, errno := unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, fd, 0, uintptr(unsafe.Pointer(&g.spec)), 0, 0,
		0); errno != 0 {
		g.failed = errno
		return true
	}
	return false
}

// close ends a wait and a sleep.
func (g *gate) close() {
	for _, f := range []*os.File{g.epoll, g.timer} {
		if f != nil {
			_ = f.Close() // nothing was written
		}
	}
}
