//go:build !linux

package load

import "time"

// fineSleep is the runtime's own sleep where no finer one is known.
func fineSleep(d time.Duration) { time.Sleep(d) }
