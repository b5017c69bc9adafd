package openai

import (
	"crypto/tls"
	"strings"

	"headway/record"
)

// Reach is how a server of a Config is reached, for whoever looks at the steps one
// by one.
type Reach struct {
	// Address is what to connect to, host:port: the proxy's where there is one. It
	// is empty over a Unix socket, whose path is Socket.
	Address, Socket string
	// Proxy is the proxy without user and password, empty for none.
	Proxy string
	// TLS is what a handshake with the server asks for, its name included; nil for
	// plain HTTP.
	TLS *tls.Config
	// Shown is the address of requests as it may be shown, Models the path at which
	// the server lists its models, Root that of its other pages, without a slash at
	// its end.
	Shown, Models, Root string
}

// Reach says how the i-th server of c is reached. Nothing is sent.
func (c Config) Reach(i int) (Reach, error) {
	c.Defaults()
	s, err := newServer(c, i)
	if err != nil {
		return Reach{}, err
	}
	r := Reach{Address: s.address, Socket: s.socket, Proxy: s.proxyShown, Shown: s.shown,
		Models: s.models.EscapedPath()}
	r.Root = strings.TrimSuffix(strings.TrimSuffix(r.Models, "/models"), "/v1")
	if s.socket != "" {
		r.Address = ""
	}
	if s.url.Scheme != "https" {
		return r, nil
	}
	if r.TLS, err = clientTLS(c); err != nil {
		return Reach{}, err
	}
	r.TLS.ServerName = s.url.Hostname()
	return r, nil
}

// ConnectFailure is what went wrong where no connection could be made; handshake
// says that TCP was there and TLS failed.
func (c Config) ConnectFailure(err error, handshake bool) record.Failure {
	f := unconnected(err, handshake)
	newWording(c).tell(f)
	return *f
}
