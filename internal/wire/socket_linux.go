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

// leastSegment is the smallest segment that the kernel can take for a full one:
// what it assumes of a connection that has received nothing yet
// (TCP_MSS_DEFAULT).
const leastSegment = 536

// renewsAck reports whether acknowledgeNow belongs after a read of n bytes;
// sent says that something was sent since the read before.
//
// A server that leaves Nagle's algorithm on and writes the head of a reply
// apart from its first chunk keeps that chunk until the head is acknowledged. A
// kernel acknowledges what it hands to a read at once, except in two cases. Data
// that follows a request closely makes it wait up to 40 ms for something to
// send along ("pingpong mode", tcp_event_data_sent); only sending brings a
// connection there, so the first read after a send is the one that has to end
// it. And before Linux 6.6 a segment as long as the longest so far was not taken
// for the end of a write (tcp_measure_rcv_mss); none below leastSegment is.
//
// To renew after every read would cost 0.45 µs an event, 7 % of what a complete
// client takes for one, and prevent nothing more (docs/performance.md).
func renewsAck(n int, sent bool) bool { return sent || n >= leastSegment }

// acknowledgeNow sends the acknowledgement that the kernel may be holding back
// and ends its waiting for something to send it with. The option is no lasting
// one: the next send can undo it.
func acknowledgeNow(fd uintptr) {
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) // refused, all is as it was
}

// unacknowledged is how many of the bytes that were sent over a socket its peer
// has not acknowledged, those of a connection that is over included.
func unacknowledged(fd uintptr) int64 {
	n, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ)
	if err != nil {
		return 0
	}
	return int64(n)
}

// setBuffers has nothing to do after the connect: socketControl has set them.
func setBuffers(net.Conn, int, int) error { return nil }
