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
	// The same, to be used without allocating.
	epollRaw, timerRaw syscall.RawConn
	epollFD, timerFD   int

	open    bool // inner is in epoll
	expired bool // used by sleep
	step    func(uintptr) bool
}

// newGate makes the gate of an epoll descriptor.
func newGate(inner int) (*gate, error) {
	g := &gate{inner: inner}
	var err error
	if g.epollFD, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, err
	}
	// NewFile registers what is non-blocking with the netpoller.
	err = unix.SetNonblock(g.epollFD, true)
	g.epoll = os.NewFile(uintptr(g.epollFD), "epoll")
	var failed error
	if g.timerFD, failed = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); failed == nil {
		g.timer = os.NewFile(uintptr(g.timerFD), "timerfd")
		g.timerRaw, failed = g.timer.SyscallConn()
	}
	raw, none := g.epoll.SyscallConn()
	g.epollRaw = raw
	if err = errors.Join(err, failed, none, g.set(true)); err != nil {
		g.close()
		return nil, err
	}
	g.step = g.afterTimer
	return g, nil
}

// set opens or shuts the gate.
func (g *gate) set(open bool) error {
	if g.open == open {
		return nil
	}
	g.open = open
	if !open {
		return unix.EpollCtl(g.epollFD, unix.EPOLL_CTL_DEL, g.inner, nil)
	}
	// To put it in again finds what has come meanwhile.
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(g.inner)}
	return unix.EpollCtl(g.epollFD, unix.EPOLL_CTL_ADD, g.inner, &ev)
}

// wait calls look whenever the descriptor may have something, until look is
// true.
func (g *gate) wait(look func() bool) error {
	if err := g.set(true); err != nil {
		return err
	}
	return g.epollRaw.Read(func(uintptr) bool { return look() })
}

// sleep waits for d and for nothing else.
func (g *gate) sleep(d time.Duration) error {
	if err := g.set(false); err != nil {
		return err
	}
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if _, _, errno := unix.RawSyscall6(unix.SYS_TIMERFD_SETTIME, uintptr(g.timerFD), 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0); errno != 0 {
		return errno
	}
	g.expired = false
	return g.timerRaw.Read(g.step)
}

// afterTimer lets the first call of RawConn.Read wait and the second return.
// The timer is not read: setting it again makes it as new.
func (g *gate) afterTimer(uintptr) bool {
	done := g.expired
	g.expired = true
	return done
}

// close ends a wait and a sleep.
func (g *gate) close() {
	for _, f := range []*os.File{g.epoll, g.timer} {
		if f != nil {
			_ = f.Close() // nothing was written
		}
	}
}
