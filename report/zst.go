package report

import (
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// Zst is what a compressed file's name ends with.
const Zst = ".zst"

// NewZst compresses what is written to w, in the caller's goroutine. Close ends
// the stream; w stays the caller's.
func NewZst(w io.Writer) (io.WriteCloser, error) {
	e, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return e, nil
}
