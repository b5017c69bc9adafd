// Package wire is the rim between the program and the network: sockets whose
// reads carry the time at which the data arrived, connections by the thousand
// that one goroutine reads, and the framing of HTTP/1.1 replies and of
// server-sent events.
//
// Why it exists: a goroutine that waits for data runs some time after the data
// came, and the busier the client the longer that takes. A latency made from
// the clock at the read therefore measures the client as well as the server.
// On Linux the kernel notes when each packet came in; a [Conn] asks for that
// note with every read, so the arrival time does not depend on when anybody
// got round to reading.
//
// There are two ways up. Over net/http bytes flow unchanged: kernel → Conn →
// crypto/tls where there is TLS → net/http → [Splitter] → its emit function;
// times flow beside them: whoever holds a connection finds the Conn below it
// with [Of] and asks for [Conn.Stamp]. Over a [Pool], for plain HTTP on Linux,
// bytes and their Stamp come together: kernel → engine → framer → [Handler] →
// Splitter. There the package speaks as much of HTTP/1.1 as finding the ends of
// replies takes.
//
// The package reads no JSON and keeps no statistics but of its own delays
// ([Lags]), knows neither prompts nor records, follows nothing, and logs
// nothing. What it sends a second time is a request that never reached the
// server, which had closed the idle connection before.
package wire

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Conn is a [net.Conn] that remembers when the data of its last Read arrived
// and when its last Write happened. It behaves like the connection below it in
// everything else: deadlines, io.EOF, and *net.OpError around the same causes.
//
// All methods may be called from several goroutines at once.
type Conn struct {
	net.Conn

	reader       stampedReader
	sent         atomic.Bool // something was, since the last read
	lags         *Lags       // nil counts nothing; set before the first Read
	reads        atomic.Int64
	bytesRead    atomic.Int64
	bytesWritten atomic.Int64

	// mu guards the fields below. It is held for a few nanoseconds at a time
	// and is free except when someone asks for a stamp in the middle of a
	// read. Separate atomics would not do: the parts of a Stamp, or the two
	// times of a write, must come from the same call.
	mu          sync.Mutex
	stamp       Stamp
	writeBefore time.Time
	writeAfter  time.Time
}

// stampedReader reads once from a connection and says when the data arrived.
// The Stamp is meaningful only when n > 0.
type stampedReader interface {
	read(p []byte) (n int, s Stamp, err error)
}

// NewConn returns c with arrival times. Where c is a *net.TCPConn on Linux
// (amd64 and arm64) the kernel's receive timestamps are switched on at once;
// everywhere else, and where the kernel refuses, the stamp is the clock right
// after the read. A c that is a *Conn already is returned as it is.
//
// Unix sockets get the clock: the kernel keeps no receive time for Unix
// streams, and reading them with room for control messages would take in file
// descriptors that a peer may send along.
func NewConn(c net.Conn) *Conn {
	if w, ok := c.(*Conn); ok {
		return w
	}
	w := &Conn{Conn: c}
	w.stampWith(nil)
	return w
}

// asking returns c as NewConn does, for the side that asks: what comes in is
// acknowledged at once (renewsAck). The side that answers has its answer to send
// the acknowledgement with.
func asking(c net.Conn) *Conn {
	w := &Conn{Conn: c}
	w.stampWith(&w.sent)
	return w
}

// stampWith sets up the reader. sent is nil where acknowledgements are the kernel's
// affair.
func (c *Conn) stampWith(sent *atomic.Bool) {
	if r := newKernelReader(c.Conn, sent); r != nil {
		c.reader = r
		return
	}
	c.reader = clockReader{c.Conn}
}

// Of returns the Conn below c: c itself, or what is found by asking wrappers
// such as *tls.Conn for their NetConn. It is nil when there is none.
func Of(c net.Conn) *Conn {
	for c != nil {
		if w, ok := c.(*Conn); ok {
			return w
		}
		u, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return nil
		}
		c = u.NetConn()
	}
	return nil
}

