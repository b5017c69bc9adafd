//go:build linux && (amd64 || arm64)

package wire

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// socket is one connection of a Pool. mu guards all of it but what is said
// otherwise. The lock is free but for the moments in which a call begins or
// ends on one side while the engine reads on the other, and then costs some
// ten nanoseconds a read; without it a reply could be read before the call that
// asked for it is in place.
type socket struct {
	pool   *Pool
	engine *engine
	fd     int
	server string
	remote string
	// kept and place say where the pool keeps it; the pool's lock guards
	// them. place is -1 where it does not.
	kept  idleKey
	place int

	mu    sync.Mutex
	call  *Call // nil while idle
	out   []byte
	frame framer
	dead  bool // closed by its engine
	reads int64
	last  Stamp
	sent  bool // something was, since the last read
}

// begin sends c's request. It is false, and nothing has happened, when the
// connection, which the pool had kept, turns out to be closed; that is not
// asked of a fresh one.
func (s *socket) begin(c *Call, kept bool) bool {
	s.mu.Lock()
	if s.dead || kept && !s.quiet() {
		s.mu.Unlock()
		if !kept {
			c.Handler.End(c.end(io.EOF))
		}
		return !kept
	}
	defer s.mu.Unlock()
	s.send(c, kept)
	return true
}

// send makes c the call of this connection. mu is held.
func (s *socket) send(c *Call, kept bool) {
	c.Facts.GotConn = time.Now()
	c.Facts.Reused, c.Facts.Remote = kept, s.remote
	s.call, s.out = c, c.Request
	s.frame.reset()

	c.mu.Lock()
	c.stopDial, c.shut = nil, s
	gone := c.cause != nil
	c.mu.Unlock()
	if gone {
		s.shutdown() // its engine ends the call, here as everywhere
	} else {
		s.flush()
	}
}

// quiet reports whether an idle connection is open and has nothing to read. It
// is shut down otherwise, so that its engine closes it.
func (s *socket) quiet() bool {
	if quietSocket(uintptr(s.fd)) {
		return true
	}
	s.shutdown()
	return false
}

// shutdown makes the kernel tell the engine that this connection is over.
func (s *socket) shutdown() {
	_ = unix.Shutdown(s.fd, unix.SHUT_RDWR) // an error means that it is over already
}

// reset makes the close that follows tell the server that nobody listens any
// more, whatever is under way. A plain close would not where the receive buffer
// was full and has just been read: no word of the room reaches the server then,
// and it goes on holding the reply for minutes before it asks.
func (s *socket) reset() {
	_ = unix.SetsockoptLinger(s.fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}) // it may be over already
}

// retire closes an idle connection, by its engine.
func (s *socket) retire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.dead {
		s.shutdown()
	}
}

// flush writes what the kernel takes; the engine goes on with the rest when
// there is room. What came of a request that cannot be written shows when the
// connection is read: the server may have answered before it hung up.
func (s *socket) flush() {
	c := s.call
	for len(s.out) > 0 {
		c.Facts.WriteBegan = time.Now()
		n, err := unix.SendmsgN(s.fd, s.out, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN):
			return
		case err != nil:
			s.out = nil
			s.shutdown()
			return
		}
		if c.Facts.Sent == 0 {
			c.Facts.FirstWrite = time.Now()
		}
		s.sent = true
		c.Facts.Sent += int64(n)
		s.out = s.out[n:]
	}
	c.Facts.WriteEnded = c.Facts.FirstWrite
	if c.Facts.WriteBegan.After(c.Facts.FirstWrite) { // it took several
		c.Facts.WriteEnded = time.Now()
	}
	s.out = nil
	if !c.Facts.Reused {
		c.Request = nil // it will not be sent again
	}
	if c.Sent != nil {
		c.Sent()
	}
}

// rest keeps the connection for another call, or closes it.
func (s *socket) rest(k idleKey) {
	if !s.pool.put(s, k) {
		s.shutdown()
	}
}

// arrived notes a read of n bytes.
func (s *socket) arrived(n int, at Stamp) {
	s.last = at.notBefore(s.last)
	s.reads++
	if c := s.call; c != nil {
		if c.Facts.Received == 0 {
			c.Facts.FirstByte = s.last
			c.Request = nil // it got there
		}
		c.Facts.Received += int64(n)
	}
}

// lost reports whether c's request never reached the server, which had closed
// the idle connection before: the kernel there acknowledged nothing of it, so
// that nobody can have read it. That is no word of the server's on the request,
// and it is sent again. A request of which something was acknowledged is not: it
// may have been answered, or have brought the server down.
func (s *socket) lost(c *Call, err error) bool {
	return err != nil && c.Facts.Reused && c.Facts.Received == 0 && !c.cancelled.Load() &&
		unacknowledged(uintptr(s.fd)) >= c.Facts.Sent
}

// take gives bytes to the call and reports whether it is over, and how: nil
// when its reply was read to the end.
func (s *socket) take(p []byte) (over bool, err error) {
	if s.call.cancelled.Load() {
		return true, errCancelled
	}
	n, err := s.frame.feed(p, s)
	if err != nil {
		return true, err
	}
	if s.frame.place != ended {
		return false, nil
	}
	if n < len(p) {
		s.frame.close = true // nobody asked for what follows
	}
	return true, nil
}

// errCancelled is replaced by the cause.
var errCancelled = errors.New("given up")

func (s *socket) head(h Head) error   { return s.call.Handler.Head(h, s.last) }
func (s *socket) body(p []byte) error { return s.call.Handler.Body(p, s.last, s.reads) }

// broke is what a call is told of a read that failed, in the words of package
// net.
func broke(errno syscall.Errno) error { return os.NewSyscallError("read", errno) }
