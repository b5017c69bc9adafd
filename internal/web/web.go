// Package web shows measurements to a browser: [Live] a run while it goes, from the
// state that the terminal draws, and [Results] a folder of results, to list, to open
// and to lay over one another.
//
// Data flows out only. Nothing that a page asks for starts, changes or delays
// anything: a [Server] answers GET and HEAD, writes no file, opens none outside of
// the folder it was given, and has bounds on connections and streams. A page that
// reads slowly misses states and gets the newest. Pages of others can neither read
// nor embed what is served: see guard.go. There is no password, so that the address is
// one of this host alone unless somebody asks for another.
package web

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

const (
	// mostConnections are open at a time; others wait until one is closed.
	mostConnections = 64
	// patience is how long a request may take to come, and a write to be taken.
	patience = 10 * time.Second
	// mostHeader is in bytes.
	mostHeader = 16 << 10
)

// Server serves a handler to browsers until it is closed.
type Server struct {
	http     *http.Server
	listener net.Listener
	host     string
	end      context.CancelFunc
	work     sync.WaitGroup
}

// Listen serves h at an address, host:port, behind the guard. Port 0 is any free one.
func Listen(address string, h http.Handler) (*Server, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("serving pages: %w", err)
	}
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serving pages at %s: %w", address, err)
	}
	ctx, end := context.WithCancel(context.Background())
	s := &Server{listener: l, host: host, end: end}
	s.http = &http.Server{
		Handler:           guard(host, h),
		ReadHeaderTimeout: patience,
		WriteTimeout:      patience, // a stream sets its own; a ReadTimeout would end it
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    mostHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
	}
	s.work.Go(func() { _ = s.http.Serve(netutil.LimitListener(l, mostConnections)) }) // ends by Close
	return s, nil
}

// URL is where a browser on this host finds the pages.
func (s *Server) URL() string {
	host, port := s.host, s.listener.Addr().(*net.TCPAddr).Port
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(port)) + "/"
}

// ending is how long pages that are on their way may take at the end.
const ending = time.Second

// Close ends all streams, lets pages that are on their way come, for a second at most,
// and closes the connections. Nothing listens any more when it returns.
func (s *Server) Close() {
	s.end()
	ctx, free := context.WithTimeout(context.Background(), ending)
	defer free()
	if s.http.Shutdown(ctx) != nil {
		_ = s.http.Close() // of connections that are closed already
	}
	s.work.Wait()
}
