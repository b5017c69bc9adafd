//go:build !unix

package tokenizer

import (
	"unsafe"

	"headway/internal/bound"
)

// mapFile reads a file to where a mapped one would begin: at an aligned address.
func mapFile(name string) ([]byte, error) {
	data, err := bound.ReadFile(name, largestFile, "the compact tokenizer")
	if err != nil {
		return nil, err
	}
	words := make([]uint64, (len(data)+7)/8)
	whole := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), len(data))
	copy(whole, data)
	return whole, nil
}

func unmap([]byte) {}
