package audit

import (
	"encoding/binary"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// timerfd is a periodic timer of the kernel, exact to some microseconds, that
// the runtime's poller waits for as it does for a socket. The runtime's own
// timers are up to a millisecond late on an idle machine.
type timerfd struct {
	f      *os.File
	next   int64 // nanoseconds of CLOCK_MONOTONIC
	period int64
}

func newClock(period time.Duration) (clock, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, err
	}
	// NewFile registers what is non-blocking with the poller.
	t := &timerfd{f: os.NewFile(uintptr(fd), "timerfd"), period: int64(period)}
	now, err := monotonic()
	if err == nil {
		t.next = now + t.period
		err = unix.TimerfdSettime(fd, unix.TFD_TIMER_ABSTIME,
			&unix.ItimerSpec{Value: unix.NsecToTimespec(t.next), Interval: unix.NsecToTimespec(t.period)}, nil)
	}
	if err != nil {
		_ = t.f.Close() // never used
		return nil, err
	}
	return t, nil
}

func monotonic() (int64, error) {
	var now unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now)
	return now.Nano(), err
}

func (t *timerfd) wait() (ended int64, ago time.Duration, ok bool) {
	var b [8]byte
	if _, err := t.f.Read(b[:]); err != nil {
		return 0, 0, false
	}
	now, err := monotonic()
	if err != nil {
		return 0, 0, false
	}
	ended = int64(binary.NativeEndian.Uint64(b[:]))
	t.next += ended * t.period
	return ended, time.Duration(now - (t.next - t.period)), true
}

func (t *timerfd) stop() { _ = t.f.Close() } // ends wait; nothing was written
