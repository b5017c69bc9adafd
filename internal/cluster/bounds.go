package cluster

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/internal/openai"
)

// Bounds are what clients may take of the server. The zero value of every field
// means its default; see docs/limits.md.
type Bounds struct {
	// HeaderTimeout is how long a request's head may take from its first byte,
	// BodyTimeout how long its body, IdleTimeout how long a connection may stay
	// open without a request; defaults 10 s, 60 s and 10 min.
	HeaderTimeout, BodyTimeout, IdleTimeout time.Duration
	// WriteTimeout is how long a client may leave a part of its reply unread;
	// default 60 s.
	WriteTimeout time.Duration
	// MaxConnections is how many may be open at once; default 65536. One more is
	// answered with status 503 and closed.
	MaxConnections int
	// MaxBodyBytes bounds a request's body; default 64 MiB. BodyMemory bounds
	// what the bodies of all requests in flight hold together; default a quarter
	// of the memory that this process may use.
	MaxBodyBytes, BodyMemory bound.Bytes
}

func (b Bounds) withDefaults() Bounds {
	for _, d := range []struct {
		field *time.Duration
		value time.Duration
	}{{&b.HeaderTimeout, 10 * time.Second}, {&b.BodyTimeout, time.Minute}, {&b.IdleTimeout, 10 * time.Minute},
		{&b.WriteTimeout, time.Minute}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	if b.MaxConnections == 0 {
		b.MaxConnections = 1 << 16
	}
	if b.MaxBodyBytes == 0 {
		b.MaxBodyBytes = 64 * bound.MiB
	}
	if b.BodyMemory == 0 {
		b.BodyMemory = max(bound.Memory()/4, b.MaxBodyBytes)
	}
	return b
}

func (b Bounds) check(bad *fault.List) {
	bad.Check(b.HeaderTimeout > 0, "header-timeout", b.HeaderTimeout, "above 0")
	bad.Check(b.BodyTimeout > 0, "body-timeout", b.BodyTimeout, "above 0")
	bad.Check(b.IdleTimeout > 0, "idle-timeout", b.IdleTimeout, "above 0")
	bad.Check(b.WriteTimeout > 0, "write-timeout", b.WriteTimeout, "above 0")
	bad.Check(b.MaxConnections >= 1, "max-connections", b.MaxConnections, "at least 1")
	bad.Check(b.MaxBodyBytes >= 1, "max-body-bytes", int64(b.MaxBodyBytes), "at least 1")
	bad.Check(b.BodyMemory >= b.MaxBodyBytes, "memory-budget", b.BodyMemory, "at least max-body-bytes")
}

// bodyPiece is how many bytes of a body are read at a time.
const bodyPiece = 64 << 10

// readBody reads a request's body, within its own bound and that of all; held is
// what it takes of the latter, to be given back when the request is answered.
func (s *Server) readBody(w http.ResponseWriter, r *http.Request) (body []byte, held int64,
	refusal *openai.ServerError) {
	// The deadline is set for the body alone: it would end the context of a
	// request whose reply takes longer. After a fault it stays, since net/http
	// reads on in a body before it answers, and the connection is closed.
	conn := http.NewResponseController(w)
	_ = conn.SetReadDeadline(time.Now().Add(s.cfg.BodyTimeout)) // a test's writer has none
	defer func() {
		if refusal == nil {
			_ = conn.SetReadDeadline(time.Time{})
			return
		}
		s.bodies.Add(-held) // before the reply: whoever has read it finds the room
		held = 0
		w.Header().Set("Connection", "close")
	}()
	in := http.MaxBytesReader(w, r.Body, int64(s.cfg.MaxBodyBytes))
	var b bytes.Buffer
	for {
		// The buffer doubles, so that it takes twice what is in it.
		if want := 2 * (int64(b.Len()) + bodyPiece); want > held {
			if !s.bodies.Take(want - held) {
				return nil, held, unavailable("the bodies of all requests hold all of " +
					"their memory (" + s.bodies.Limit.String() + ")")
			}
			held = want
		}
		_, err := io.CopyN(&b, in, bodyPiece)
		switch {
		case errors.Is(err, io.EOF):
			return b.Bytes(), held, nil
		case err != nil:
			return nil, held, s.badBody(err)
		}
	}
}

// badBody says why a body could not be read.
func (s *Server) badBody(err error) *openai.ServerError {
	e := &openai.ServerError{Status: http.StatusBadRequest, Type: "invalid_request_error",
		Message: fmt.Sprintf("reading the body: %v", err)}
	var large *http.MaxBytesError
	var late net.Error
	switch {
	case errors.As(err, &large):
		e.Status, e.Message = http.StatusRequestEntityTooLarge,
			fmt.Sprintf("the body is larger than %d bytes", int64(s.cfg.MaxBodyBytes))
	case errors.As(err, &late) && late.Timeout():
		e.Status, e.Message = http.StatusRequestTimeout,
			fmt.Sprintf("the body did not come within %v", s.cfg.BodyTimeout)
	}
	return e
}

// capped is a listener with a bound of open connections.
type capped struct {
	net.Listener
	mu   sync.Mutex
	open int
	most int
}

// Accept returns the next connection that there is room for. Others are told so:
// a client that is left in the queue of the system would wait for nothing.
func (l *capped) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if l.enter() {
			return &cappedConn{Conn: c, leave: sync.OnceFunc(l.leave)}, nil
		}
		go turnAway(c)
	}
}

func (l *capped) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open >= l.most {
		return false
	}
	l.open++
	return true
}

func (l *capped) leave() {
	l.mu.Lock()
	l.open--
	l.mu.Unlock()
}

// turnAway answers a connection that there is no room for.
func turnAway(c net.Conn) {
	const body = `{"error":{"message":"the server has as many connections as it takes (--max-connections)",` +
		`"type":"server_error"}}`
	_ = c.SetDeadline(time.Now().Add(time.Second))
	// The client may not listen: it is gone either way.
	_, _ = fmt.Fprintf(c, "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: "+
		"close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	if half, ok := c.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		_, _ = io.Copy(io.Discard, io.LimitReader(c, bodyPiece)) // closing with unread data would reset what was said
	}
	_ = c.Close()
}

type cappedConn struct {
	net.Conn
	leave func()
}

// NetConn is the connection below.
func (c *cappedConn) NetConn() net.Conn { return c.Conn }

// Close closes the connection and makes room for another.
func (c *cappedConn) Close() error {
	defer c.leave()
	return c.Conn.Close()
}
