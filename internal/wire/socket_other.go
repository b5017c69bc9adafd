//go:build !(linux && (amd64 || arm64))

package wire

import (
	"net"
	"syscall"
)

// socketControl has nothing to set before the connect.
func socketControl(int, int) func(network, addr string, c syscall.RawConn) error { return nil }

// unacknowledged is 0: this system is not asked.
func unacknowledged(uintptr) int64 { return 0 }

// setBuffers sets the sizes of the socket buffers in bytes; 0 leaves one as it
// is.
func setBuffers(c net.Conn, recv, send int) error {
	b, ok := c.(interface {
		SetReadBuffer(bytes int) error
		SetWriteBuffer(bytes int) error
	})
	if !ok {
		return nil
	}
	if recv != 0 {
		if err := b.SetReadBuffer(recv); err != nil {
			return err
		}
	}
	if send != 0 {
		return b.SetWriteBuffer(send)
	}
	return nil
}
