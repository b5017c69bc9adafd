package openai

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// settle waits until the peer, a socket of this machine, has read everything
// that was sent to it: only then is the next piece another read.
func settle(c net.Conn) {
	peer, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return
	}
	for unread(peer.Port, c.LocalAddr().(*net.TCPAddr).Port) {
		_ = c.SetReadDeadline(time.Now().Add(time.Millisecond))
		var b [1]byte
		_, _ = c.Read(b[:]) // a pause: the client has nothing to say
		_ = c.SetReadDeadline(time.Time{})
	}
}

// unread says whether something waits in the receive queue of a socket of
// 127.0.0.1. It asks the kernel for that one socket, since /proc/net/tcp is a line
// for every connection that tests have closed within a minute; where the kernel
// cannot be asked, it reads that.
func unread(local, remote int) bool {
	queue, err := receiveQueue(local, remote)
	if err == nil {
		return queue > 0
	}
	table, err := os.ReadFile("/proc/net/tcp")
	if err != nil {
		return false
	}
	_, line, found := strings.Cut(string(table), fmt.Sprintf("0100007F:%04X 0100007F:%04X", local, remote))
	// State, then transmit and receive queue.
	fields := strings.Fields(line)
	return found && len(fields) > 1 && !strings.HasSuffix(fields[1], ":00000000")
}

// What <linux/sock_diag.h> and <linux/inet_diag.h> say.
const (
	netlinkSockDiag  = 4
	sockDiagByFamily = 20
	noCookie         = 0xffffffff
)

// diagRequest is a nlmsghdr and an inet_diag_req_v2.
type diagRequest struct {
	syscall.NlMsghdr
	family, protocol, ext, pad uint8
	states                     uint32
	diagSocket
}

// diagSocket is an inet_diag_sockid; ports and addresses are in network order.
type diagSocket struct {
	source, destination         [2]byte
	sourceIP, destinationIP     [16]byte
	device, cookieLow, cookieHi uint32
}

// diagReply is a nlmsghdr and an inet_diag_msg.
type diagReply struct {
	syscall.NlMsghdr
	family, state, timer, retrans                  uint8
	socket                                         diagSocket
	expires, receiveQueue, sendQueue, owner, inode uint32
}

// receiveQueue is how many bytes a socket of 127.0.0.1 was sent and has not read;
// a socket that is gone has none.
func receiveQueue(local, remote int) (uint32, error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, netlinkSockDiag)
	if err != nil {
		return 0, err
	}
	defer syscall.Close(fd)
	ask := diagRequest{family: syscall.AF_INET, protocol: syscall.IPPROTO_TCP, states: 0xffffffff}
	ask.Len, ask.Type, ask.Flags = uint32(unsafe.Sizeof(ask)), sockDiagByFamily, syscall.NLM_F_REQUEST
	binary.BigEndian.PutUint16(ask.source[:], uint16(local))
	binary.BigEndian.PutUint16(ask.destination[:], uint16(remote))
	copy(ask.sourceIP[:], net.IPv4(127, 0, 0, 1).To4())
	copy(ask.destinationIP[:], net.IPv4(127, 0, 0, 1).To4())
	ask.cookieLow, ask.cookieHi = noCookie, noCookie
	if err := syscall.Sendto(fd, (*[unsafe.Sizeof(ask)]byte)(unsafe.Pointer(&ask))[:], 0,
		&syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}); err != nil {
		return 0, err
	}
	var reply diagReply
	n, _, err := syscall.Recvfrom(fd, (*[unsafe.Sizeof(reply)]byte)(unsafe.Pointer(&reply))[:], 0)
	switch {
	case err != nil:
		return 0, err
	case n >= int(unsafe.Sizeof(reply)) && reply.Type == sockDiagByFamily:
		return reply.receiveQueue, nil
	case reply.Type == syscall.NLMSG_ERROR && n >= syscall.NLMSG_HDRLEN+4:
		// The error's number stands where the message begins.
		code := -*(*int32)(unsafe.Pointer(&reply.family))
		if syscall.Errno(code) == syscall.ENOENT {
			return 0, nil
		}
		return 0, syscall.Errno(code)
	}
	return 0, fmt.Errorf("a reply of %d bytes and type %d", n, reply.Type)
}

// The kernel counts what a socket has not read.
func TestReceiveQueue(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	server, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	client, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	local, remote := client.LocalAddr().(*net.TCPAddr).Port, client.RemoteAddr().(*net.TCPAddr).Port
	if _, err := server.Write([]byte("seven b")); err != nil {
		t.Fatal(err)
	}
	if n, err := receiveQueue(local, remote); n != 7 && err == nil {
		t.Errorf("%d bytes wait, want 7", n)
	}
	if !unread(local, remote) {
		t.Error("nothing waits")
	}
	if _, err := io.ReadFull(client, make([]byte, 7)); err != nil {
		t.Fatal(err)
	}
	if unread(local, remote) {
		t.Error("something waits that was read")
	}
}
