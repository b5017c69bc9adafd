package openai

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/internal/wire"
)

// outlet opens the connections that net/http uses, all transports of a target
// together: with arrival times, TLS above those, and some of them ahead of
// need.
type outlet struct {
	dialer *wire.Dialer
	tls    *tls.Config
	// sockets are the paths of Unix sockets by the host that stands for them.
	sockets map[string]string

	mu   sync.Mutex
	kept map[string][]net.Conn // opened ahead, by address
	live map[string]int        // open, by address
}

// sourcesAreOurs reports addresses that this machine cannot connect from. It
// would show only once the ports of the usual one are used up, in the middle of
// a run, as requests that fail.
func sourcesAreOurs(c Config) error {
	var bad fault.List
	for _, s := range c.SourceAddresses {
		l, err := net.Listen("tcp", net.JoinHostPort(s, "0"))
		if err != nil {
			bad.Add("%s %s: must be an address of this machine: %w", fault.Field("source-address"), s, err)
			continue
		}
		_ = l.Close() // nobody knew of it
	}
	return bad.Err()
}

// newDialer makes the connections of both transports.
func newDialer(c Config) *wire.Dialer {
	d := &wire.Dialer{Lags: &wire.Lags{}}
	for _, s := range c.SourceAddresses {
		if a, err := netip.ParseAddr(s); err == nil { // Validate has seen to that
			d.Sources = append(d.Sources, a)
		}
	}
	if c.Notice != nil {
		var once sync.Once
		d.Waiting = func(err error) { once.Do(func() { c.Notice(err.Error()) }) }
	}
	return d
}

// clientTLS is what the TLS options ask for.
func clientTLS(c Config) (*tls.Config, error) {
	t := &tls.Config{InsecureSkipVerify: c.InsecureSkipVerify}
	if c.HTTP2 {
		t.NextProtos = []string{"h2"}
	}
	if c.TLSCA != "" {
		pem, err := bound.ReadFile(c.TLSCA, bound.Document, "the certificates")
		if err != nil {
			return nil, fault.New("%s: reading the certificates to trust: %w", fault.Field("tls-ca"), err)
		}
		t.RootCAs = x509.NewCertPool()
		if !t.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fault.New("%s %s: no certificate in it: expected PEM (BEGIN CERTIFICATE)",
				fault.Field("tls-ca"), c.TLSCA)
		}
	}
	if c.TLSCert != "" {
		pair, err := keyPair(c.TLSCert, c.TLSKey)
		if err != nil {
			return nil, fault.New("%s %s with %s %s: %w", fault.Field("tls-cert"), c.TLSCert, fault.Field("tls-key"),
				c.TLSKey, err)
		}
		t.Certificates = []tls.Certificate{pair}
	}
	return t, nil
}

// keyPair reads the client's certificate and its key.
func keyPair(certificate, key string) (tls.Certificate, error) {
	certPEM, err := bound.ReadFile(certificate, bound.Document, "the certificate")
	if err != nil {
		return tls.Certificate{}, err
	}
	keyPEM, err := bound.ReadFile(key, bound.Document, "the key")
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.X509KeyPair(certPEM, keyPEM)
}

// transport makes net/http do what a measurement needs: nothing between here
// and the server but what was asked for, bodies as they came, and no limit on
// connections.
func (o *outlet) transport(c Config) *http.Transport {
	tr := &http.Transport{
		DialContext:            o.dial,
		DialTLSContext:         o.dialTLS,
		TLSClientConfig:        o.tls,
		DisableCompression:     true,
		DisableKeepAlives:      c.ConnectionReuse == ReuseNever,
		MaxIdleConnsPerHost:    1 << 20,
		IdleConnTimeout:        300 * time.Second,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: wire.MaxHead,
		Protocols:              new(http.Protocols),
		Proxy:                  c.proxy(),
		OnProxyConnectResponse: connected,
	}
	tr.Protocols.SetHTTP1(!c.HTTP2)
	tr.Protocols.SetHTTP2(c.HTTP2)
	tr.Protocols.SetUnencryptedHTTP2(c.HTTP2)
	return tr
}

