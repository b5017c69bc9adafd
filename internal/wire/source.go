package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// loopbackSources are the addresses besides the system's choice that a
// connection within 127.0.0.0/8 may come from: all of that net is local.
const loopbackSources = 8

// portPause is how long to wait before looking for a free port again. Ports
// come free by closed connections of ours and by the end of TIME_WAIT; neither
// is told to anybody.
const portPause = 20 * time.Millisecond

// fromAnySource connects from the first source that has a free port. A load
// generator that fails requests for want of ports would report an exhausted
// client as a broken server, so it waits instead.
func (d *Dialer) fromAnySource(ctx context.Context, nd net.Dialer, network, addr string) (net.Conn, error) {
	var waited error
	for {
		c, err := nd.DialContext(ctx, network, addr)
		for _, from := range d.sources(addr) {
			if !portsUsedUp(err) {
				break
			}
			other := nd
			other.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
			c, err = other.DialContext(ctx, network, addr)
		}
		if !portsUsedUp(err) {
			if err != nil && waited != nil && ctx.Err() != nil {
				err = errors.Join(waited, ctx.Err()) // the last of several attempts says less
			}
			return c, err
		}
		err = fmt.Errorf("no free local port for another connection to %s, waiting for one: "+
			"use fewer connections, give more source addresses, or widen net.ipv4.ip_local_port_range: %w", addr, err)
		if waited == nil && d.Waiting != nil {
			d.Waiting(err)
		}
		waited = err
		pause := time.NewTimer(portPause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil, errors.Join(err, ctx.Err())
		}
	}
}

// sources are where a connection to addr may come from besides the first
// choice.
func (d *Dialer) sources(addr string) []netip.Addr {
	if len(d.Sources) > 0 || d.LocalAddr != nil {
		return d.Sources
	}
	host, _, err := net.SplitHostPort(addr)
	to, bad := netip.ParseAddr(host)
	if err != nil || host != "localhost" && (bad != nil || !to.Is4() || !to.IsLoopback()) {
		return nil
	}
	all := make([]netip.Addr, loopbackSources)
	for i := range all {
		all[i] = netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + i)})
	}
	return all
}

// portsUsedUp reports whether a connect failed for want of a local port. The
// same error from bind means that the address is not one of this machine.
func portsUsedUp(err error) bool {
	var call *os.SyscallError
	return errors.Is(err, syscall.EADDRNOTAVAIL) && errors.As(err, &call) && call.Syscall == "connect"
}
