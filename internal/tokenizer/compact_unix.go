//go:build unix

package tokenizer

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps a file, read-only.
func mapFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() < int64(headerSize) || info.Size() > int64(largestFile) {
		return nil, errors.New("no compact tokenizer")
	}
	return unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
}

func unmap(data []byte) { _ = unix.Munmap(data) }
