package openai

import (
	"context"
	"net"
	"time"

	"headway/internal/wire"
)

// ServerListener makes ln accept connections that know when their data came
// and when their writes happened.
func ServerListener(ln net.Listener) net.Listener { return stampedListener{ln} }

// ServerListen announces on a TCP address, as net.Listen does; what it accepts
// is as from [ServerListener].
func ServerListen(ctx context.Context, addr string) (net.Listener, error) {
	return wire.Listen(ctx, "tcp", addr)
}

type stampedListener struct{ net.Listener }

func (l stampedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return wire.NewConn(c), nil
}

// ServerConn is a server's view of a request's connection.
type ServerConn struct{ conn *wire.Conn }

type serverConnKey struct{}

// ServerConnContext keeps the connection for [ServerConnOf]; it is a
// http.Server's ConnContext.
func ServerConnContext(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, serverConnKey{}, ServerConn{wire.Of(c)})
}

// ServerConnOf finds the connection of a request by its context. Without
// [ServerConnContext] there is none, and the clock stands in for its times.
func ServerConnOf(ctx context.Context) ServerConn {
	c, _ := ctx.Value(serverConnKey{}).(ServerConn)
	return c
}

// Received is when the last data came that was read. Right after a request's
// body was read to its end that is when the request's last byte came. kernel
// says that it is the kernel's receive time and not the clock.
func (c ServerConn) Received() (at time.Time, kernel bool) {
	if c.conn == nil {
		return time.Now(), false
	}
	s := c.conn.Stamp()
	return s.At, s.Kernel
}

// LastWrite is the clock right before and right after the last write to the
// socket. It is meant to be asked after a flush, by the goroutine that flushed.
func (c ServerConn) LastWrite() (before, after time.Time) {
	if c.conn == nil {
		now := time.Now()
		return now, now
	}
	return c.conn.LastWrite()
}
