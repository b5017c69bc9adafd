//go:build !linux && !darwin

package report

// freeBytes knows nothing on this system.
func freeBytes(string) (uint64, bool) { return 0, false }
