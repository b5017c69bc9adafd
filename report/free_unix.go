//go:build linux || darwin

package report

import "golang.org/x/sys/unix"

// freeBytes is the room that is left for this user where dir lies.
func freeBytes(dir string) (uint64, bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return s.Bavail * uint64(s.Bsize), true
}
