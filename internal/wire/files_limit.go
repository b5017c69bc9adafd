//go:build unix && !freebsd && !dragonfly

package wire

import "syscall"

func setLimit(l *syscall.Rlimit, n uint64) { l.Cur, l.Max = n, max(l.Max, n) }
