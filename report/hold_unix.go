//go:build linux || darwin

package report

import (
	"os"

	"golang.org/x/sys/unix"
)

// hold marks a file as being written by this process for as long as it lives.
// Where the file system knows no locks the mark is missing; see held.
func hold(f *os.File) { _ = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) }

// held reports whether a process is writing the file, and also where that
// cannot be known.
func held(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return true
	}
	defer f.Close()
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != nil
}
