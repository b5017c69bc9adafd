//go:build unix

package wire

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// quietSocket reports whether a socket has nothing to read, not even its end.
func quietSocket(fd uintptr) bool {
	var b [1]byte
	_, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
	return errors.Is(err, syscall.EAGAIN)
}
