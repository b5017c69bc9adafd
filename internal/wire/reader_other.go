//go:build !(linux && (amd64 || arm64))

package wire

import (
	"net"
	"sync/atomic"
)

// newKernelReader is nil: this system has no receive timestamp for TCP, or one
// whose layout this package does not know.
func newKernelReader(net.Conn, *atomic.Bool) stampedReader { return nil }