// Read reads as the connection below does. When it returns data, Stamp and
// Reads speak of this read from then on.
func (c *Conn) Read(p []byte) (int, error) {
	n, s, err := c.reader.read(p)
	if n > 0 {
		c.mu.Lock()
		c.stamp = s.notBefore(c.stamp)
		c.mu.Unlock()
		c.reads.Add(1)
		c.bytesRead.Add(int64(n))
		if c.lags != nil {
			c.lags.add(s)
		}
	}
	return n, err
}

// Write writes to the connection below and notes the clock on both sides.
func (c *Conn) Write(p []byte) (int, error) {
	// Noted on both sides: the answer can be read before Write returns, and
	// something else before it begins.
	c.sent.Store(true)
	defer c.sent.Store(true)
	before := time.Now()
	c.mu.Lock()
	c.writeBefore, c.writeAfter = before, time.Time{}
	c.mu.Unlock()

	n, err := c.Conn.Write(p)

	after := time.Now()
	c.bytesWritten.Add(int64(n))
	c.mu.Lock()
	c.writeAfter = after
	c.mu.Unlock()
	return n, err
}

// Stamp returns the arrival time of the data that the last Read returned, or
// the zero Stamp when no Read has returned data yet. Where one Read returned
// several packets it is the time of the last of them; a caller that parses
// several events out of one read can tell by Reads and must say so. The
// stamps of one connection never go back.
func (c *Conn) Stamp() Stamp {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stamp
}

// Reads returns the number of reads that returned data so far. Two events
// between which it has not changed came out of the same read and share its
// Stamp. Above TLS a record can span reads and a read can hold records; the
// count is of reads of the socket.
func (c *Conn) Reads() int64 { return c.reads.Load() }

// BytesRead returns the number of bytes read so far, below TLS.
func (c *Conn) BytesRead() int64 { return c.bytesRead.Load() }

// BytesWritten returns the number of bytes written so far, below TLS. A Write
// that is still running is not in it.
func (c *Conn) BytesWritten() int64 { return c.bytesWritten.Load() }

// LastWrite returns the clock right before and right after the last call of
// Write, both with a monotonic reading. While a Write runs, after is the zero
// Time: an answer can be here before the goroutine that wrote the question has
// got the processor back. Both are zero when nothing has been written.
func (c *Conn) LastWrite() (before, after time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writeBefore, c.writeAfter
}

// CloseWrite shuts the writing side down, so that the peer reads io.EOF while
// this side can still read. The error matches [errors.ErrUnsupported] where
// the connection below cannot do that.
func (c *Conn) CloseWrite() error {
	h, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return fmt.Errorf("closing the writing side of a %T: %w", c.Conn, errors.ErrUnsupported)
	}
	return h.CloseWrite()
}

// SyscallConn gives access to the file descriptor below, for socket options.
// Data read through it has no Stamp. The error matches
// [errors.ErrUnsupported] where the connection below has no descriptor.
func (c *Conn) SyscallConn() (syscall.RawConn, error) {
	s, ok := c.Conn.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("getting at the descriptor of a %T: %w", c.Conn, errors.ErrUnsupported)
	}
	return s.SyscallConn()
}

// Unacknowledged is how many of the bytes that were written the other side's
// kernel has not acknowledged, and 0 where that cannot be told. Of a connection
// that broke it is how many never got there, for as long as it is not closed
// here.
func (c *Conn) Unacknowledged() (n int64) {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	if err := raw.Control(func(fd uintptr) { n = unacknowledged(fd) }); err != nil {
		return 0
	}
	return n
}

// Quiet reports whether an idle connection is open and has nothing to read, as
// far as can be told without waiting or reading. It is true where the
// connection has no descriptor to ask.
func (c *Conn) Quiet() bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return errors.Is(err, errors.ErrUnsupported)
	}
	quiet := true
	if err := raw.Control(func(fd uintptr) { quiet = quietSocket(fd) }); err != nil {
		return false
	}
	return quiet
}
