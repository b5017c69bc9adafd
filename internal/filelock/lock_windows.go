package filelock

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// far is a byte that no file has: Windows keeps others from reading what is
// locked, and the owner's name is to be read.
const far = 1 << 30

// Try locks the file until it is closed or the process ends. The error is
// [ErrBusy] where another open file has the lock.
func Try(f *os.File) error {
	at := windows.Overlapped{OffsetHigh: far}
	const alone = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(f.Fd()), alone, 0, 1, 0, &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return ErrBusy
	}
	return err
}
