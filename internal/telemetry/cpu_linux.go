package telemetry

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// threadTime runs do and is the processor time that it took: the thread's own, so
// that the load beside it is not in it.
func threadTime(do func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var from, to unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &from)
	do()
	if err != nil || unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &to) != nil {
		return 0
	}
	return time.Duration(to.Nano() - from.Nano())
}
