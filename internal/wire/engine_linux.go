//go:build linux && (amd64 || arm64)

package wire

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// readSize is how much one read takes: more than a busy stream has.
	readSize = 64 << 10
	// batch is how many connections are looked at before other goroutines
	// get a turn; the kernel's stamps do not mind the wait.
	batch = 64
	// maxReads is how often in a row one connection is read that always has
	// more: a server that sends without end must not keep the others waiting.
	maxReads = 8

	// An engine to which more than busyRate events a second come looks every
	// tick instead of at each event: a wake costs as much as reading three.
	busyRate = 25000
	tick     = 100 * time.Microsecond
	// window is how long the rate is taken over.
	window = 2 * time.Millisecond

	tableBits = 10
	tableSize = 1 << tableBits
	hangUp    = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
)

// engine reads connections on one goroutine. It waits in Go's own netpoller:
// its epoll descriptor is, behind a gate, a file that the poller watches, and
// is asked without waiting for as long as it has something. A thread blocked in
// epoll_wait costs more, since each wake of it goes through the scheduler's
// hand-off of a processor; measurements are in docs/performance.md.
//
// Under load the gate is shut and a timer wakes the engine instead. Arrival
// times are the kernel's and do not mind; what is later by it, by a tenth of a
// millisecond at most, is that the end of a reply is noticed.
//
// Connections are watched edge-triggered. A read that fills less than its
// buffer has emptied the socket, so that no read is spent on finding that out;
// what comes after it is a new edge.
type engine struct {
	pool    *Pool
	fd      int   // epoll of the connections
	gate    *gate // tells the netpoller of fd
	lags    *Lags // of its reads; nil counts nothing
	ended   chan struct{}
	closing atomic.Bool

	// sockets finds a connection by its descriptor. Others put in, only the
	// engine takes out and closes, so a descriptor in an event is still the
	// connection that it was when the event happened.
	sockets [tableSize]atomic.Pointer[[tableSize]atomic.Pointer[socket]]

	// What follows is the goroutine's own.
	events [batch]unix.EpollEvent
	again  []*socket // have more to read than maxReads took
	busy   bool      // events come in a rush
	count  int       // of events since since
	since  time.Time
	buf    []byte
	msg    unix.Msghdr
	iov    unix.Iovec
	ctl    control
}

func newEngine(p *Pool) (*engine, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	g, err := newGate(fd)
	if err != nil {
		_ = unix.Close(fd) // nothing is in it
		return nil, err
	}
	e := &engine{pool: p, fd: fd, gate: g, lags: p.dialer.Lags, buf: make([]byte, readSize), ended: make(chan struct{})}
	e.iov.Base = &e.buf[0]
	e.iov.SetLen(len(e.buf))
	e.msg.Iov = &e.iov
	e.msg.SetIovlen(1)
	go e.run()
	return e, nil
}

// run reads until stop.
func (e *engine) run() {
	defer close(e.ended)
	look := e.look
	for !e.closing.Load() {
		err := e.gate.wait(look)
		for err == nil && e.busy && !e.closing.Load() {
			if err = e.gate.sleep(tick); err == nil {
				e.look()
			}
		}
		if err != nil {
			break
		}
	}
	for i := range e.sockets {
		if part := e.sockets[i].Load(); part != nil {
			for j := range part {
				if s := part[j].Load(); s != nil {
					e.abandon(s)
				}
			}
		}
	}
	_ = unix.Close(e.fd) // all that was in it is closed
}

// stop ends the goroutine and waits for it.
func (e *engine) stop() {
	e.closing.Store(true)
	e.gate.close()
	<-e.ended
}

// add begins to watch s.
func (e *engine) add(s *socket) error {
	if s.fd >= tableSize*tableSize {
		return fmt.Errorf("descriptor %d: more than %d files are open", s.fd, tableSize*tableSize)
	}
	part := &e.sockets[s.fd>>tableBits]
	if part.Load() == nil {
		part.CompareAndSwap(nil, new([tableSize]atomic.Pointer[socket]))
	}
	part.Load()[s.fd&(tableSize-1)].Store(s)
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET, Fd: int32(s.fd)}
	if err := unix.EpollCtl(e.fd, unix.EPOLL_CTL_ADD, s.fd, &ev); err != nil {
		e.forget(s)
		return fmt.Errorf("watching a connection: %w", err)
	}
	return nil
}

func (e *engine) forget(s *socket) {
	e.sockets[s.fd>>tableBits].Load()[s.fd&(tableSize-1)].Store(nil)
}

