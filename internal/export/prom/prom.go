// Package prom serves a tally as Prometheus scrapes it: text format 0.0.4, or
// OpenMetrics where the scraper asks for it.
package prom

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/common/expfmt"
	"golang.org/x/net/netutil"

	"headway/internal/export/tally"
)

// mostScrapers is how many connections are served at a time; more wait.
const mostScrapers = 16

// Server serves metrics until it is closed.
type Server struct {
	// Addr is where it listens.
	Addr   net.Addr
	http   *http.Server
	served chan struct{}
}

// Listen starts to serve a tally at /metrics of an address. The error is that of an
// address that cannot be had.
func Listen(address string, t *tally.Tally) (*Server, error) {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listening for scrapers of metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		format := expfmt.NegotiateIncludingOpenMetrics(r.Header)
		w.Header().Set("Content-Type", string(format))
		_ = Write(w, t.Now(), format) // a scraper that went away
	})
	s := &Server{Addr: l.Addr(), served: make(chan struct{}), http: &http.Server{Handler: mux,
		ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 1 << 16,
		ErrorLog: log.New(io.Discard, "", 0)}}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(netutil.LimitListener(l, mostScrapers)) // ends with Close
	}()
	return s, nil
}

// Close lets scrapes under way end, for a second.
func (s *Server) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if errors.Is(s.http.Shutdown(ctx), context.DeadlineExceeded) {
		s.http.Close()
	}
	<-s.served
}
