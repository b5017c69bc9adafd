//go:build !linux

package telemetry

import "time"

// threadTime runs do; what it took is not known.
func threadTime(do func()) time.Duration {
	do()
	return 0
}
