//go:build !unix

package calibrate

// cpuSeconds is 0: what this process has used is not known.
func cpuSeconds() float64 { return 0 }
