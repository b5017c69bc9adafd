package wire

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Handler hears what becomes of a [Call]. Its methods are called one after the
// other, from the engine's goroutine, which reads nothing else meanwhile: they
// must be quick and must not wait. What they are given lies in the engine's
// buffer and is valid until they return. An error from Head or Body ends the
// call, and its connection, with that error.
type Handler interface {
	// Head is called once, when the head of the reply is whole.
	Head(h Head, at Stamp) error
	// Body is called with each piece of the body: the data of one chunk, or
	// as much of it as one read brought. read is the number of that read of
	// the connection; pieces with the same number came together.
	Body(p []byte, at Stamp, read int64) error
	// End is called once, last, and perhaps without the others: nil says that
	// the reply was read to its end, *DialError that there was no connection,
	// io.EOF that it closed before the reply's first byte and
	// io.ErrUnexpectedEOF in its middle. Errors about what the server sent
	// match ErrMalformed. It is the cause given to Cancel where that came
	// first.
	End(err error)
}

// Call is one request over a connection of a [Pool]. The caller fills in the
// first part and hands it to Pool.Do once; the rest may be read from Handler's
// methods and afterwards.
type Call struct {
	// Server is the address to connect to, host:port.
	Server string
	// Key keeps connections apart: a call uses only one that an earlier call
	// with the same key left, or one that nobody has used. nil is a key, too.
	Key any
	// Once closes the connection after the call and takes none that was used.
	Once bool
	// Request is all that is sent, head and body. It is sent a second time where
	// the server had closed a kept connection before the first could reach it.
	Request []byte
	Handler Handler
	// Sent, which may be nil, is called when the last byte was written, each
	// time.
	Sent func()

	// Facts says when and over what the call went.
	Facts Facts

	cancelled atomic.Bool
	mu        sync.Mutex
	cause     error
	ended     bool
	shut      interface{ shutdown() } // the connection, while it is ours
	stopDial  context.CancelCauseFunc // while a connection is being made
}

// Facts are the times and counts of a Call's connection. A zero time did not
// happen.
type Facts struct {
	Dialed                 *Dialed   // nil where the connection was open before
	GotConn                time.Time // a connection was the call's
	FirstWrite             time.Time // the first write of the request was done
	WriteBegan, WriteEnded time.Time // of the write that sent the last byte
	FirstByte              Stamp     // of the reply
	Reused                 bool      // the connection was open before
	Remote                 string
	Sent, Received         int64 // bytes
}

// Dialed says when a connection was made.
type Dialed struct{ DNSStart, DNSDone, ConnectStart, ConnectDone time.Time }

// DialError is the error of a Call that got no connection.
type DialError struct{ Err error }

func (e *DialError) Error() string { return e.Err.Error() }

// Unwrap gives the error of the net package.
func (e *DialError) Unwrap() error { return e.Err }

// Cancel gives the call up: Handler.End will be called with cause, soon and
// from another goroutine. It does nothing once the call has ended or was given
// up before. It may be called from anywhere.
func (c *Call) Cancel(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || c.cause != nil {
		return
	}
	c.cause = cause
	c.cancelled.Store(true)
	switch {
	case c.shut != nil:
		// The engine wakes from this and ends the call: descriptors are
		// closed by their engine alone, or a number could be another
		// connection's by the time it is used.
		c.shut.shutdown()
	case c.stopDial != nil:
		c.stopDial(cause)
	}
}

// part takes the call off its connection, which is about to be closed: its
// descriptor may then be another's.
func (c *Call) part() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shut = nil
}

// end closes the call and returns what to say of it. Nobody shuts its
// connection down after that.
func (c *Call) end(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended, c.shut, c.stopDial = true, nil, nil
	if err != nil && c.cause != nil {
		return c.cause
	}
	return err
}

// idleKey is what connections are kept under.
type idleKey struct {
	server string
	key    any
}

// unused is the key of connections that no call has used yet.
type unused struct{}

// rawDial makes a connection for a Pool, with its times.
func rawDial(ctx context.Context, d *Dialer, server string) (net.Conn, *Dialed, error) {
	var o dialObserver
	c, err := d.dial(o.watch(ctx), "tcp", server)
	if err != nil {
		err = &DialError{err}
	}
	return c, o.times(), err
}
