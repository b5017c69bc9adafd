//go:build linux && (amd64 || arm64)

package wire

import (
	"fmt"
	"net"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// enableStamps asks for a timestamp with every recvmsg of the socket fd. On
// 64-bit systems the option and its _NEW form are the same; the plain one is
// known to every kernel.
func enableStamps(fd uintptr) error {
	return unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1)
}

// socketControl sets options between socket and connect or listen. Both kinds
// belong there: the window scale is agreed with the first packet and follows
// from the receive buffer, and timestamps that are asked for before the
// handshake are on by the time the first answer comes. Sockets that a listener
// accepts inherit them.
func socketControl(recv, send int) func(network, addr string, c syscall.RawConn) error {
	return func(network, addr string, c syscall.RawConn) error {
		var failed error
		err := c.Control(func(fd uintptr) {
			if strings.HasPrefix(network, "tcp") {
				// Refused means no kernel stamps, which NewConn finds out
				// for itself and each Stamp says.
				_ = enableStamps(fd)
				// The port is chosen at the connect, when the destination is
				// known; chosen at the bind, one source address would have
				// 28,000 connections in all and not for each destination.
				_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
			}
			failed = setBuffer(fd, unix.SO_RCVBUF, "receive", recv)
			if failed == nil {
				failed = setBuffer(fd, unix.SO_SNDBUF, "send", send)
			}
		})
		if err != nil {
			return fmt.Errorf("setting options of the socket for %s: %w", addr, err)
		}
		return failed
	}
}

func setBuffer(fd uintptr, option int, which string, size int) error {
	if size == 0 {
		return nil
	}
	if err := unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, option, size); err != nil {
		return fmt.Errorf("setting the %s buffer to %d bytes: %w", which, size, err)
	}
	return nil
}

// setBuffers has nothing to do after the connect: socketControl has set them.
func setBuffers(net.Conn, int, int) error { return nil }
