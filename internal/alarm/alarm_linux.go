package alarm

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Alarm is a timer of the kernel, exact to some microseconds, that the
// runtime's poller waits for like for a socket. A thread asleep in nanosleep
// would be as exact, but keeps its processor from the goroutines that were just
// started until the runtime's monitor takes it away, 20 µs to 10 ms later. It is
// for one goroutine.
type Alarm struct {
	file *os.File // nil where the kernel has no timer for us
	raw  syscall.RawConn
	buf  [8]byte
}

// New makes an alarm. Where the kernel has none, Sleep blocks its thread.
func New() *Alarm {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return &Alarm{}
	}
	f := os.NewFile(uintptr(fd), "timerfd")
	raw, err := f.SyscallConn()
	if err != nil {
		return &Alarm{}
	}
	return &Alarm{file: f, raw: raw}
}

// Close gives the timer back; nobody may be asleep on it.
func (a *Alarm) Close() {
	if a.file != nil {
		_ = a.file.Close() // nothing was written
	}
}

// Sleep returns after d, or early: that is the caller's to notice.
func (a *Alarm) Sleep(d time.Duration) {
	if a.file != nil && a.ring(d) == nil {
		return
	}
	ts := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&ts, nil) // cut short by a signal, at worst
}

func (a *Alarm) ring(d time.Duration) error {
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	var failed error
	err := a.raw.Control(func(fd uintptr) { failed = unix.TimerfdSettime(int(fd), 0, &spec, nil) })
	if err = errors.Join(err, failed); err != nil {
		return err
	}
	_, err = io.ReadFull(a.file, a.buf[:])
	return err
}
