//go:build linux && (amd64 || arm64)

package wire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// HasPool says that this system has a Pool.
const HasPool = true

// Pool sends requests in plain HTTP/1.1 over connections that it opens, keeps
// and reads itself, without a goroutine or a buffer for each: one engine for
// each processor reads all connections that fell to it, with the kernel's
// receive timestamps. A stream that waits costs the sizes of a Call and of a
// socket, a few hundred bytes.
//
// net/http does the same for any connection, at 9 to 50 KB a stream and two
// goroutine switches a read; a Pool exists because that is what limits a load
// generator. It knows no TLS, proxies or HTTP/2 and follows nothing.
type Pool struct {
	dialer  *Dialer
	rush    int // events a second above which an engine looks at intervals
	engines []*engine
	next    atomic.Uint32

	dials   sync.WaitGroup
	mu      sync.Mutex
	idle    map[idleKey][]*socket
	closing bool
}

var errPoolClosed = errors.New("the pool of connections is closed")

// NewPool starts the engines, one for each processor that this process may
// use. d makes the connections; nil is the zero Dialer.
func NewPool(d *Dialer) (*Pool, error) { return newPool(d, busyRate) }

func newPool(d *Dialer, rush int) (*Pool, error) {
	if d == nil {
		d = &Dialer{}
	}
	p := &Pool{dialer: d, rush: rush, idle: make(map[idleKey][]*socket)}
	for range runtime.GOMAXPROCS(0) {
		e, err := newEngine(p)
		if err != nil {
			p.Close()
			return nil, fmt.Errorf("starting to watch connections: %w", err)
		}
		p.engines = append(p.engines, e)
	}
	return p, nil
}

// Close closes all connections and ends the engines. Calls that still run end
// with an error. No Do may follow.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closing = true
	p.mu.Unlock()
	p.dials.Wait()
	for _, e := range p.engines {
		e.stop()
	}
}

// Do starts a call and returns at once: the request is written from here when
// a connection is there, and what remains of it by the engine; a missing
// connection is made on a goroutine, until ctx ends.
func (p *Pool) Do(ctx context.Context, c *Call) {
	for {
		s := p.take(c)
		if s == nil {
			break
		}
		if s.begin(c, true) {
			return
		}
	}
	p.dials.Add(1)
	p.connect(ctx, c)
}

// again sends a call that was lost (socket.lost) over a connection of its own.
// It is false when the pool closes.
func (p *Pool) again(c *Call) bool {
	p.mu.Lock()
	open := !p.closing
	if open {
		p.dials.Add(1)
	}
	p.mu.Unlock()
	if open {
		c.Facts = Facts{}
		p.connect(context.Background(), c)
	}
	return open
}

// connect begins a call on a connection that a goroutine makes, which is counted
// in dials.
func (p *Pool) connect(ctx context.Context, c *Call) {
	ctx, cancel := context.WithCancelCause(ctx)
	c.mu.Lock()
	c.stopDial = cancel
	gone := c.cause
	c.mu.Unlock()
	if gone != nil {
		cancel(gone)
	}
	go func() {
		defer p.dials.Done()
		defer cancel(nil)
		s, times, err := p.dial(ctx, c.Server)
		if err != nil {
			c.Handler.End(c.end(err))
			return
		}
		c.Facts.Dialed = times
		s.begin(c, false)
	}()
}

// Idle is how many open connections to server are in no call's use and free for
// any call with this key.
func (p *Pool) Idle(server string, key any) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle[idleKey{server, key}]) + len(p.idle[idleKey{server, unused{}}])
}

// Preconnect opens n connections to server, to be used by later calls, and
// returns when they are there. took is told how long each took, the lookup of
// its name included, from several goroutines. On an error those made so far
// stay.
func (p *Pool) Preconnect(ctx context.Context, server string, n int, took func(time.Duration)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var left atomic.Int64
	left.Store(int64(n))
	var wg sync.WaitGroup
	for range min(n, 16) {
		wg.Go(func() {
			for ctx.Err() == nil && left.Add(-1) >= 0 {
				began := time.Now()
				s, _, err := p.dial(ctx, server)
				if err != nil {
					cancel(err)
					return
				}
				took(time.Since(began))
				s.mu.Lock()
				s.rest(idleKey{server, unused{}})
				s.mu.Unlock()
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("opening %d connections to %s: %w", n, server, err)
	}
	return nil
}

// CloseIdle closes the unused connections that calls with this key left.
func (p *Pool) CloseIdle(server string, key any) {
	k := idleKey{server, key}
	p.mu.Lock()
	all := p.idle[k]
	delete(p.idle, k)
	for _, s := range all {
		s.place = -1
	}
	p.mu.Unlock()
	for _, s := range all {
		s.retire()
	}
}

// dial makes a connection and gives it to the next engine.
func (p *Pool) dial(ctx context.Context, server string) (*socket, *Dialed, error) {
	c, times, err := rawDial(ctx, p.dialer, server)
	if err != nil {
		return nil, times, err
	}
	remote := c.RemoteAddr().String()
	fd, err := takeOver(c)
	if err != nil {
		return nil, times, &DialError{err}
	}
	e := p.engines[int(p.next.Add(1))%len(p.engines)]
	s := &socket{pool: p, engine: e, fd: fd, server: server, remote: remote, place: -1}
	if err := e.add(s); err != nil {
		_ = unix.Close(fd) // never used
		return nil, times, &DialError{err}
	}
	return s, times, nil
}

// takeOver makes a descriptor of c's socket that Go's poller does not watch
// and closes c.
func takeOver(c net.Conn) (int, error) {
	defer func() { _ = c.Close() }() // the socket lives on in its duplicate
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return -1, fmt.Errorf("taking over a %T: only TCP is known", c)
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return -1, err
	}
	fd, failed := -1, error(nil)
	err = raw.Control(func(old uintptr) {
		fd, failed = unix.FcntlInt(old, unix.F_DUPFD_CLOEXEC, 3)
	})
	if err == nil && failed != nil {
		err = fmt.Errorf("taking a connection over: %w", failed)
	}
	return fd, err
}

// take finds a connection for c, the one used last first: it is the least
// likely to have been closed by the server.
func (p *Pool) take(c *Call) *socket {
	p.mu.Lock()
	defer p.mu.Unlock()
	fresh := idleKey{c.Server, unused{}}
	keys := [...]idleKey{{c.Server, c.Key}, fresh}
	if c.Once {
		keys[0] = fresh
	}
	for _, k := range keys {
		if all := p.idle[k]; len(all) > 0 {
			s := all[len(all)-1]
			p.removeLocked(s)
			return s
		}
	}
	return nil
}

// put keeps s for later calls; false when the pool closes.
func (p *Pool) put(s *socket, k idleKey) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return false
	}
	s.kept, s.place = k, len(p.idle[k])
	p.idle[k] = append(p.idle[k], s)
	return true
}

// remove forgets s, if it is kept.
func (p *Pool) remove(s *socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.place >= 0 {
		p.removeLocked(s)
	}
}

func (p *Pool) removeLocked(s *socket) {
	all := p.idle[s.kept]
	last := len(all) - 1
	all[s.place] = all[last]
	all[s.place].place = s.place
	all[last] = nil
	if last == 0 {
		delete(p.idle, s.kept)
	} else {
		p.idle[s.kept] = all[:last]
	}
	s.place = -1
}
