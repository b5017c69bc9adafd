package openai

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"headway/internal/wire"
)

// leased is a connection that counts its users. net/http puts a connection
// back into its pool before the reader of a reply learns that the reply ended,
// so at that moment another request may be reading from it; without the count
// its arrival times would be taken for ours.
type leased struct {
	*wire.Conn
	// early says that it was open before the request that asked for it.
	early bool
	users atomic.Int64
	wrote atomic.Pointer[func()]
	// handed is how much was to be written, begun that when the present use
	// began; broke is set when the connection ended with nothing of what came
	// after it acknowledged.
	handed, begun atomic.Int64
	broke         atomic.Bool
	closed        sync.Once
	after         func() // of Close; nil does nothing
}

// Read reads, and notes of a connection that ends what never got there.
func (l *leased) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	l.note(err)
	return n, err
}

// note has to look before the connection is closed, which net/http does before
// it tells anybody. What a Write was given counts and not what it wrote: the end
// can be read before Write returns.
func (l *leased) note(err error) {
	if err != nil && l.Unacknowledged() >= l.handed.Load()-l.begun.Load() {
		l.broke.Store(true)
	}
}

// Close closes, and says so once.
func (l *leased) Close() error {
	if l.after != nil {
		l.closed.Do(l.after)
	}
	return l.Conn.Close()
}

// Write writes, and tells once whoever asked for it with afterWrite.
func (l *leased) Write(p []byte) (int, error) {
	l.handed.Add(int64(len(p)))
	n, err := l.Conn.Write(p)
	l.note(err)
	if f := l.wrote.Swap(nil); f != nil && err == nil {
		(*f)()
	}
	return n, err
}

// afterWrite calls f after the next Write, if that succeeds, in the goroutine
// that writes.
func (l *leased) afterWrite(f func()) { l.wrote.Store(&f) }

// NetConn lets wire.Of find the connection below.
func (l *leased) NetConn() net.Conn { return l.Conn }

// lease is one request's use of a connection. The zero value is none.
type lease struct {
	conn *leased
	// user is the number of this use.
	user int64
	// read and written are the connection's counts when the use began.
	read, written int64
}

// take begins a use of the connection below c.
func take(c net.Conn) lease {
	for c != nil {
		if l, ok := c.(*leased); ok {
			l.begun.Store(l.handed.Load())
			return lease{conn: l, user: l.users.Add(1), read: l.BytesRead(), written: l.BytesWritten()}
		}
		u, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			break
		}
		c = u.NetConn()
	}
	return lease{}
}

// early reports whether the connection was opened before anybody asked for it.
func (l lease) early() bool { return l.conn != nil && l.conn.early }

// lost reports whether nothing of the request reached the server, which had
// closed the connection before it came: no word of the server's on the request.
func (l lease) lost() bool { return l.conn != nil && l.ours() && l.conn.broke.Load() }

// ours reports whether nobody has used the connection since.
func (l lease) ours() bool { return l.conn != nil && l.conn.users.Load() == l.user }

// stamp is when the connection's last data arrived, and the number of the read
// that brought it. Without a connection, or when it is another's by now, it is
// the clock and -1.
//
// The order matters: a later user announces itself before it reads, so what
// was read before the count was seen unchanged is ours.
func (l lease) stamp() (s wire.Stamp, read int64) {
	if l.conn != nil {
		read, s = l.conn.Reads(), l.conn.Stamp()
		if l.ours() && !s.At.IsZero() {
			return s, read
		}
	}
	return wire.Stamp{At: time.Now()}, -1
}

// bytes is how much this use has received and sent so far; ok is false when
// that can no longer be told.
func (l lease) bytes() (received, sent int64, ok bool) {
	if l.conn == nil {
		return 0, 0, false
	}
	received, sent = l.conn.BytesRead()-l.read, l.conn.BytesWritten()-l.written
	return received, sent, l.ours()
}
