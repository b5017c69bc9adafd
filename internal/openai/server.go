package openai

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"sync"
	"time"

	"headway/internal/wire"
)

// server is one address of a target.
type server struct {
	url  *url.URL // of the endpoint, without user and password
	user *url.Userinfo
	// models is where it lists its models.
	models *url.URL
	// shown is the address as the user knows it.
	shown string
	// address is what to connect to, host:port; over a Unix socket a name
	// that stands for it.
	address string
	// socket is the path of a Unix socket, "" without one.
	socket string
	// proxy is what requests go through, nil for none, and proxyShown that
	// without user and password. address is then the proxy's.
	proxy      *url.URL
	proxyShown string
	// prefix is how a request over a wire.Pool begins.
	prefix []byte
}

// newServer reads the i-th address of c.
func newServer(c Config, i int) (server, error) {
	u, err := parseURL(c.URLs[i])
	if err != nil {
		return server{}, err
	}
	s := server{user: u.User}
	if u.Scheme == "unix" {
		// HTTP knows no sockets: a name takes the place of the path, the same
		// for nothing else, so that net/http does not mix connections up.
		s.socket = u.Path
		u = &url.URL{Scheme: "http", Host: fmt.Sprintf("unix-%d.invalid", i)}
		s.url = c.requestURL(u)
		s.shown = "unix://" + s.socket + s.url.RequestURI()
	} else {
		u.User = nil
		s.url = c.requestURL(u)
		s.shown = s.url.String()
	}
	s.models = modelsURL(u)
	s.address = hostPort(s.url)
	proxy, err := c.findProxy(s.url)
	if err == nil {
		s.throughProxy(proxy)
	}
	return s, err
}

// pooled says whether plain requests go over a wire.Pool; the error says why
// not where they do not.
func (c Config) pooled() error {
	if !wire.HasPool {
		return errors.New("this system has no epoll")
	}
	if c.HTTP2 {
		return errors.New("it knows no HTTP/2")
	}
	for i := range c.URLs {
		s, err := newServer(c, i)
		switch {
		case err != nil:
			return err
		case s.socket != "":
			return errors.New("it knows no Unix sockets")
		case s.url.Scheme != "http":
			return fmt.Errorf("it knows no %s", s.url.Scheme)
		case s.proxy != nil && s.proxy.Scheme != "http":
			return fmt.Errorf("it knows no proxy of %s", s.proxy.Scheme)
		}
	}
	return nil
}

// TransportUsed is what c's requests go over: TransportEpoll or TransportStd,
// never TransportAuto.
func (c Config) TransportUsed() string {
	c.Defaults()
	if c.Transport != TransportStd && c.pooled() == nil {
		return TransportEpoll
	}
	return TransportStd
}

// Preconnect opens connections before they are needed, evenly to all servers,
// and returns when n are there, those of earlier requests that are still open
// included; no request may be under way. Requests that use them have no time of
// connecting, and their HTTP.Reused is set. Over HTTP/2 it opens one to each
// server at most, which carries any number of requests.
func (t *Target) Preconnect(ctx context.Context, n int) error {
	for _, s := range t.servers {
		if s.proxy != nil && !s.plainProxy() {
			return errPreconnectProxy
		}
	}
	if err := wire.NeedFiles(n); err != nil {
		return err
	}
	for i, s := range t.servers {
		share := n / len(t.servers)
		if i < n%len(t.servers) {
			share++
		}
		if t.c.HTTP2 {
			share = min(share, 1)
		}
		var err error
		if t.pool != nil {
			share = max(0, share-t.pool.Idle(s.address, nil))
			err = t.pool.Preconnect(ctx, s.address, share, t.opened.add)
		} else {
			share = max(0, share-t.outlet.openTo(s.address))
			err = t.outlet.ahead(ctx, s.address, s.url.Scheme == "https", share, t.opened.add)
		}
		if err != nil {
			return errors.New(t.words.secrets.Text(err.Error()))
		}
	}
	return nil
}

// Opened is how long each connection that Preconnect opened took, in order of
// size: the lookup of the name, the connect, and the TLS handshake where there
// is one. That time is in no request's.
func (t *Target) Opened() []time.Duration {
	t.opened.mu.Lock()
	defer t.opened.mu.Unlock()
	return slices.Sorted(slices.Values(t.opened.took))
}

// openings collects how long connections took to open.
type openings struct {
	mu   sync.Mutex
	took []time.Duration
}

func (o *openings) add(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.took = append(o.took, d)
}