// connected refuses a proxy's answer that is not to have connected. net/http would
// say its reason alone, "Forbidden".
func connected(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyRefusal{answer.Status}
}

// dial opens a connection, or takes one that was opened ahead.
func (o *outlet) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	if c := o.take(addr); c != nil {
		return c, nil
	}
	return o.open(ctx, addr)
}

func (o *outlet) open(ctx context.Context, addr string) (net.Conn, error) {
	network, to := "tcp", addr
	if host, _, err := net.SplitHostPort(addr); err == nil && o.sockets[host] != "" {
		network, to = "unix", o.sockets[host]
	}
	c, err := o.dialer.DialContext(ctx, network, to)
	if err != nil {
		return nil, err
	}
	o.count(addr, 1)
	return &leased{Conn: wire.NewConn(c), after: func() { o.count(addr, -1) }}, nil
}

// count notes that a connection to addr was opened or closed.
func (o *outlet) count(addr string, n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.live == nil {
		o.live = make(map[string]int)
	}
	o.live[addr] += n
}

// openTo is how many connections to addr there are.
func (o *outlet) openTo(addr string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.live[addr]
}

// dialTLS is dial for https. net/http makes the handshake where that is still
// to be made, and tells the trace of it.
func (o *outlet) dialTLS(ctx context.Context, _, addr string) (net.Conn, error) {
	if c := o.take(addr); c != nil {
		return c, nil
	}
	c, err := o.open(ctx, addr)
	if err != nil {
		return nil, err
	}
	return o.secure(c, addr), nil
}

func (o *outlet) secure(c net.Conn, addr string) *tls.Conn {
	config := o.tls.Clone()
	if host, _, err := net.SplitHostPort(addr); err == nil {
		config.ServerName = host
	}
	return tls.Client(c, config)
}

// ahead opens n connections to addr and keeps them for later.
func (o *outlet) ahead(ctx context.Context, addr string, secure bool, n int, took func(time.Duration)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	turns := make(chan struct{}, n)
	for range n {
		turns <- struct{}{}
	}
	close(turns)
	var wg sync.WaitGroup
	for range min(n, 16) {
		wg.Go(func() {
			for range turns {
				began := time.Now()
				if err := o.oneAhead(ctx, addr, secure); err != nil {
					cancel(err)
					return
				}
				took(time.Since(began))
			}
		})
	}
	wg.Wait()
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("opening %d connections to %s: %w", n, addr, err)
	}
	return nil
}

func (o *outlet) oneAhead(ctx context.Context, addr string, secure bool) error {
	c, err := o.open(ctx, addr)
	if err != nil {
		return err
	}
	c.(*leased).early = true
	if secure {
		t := o.secure(c, addr)
		if err := t.HandshakeContext(ctx); err != nil {
			_ = c.Close() // of no use without TLS
			return fmt.Errorf("TLS handshake: %w", err)
		}
		c = t
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.kept == nil {
		o.kept = make(map[string][]net.Conn)
	}
	o.kept[addr] = append(o.kept[addr], c)
	return nil
}

// take finds a connection that was opened ahead and is still open.
func (o *outlet) take(addr string) net.Conn {
	for {
		c := o.last(addr)
		if c == nil || wire.Of(c).Quiet() {
			return c
		}
		_ = c.Close() // the server has closed it
	}
}

// last takes the connection that was opened last of those ahead; nil without one.
func (o *outlet) last(addr string) net.Conn {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.kept[addr]
	if len(all) == 0 {
		return nil
	}
	o.kept[addr] = all[:len(all)-1]
	return all[len(all)-1]
}

// close closes what nobody took.
func (o *outlet) close() {
	o.mu.Lock()
	kept := o.kept
	o.kept = nil
	o.mu.Unlock()
	for _, all := range kept {
		for _, c := range all {
			_ = c.Close() // unused
		}
	}
}

var errPreconnectProxy = fault.New("connections cannot be opened ahead through a proxy to https://, "+
	"nor through one of https:// or socks5://: leave %s out, or give %s",
	fault.Field("preconnect"), fault.Field("no-preconnect"))
