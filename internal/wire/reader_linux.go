//go:build linux && (amd64 || arm64)

package wire

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// control is the room for the one control message that is asked for. On 64-bit
// systems the old and the new form of the option both carry two 64-bit words.
type control struct {
	header    unix.Cmsghdr
	sec, nsec int64
}

// kernelReader reads a TCP socket with recvmsg, which hands out the receive
// timestamp with the data.
//
// It lives inside Go's netpoller (RawConn.Read), so deadlines and a Close from
// another goroutine work as they do for the net package. Everything that a
// read needs is kept here and used again: the raw system call instead of
// unix.Recvmsg, and the method value in step instead of a closure at each
// read, are there because those allocate.
type kernelReader struct {
	tcp  *net.TCPConn
	raw  syscall.RawConn
	step func(fd uintptr) bool
	// sent, where it is not nil, says that something was sent since the last
	// read; see renewsAck.
	sent *atomic.Bool

	// mu lets one read at a time use the fields below. The net package has
	// such a lock too, but takes it inside raw.Read, after they are set.
	mu  sync.Mutex
	msg unix.Msghdr
	iov unix.Iovec
	ctl control
	// What step found.
	n     int
	errno syscall.Errno
	now   time.Time
}

// newKernelReader switches receive timestamps on. It is nil when c is not TCP
// or the kernel refuses. With sent, which is set whenever something is sent, it
// renews the acknowledging of what comes in.
func newKernelReader(c net.Conn, sent *atomic.Bool) stampedReader {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nil
	}
	var refused error
	err = raw.Control(func(fd uintptr) { refused = enableStamps(fd) })
	if err != nil || refused != nil {
		return nil
	}
	r := &kernelReader{tcp: tcp, raw: raw, sent: sent}
	r.step = r.recvmsg
	r.msg.Iov = &r.iov
	r.msg.SetIovlen(1)
	return r
}

func (r *kernelReader) read(p []byte) (int, Stamp, error) {
	if len(p) == 0 {
		n, err := r.tcp.Read(p)
		return n, Stamp{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()

	r.iov.Base = &p[0]
	r.iov.SetLen(len(p))
	err := r.raw.Read(r.step)
	r.iov.Base = nil // do not keep the caller's buffer alive
	switch {
	case err != nil:
		return 0, Stamp{}, r.pollError(err)
	case r.errno != 0:
		// "read", not "recvmsg": the same words as net uses.
		return 0, Stamp{}, r.opError(os.NewSyscallError("read", r.errno))
	case r.n == 0:
		return 0, Stamp{}, io.EOF
	}
	return r.n, r.stamp(), nil
}

// recvmsg makes one attempt; false means that there is nothing yet and sends
// the netpoller waiting.
func (r *kernelReader) recvmsg(fd uintptr) bool {
	for {
		r.msg.Control = (*byte)(unsafe.Pointer(&r.ctl))
		r.msg.SetControllen(int(unsafe.Sizeof(r.ctl)))
		n, _, errno := unix.Syscall(unix.SYS_RECVMSG, fd, uintptr(unsafe.Pointer(&r.msg)), unix.MSG_CMSG_CLOEXEC)
		switch errno {
		case unix.EINTR:
			continue
		case unix.EAGAIN:
			return false
		}
		r.now = time.Now()
		r.n, r.errno = int(n), errno
		if r.sent != nil && errno == 0 && r.n > 0 && renewsAck(r.n, r.sent.Load()) {
			r.sent.Store(false)
			acknowledgeNow(fd)
		}
		return true
	}
}

func (r *kernelReader) stamp() Stamp { return stampOf(&r.msg, &r.ctl, r.now) }

// stampOf reads the control message of a successful recvmsg; now is the clock
// right after it. There is none while the kernel is still switching timestamps
// on, which it does in the background when the first socket of the machine
// asks for them.
func stampOf(msg *unix.Msghdr, ctl *control, now time.Time) Stamp {
	h := &ctl.header
	if uint64(msg.Controllen) < uint64(unsafe.Sizeof(*ctl)) || h.Level != unix.SOL_SOCKET ||
		(h.Type != unix.SO_TIMESTAMPNS_OLD && h.Type != unix.SO_TIMESTAMPNS_NEW) {
		return Stamp{At: now}
	}
	return kernelStamp(now, ctl.sec*int64(time.Second)+ctl.nsec)
}

// pollError gives an error of RawConn.Read the form of one of TCPConn.Read.
func (r *kernelReader) pollError(err error) error {
	var op *net.OpError
	if errors.As(err, &op) {
		return r.opError(op.Err)
	}
	return r.opError(err)
}

func (r *kernelReader) opError(err error) error {
	local := r.tcp.LocalAddr()
	return &net.OpError{Op: "read", Net: local.Network(), Source: local, Addr: r.tcp.RemoteAddr(), Err: err}
}
