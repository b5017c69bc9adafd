//go:build !(linux && (amd64 || arm64))

package wire

import "net"

// newKernelReader is nil: this system has no receive timestamp for TCP, or one
// whose layout this package does not know.
func newKernelReader(net.Conn) stampedReader { return nil }
