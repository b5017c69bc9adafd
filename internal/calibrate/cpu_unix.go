//go:build unix

package calibrate

import "syscall"

// cpuSeconds is what this process has used of processors, 0 where that is not
// known.
func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
