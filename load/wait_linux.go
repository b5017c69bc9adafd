package load

import (
	"syscall"
	"time"
)

// fineSleep blocks the thread in the kernel's high-resolution timer. An early
// return (a signal) is the caller's to notice.
func fineSleep(d time.Duration) {
	ts := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&ts, nil)
}
