//go:build !linux

package calibrate

// hostSeconds is 0: what all programs of this machine use is not known.
func hostSeconds() float64 { return 0 }
