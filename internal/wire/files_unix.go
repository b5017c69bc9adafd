//go:build unix

package wire

import (
	"fmt"
	"syscall"
)

// spareFiles is how many descriptors a process needs beside connections:
// standard streams, logs, results, polling, name lookups.
const spareFiles = 64

// NeedFiles makes sure that n connections can be open at once. It raises the
// limit of open files where the system allows; the error says what to do where
// it does not.
func NeedFiles(n int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("reading the limit of open files: %w", err)
	}
	need := uint64(n + spareFiles)
	have := uint64(limit.Cur)
	if have >= need {
		return nil
	}
	wide := limit
	setLimit(&wide, need)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &wide); err != nil {
		return fmt.Errorf("%d connections need %d open files and this process may have %d: "+
			"run `ulimit -n %d` in this shell first (as root, or raise the hard limit in "+
			"/etc/security/limits.conf): %w",
			n, need, have, need, err)
	}
	return nil
}
