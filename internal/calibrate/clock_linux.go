package calibrate

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is a clock that both processes share, in nanoseconds.
func monotonic() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return time.Now().UnixNano() // no kernel is without that clock
	}
	return t.Nano()
}

// nap sleeps for about d on this thread.
func nap(d time.Duration) {
	// A wake comes some 60 µs late: the last part is spent looking.
	if d -= 80 * time.Microsecond; d > 0 {
		ts := syscall.NsecToTimespec(int64(d))
		_ = syscall.Nanosleep(&ts, nil) // cut short by a signal, at worst
	}
}
