//go:build freebsd || dragonfly

package wire

import "syscall"

// These systems count in signed numbers.
func setLimit(l *syscall.Rlimit, n uint64) { l.Cur, l.Max = int64(n), max(l.Max, int64(n)) }
