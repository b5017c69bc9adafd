//go:build !linux

package calibrate

import "time"

// monotonic is a clock that both processes share, in nanoseconds.
func monotonic() int64 { return time.Now().UnixNano() }

// nap sleeps for about d.
func nap(d time.Duration) {
	if d > 2*time.Millisecond {
		time.Sleep(d - 2*time.Millisecond)
	}
}
