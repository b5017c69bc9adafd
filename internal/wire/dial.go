package wire

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Dialer opens connections that are *Conn. The zero value is ready to use.
// Its DialContext fits http.Transport.DialContext; TLS goes above it. The
// times of name lookup and connect reach an httptrace.ClientTrace in ctx.
type Dialer struct {
	// Timeout bounds lookup and connect together; 0 leaves that to ctx.
	Timeout time.Duration
	// KeepAlive is the time between TCP keep-alive probes: 0 means the net
	// package's 15 s, a negative value none.
	KeepAlive time.Duration
	// FallbackDelay is how long IPv6 is tried before IPv4 is tried beside it:
	// 0 means the net package's 300 ms, a negative value never.
	FallbackDelay time.Duration
	// LocalAddr is the address to connect from; nil lets the system choose. A
	// destination takes about 28,000 connections from one local address.
	LocalAddr net.Addr
	// Sources are local addresses to connect from when the system's choice,
	// or LocalAddr, has no free port left for the destination. Destinations in
	// 127.0.0.0/8 have a few more of that net without being told.
	Sources []netip.Addr
	// Waiting, which may be nil, hears each time that no source has a free
	// port left; the connect then waits until one is free or ctx ends.
	Waiting func(error)
	// Resolver looks names up; nil means net.DefaultResolver.
	Resolver *net.Resolver
	// RecvBuffer and SendBuffer are SO_RCVBUF and SO_SNDBUF in bytes, at most
	// what the system allows (Linux cuts to net.core.rmem_max and wmem_max
	// without a word). 0 leaves the system's own sizing on, which grows the
	// buffer with the traffic; a fixed size switches that off.
	RecvBuffer, SendBuffer int
	// Lags, which may be nil, counts the reads of all connections that are
	// made with this Dialer.
	Lags *Lags
}

// DialContext connects to addr and returns a *Conn, with TCP_NODELAY on: a
// small request leaves at once and does not wait for an acknowledgement.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	w := asking(c)
	w.lags = d.Lags
	return w, nil
}

// dial is DialContext without the Conn around the connection.
func (d *Dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if d.RecvBuffer < 0 || d.SendBuffer < 0 {
		return nil, fmt.Errorf("connecting to %s: socket buffers of %d and %d bytes: must be 0 (the system's "+
			"choice) or more",
			addr, d.RecvBuffer, d.SendBuffer)
	}
	nd := net.Dialer{
		Timeout:       d.Timeout,
		KeepAlive:     d.KeepAlive,
		FallbackDelay: d.FallbackDelay,
		LocalAddr:     d.LocalAddr,
		Resolver:      d.Resolver,
		Control:       socketControl(d.RecvBuffer, d.SendBuffer),
	}
	c, err := d.fromAnySource(ctx, nd, network, addr)
	if err != nil {
		return nil, err
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		if err := tcp.SetNoDelay(true); err != nil {
			return nil, closeOn(c, fmt.Errorf("setting TCP_NODELAY on the connection to %s: %w", addr, err))
		}
	}
	if err := setBuffers(c, d.RecvBuffer, d.SendBuffer); err != nil {
		return nil, closeOn(c, fmt.Errorf("setting the socket buffers of the connection to %s: %w", addr, err))
	}
	return c, nil
}

// closeOn gives c up because of err.
func closeOn(c net.Conn, err error) error {
	_ = c.Close() // nothing was sent; err says more than a failed close would
	return err
}

// Listen announces on addr; the connections it accepts are *Conn. Multipath
// TCP is off: a listener that offers it gives sockets whose receive times pass
// through a second layer.
func Listen(ctx context.Context, network, addr string) (net.Listener, error) {
	lc := net.ListenConfig{Control: socketControl(0, 0)}
	lc.SetMultipathTCP(false)
	l, err := lc.Listen(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	return listener{l}, nil
}

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return NewConn(c), nil
}
