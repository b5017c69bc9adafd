//go:build unix

package options

import "syscall"

// openFiles is how many files, and so connections, this process may have open.
// The Go runtime has raised the soft limit to the hard one already.
func openFiles() (int, bool) {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 0, false
	}
	return int(min(l.Cur, 1<<30)), true
}