// look deals with all that is there. It is true when the gate need not be
// waited at: in the rush of events, and at the end.
func (e *engine) look() bool {
	for {
		if e.closing.Load() {
			return true
		}
		n, _, errno := unix.RawSyscall6(unix.SYS_EPOLL_PWAIT, uintptr(e.fd), uintptr(unsafe.Pointer(&e.events[0])),
			batch, 0, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			n = 0
		}
		for _, ev := range e.events[:n] {
			if s := e.sockets[ev.Fd>>tableBits].Load()[ev.Fd&(tableSize-1)].Load(); s != nil {
				e.serve(s, ev.Events)
			}
		}
		e.rate(int(n))
		if len(e.again) > 0 {
			again := e.again
			e.again = nil
			for _, s := range again {
				e.serve(s, unix.EPOLLIN|unix.EPOLLRDHUP)
			}
		} else if n < batch {
			// What comes from now on is an edge for the netpoller, even while
			// the goroutine is not waiting yet: asking again would find
			// nothing, at the price of a system call.
			return e.busy
		}
		runtime.Gosched()
	}
}

// rate counts n events and decides from time to time whether this is a rush.
func (e *engine) rate(n int) {
	e.count += n
	now := time.Now()
	took := now.Sub(e.since)
	if took < window {
		return
	}
	e.busy = e.count > int(took.Seconds()*float64(e.pool.rush))
	e.count, e.since = 0, now
}

// serve deals with one connection that has something.
func (e *engine) serve(s *socket, events uint32) {
	s.mu.Lock()
	if s.dead {
		s.mu.Unlock()
		return
	}
	if len(s.out) > 0 && events&unix.EPOLLOUT != 0 {
		s.flush()
	}
	if events&(unix.EPOLLIN|hangUp) == 0 {
		s.mu.Unlock()
		return
	}
	call, err, open := e.receive(s, events&hangUp != 0)
	if call != nil && s.lost(call, err) {
		s.call = nil
		call.part()
		e.close(s)
		s.mu.Unlock()
		if !e.pool.again(call) {
			call.Handler.End(call.end(err))
		}
		return
	}
	if call != nil {
		if open && (err != nil || s.frame.close || len(s.out) > 0) {
			open = false
		}
		s.call, s.out = nil, nil
		err = call.end(err)
		if call.cancelled.Load() {
			open = false
		}
	}
	switch {
	case !open:
		if call != nil && err != nil {
			s.reset()
		}
		e.close(s)
	case call != nil && call.Once:
		e.close(s)
	case call != nil:
		s.rest(idleKey{s.server, call.Key})
	}
	s.mu.Unlock()
	if call != nil {
		call.Handler.End(err)
	}
}

// receive reads what is there. call is the one that ended by it, with its
// error; open is false when the connection is over.
func (e *engine) receive(s *socket, hung bool) (call *Call, err error, open bool) {
	for range maxReads {
		n, errno := e.recvmsg(s.fd)
		switch {
		case errno == unix.EAGAIN:
			return call, err, true
		case errno != 0:
			if s.call != nil && call == nil {
				call, err = s.call, broke(errno)
			}
			return call, err, false
		case n == 0:
			if s.call != nil && call == nil {
				call, err = s.call, s.frame.eof()
			}
			return call, err, false
		}
		at := e.stamp()
		if renewsAck(n, s.sent) {
			acknowledgeNow(uintptr(s.fd))
			s.sent = false
		}
		if e.lags != nil {
			e.lags.add(at)
		}
		s.arrived(n, at)
		if s.call == nil || call != nil {
			// A server that talks unasked: its next reply could be taken for
			// the answer to a request that it never saw.
			return call, err, false
		}
		over, failed := s.take(e.buf[:n])
		if over {
			call, err = s.call, failed
			if failed != nil {
				return call, err, false
			}
		}
		if n < len(e.buf) && !hung {
			return call, err, true
		}
	}
	e.again = append(e.again, s)
	return call, err, true
}

// recvmsg reads once. The raw call does not tell the scheduler: it never
// waits.
func (e *engine) recvmsg(fd int) (int, syscall.Errno) {
	for {
		e.msg.Control = (*byte)(unsafe.Pointer(&e.ctl))
		e.msg.SetControllen(int(unsafe.Sizeof(e.ctl)))
		n, _, errno := unix.RawSyscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&e.msg)),
			unix.MSG_DONTWAIT|unix.MSG_CMSG_CLOEXEC)
		if errno != unix.EINTR {
			return int(n), errno
		}
	}
}

func (e *engine) stamp() Stamp { return stampOf(&e.msg, &e.ctl, time.Now()) }

// close ends a connection. s.mu is held.
func (e *engine) close(s *socket) {
	s.dead = true
	s.out = nil
	s.frame = framer{}
	e.pool.remove(s)
	e.forget(s)
	_ = unix.Close(s.fd) // what was to be read has been read
}

// abandon closes a connection at the end of the engine.
func (e *engine) abandon(s *socket) {
	s.mu.Lock()
	call := s.call
	s.call = nil
	if call != nil {
		s.reset()
	}
	e.close(s)
	s.mu.Unlock()
	if call != nil {
		call.Handler.End(call.end(errPoolClosed))
	}
}
