package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"strings"
	"time"

	"headway/internal/fault"
	"headway/internal/openai"
	"headway/record"
)

// address looks at how the address is written, and at what it leads to.
func (e *endpoint) address(context.Context) Finding {
	c := e.client
	if len(c.Models) == 0 {
		c.Models = []string{"any"}
	}
	err := c.Validate()
	if err == nil {
		e.reach, err = c.Reach(0)
	}
	if err != nil {
		return failed(fault.Named(err, e.flag).Error(), "Write it as http://HOST:PORT, or https://HOST.")
	}
	seen := "requests go to " + e.reach.Shown
	if !strings.Contains(e.written, "://") {
		return warn(seen+"; the address has no scheme", "Write http:// or https:// before the host: other tools "+
			"refuse an address without one, or take https.")
	}
	return ok(seen)
}

// slowLookup is how long the lookup of a name may take, in seconds.
const slowLookup = 0.1

// name looks the host up, or that of the proxy.
func (e *endpoint) name(ctx context.Context) Finding {
	if e.reach.Socket != "" {
		return ok("a Unix socket needs none")
	}
	host, _, err := net.SplitHostPort(e.reach.Address)
	if err != nil {
		return failed(err.Error(), "")
	}
	began := time.Now()
	list, err := net.DefaultResolver.LookupHost(ctx, host)
	took := time.Since(began).Seconds()
	if err != nil {
		return e.unreached(err, false)
	}
	return lookedUp(host, list, took)
}

// lookedUp judges the addresses of a host.
func lookedUp(host string, list []string, took float64) Finding {
	seen := fmt.Sprintf("%s is %s", host, strings.Join(list[:min(4, len(list))], ", "))
	if len(list) > 4 {
		seen += fmt.Sprintf(" and %d more", len(list)-4)
	}
	switch {
	case took > slowLookup:
		return warn(fmt.Sprintf("%s; the lookup took %s", seen, milliseconds(took)), "Each new connection looks the "+
			"name up, and its time is in TTFT: check the name servers, or give the address instead of the name.")
	case len(list) == 1 && list[0] == host:
		return ok("an address, no name to look up")
	}
	return ok(seen)
}

// unreached is the finding of a connection that could not be made.
func (e *endpoint) unreached(err error, handshake bool) Finding {
	f := e.client.ConnectFailure(err, handshake)
	do := openai.Advice(f, e.client.Address())
	if f.Class == record.ClassTLS && handshake && strings.Contains(f.Message, "certificate") {
		do = "Use a host name that the certificate has, or name the authority that signed it with --tls-ca FILE; " +
			"AIPERF_HTTP_SSL_VERIFY=false takes any certificate."
	}
	if e.reach.Proxy != "" {
		return failed(f.Message+" (the proxy "+e.reach.Proxy+")",
			"Check that the proxy runs, or go straight to the server with --proxy none.")
	}
	return failed(f.Message, do)
}

// dial opens a connection to the server, or to its proxy.
func (e *endpoint) dial(ctx context.Context) (net.Conn, error) {
	network, to := "tcp", e.reach.Address
	if e.reach.Socket != "" {
		network, to = "unix", e.reach.Socket
	}
	return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, network, to)
}

func (e *endpoint) connect(ctx context.Context) Finding {
	began := time.Now()
	c, err := e.dial(ctx)
	if err != nil {
		return e.unreached(err, false)
	}
	took := time.Since(began).Seconds()
	defer func() { _ = c.Close() }() // nothing was sent
	what := c.RemoteAddr().String()
	if e.reach.Socket != "" {
		what = "the socket " + e.reach.Socket
	} else if e.reach.Proxy != "" {
		what += ", the proxy"
	}
	return ok(fmt.Sprintf("%s took a connection in %s", what, milliseconds(took)))
}

// soon is how long a certificate has to be valid from now on.
const soon = 14 * 24 * time.Hour

func (e *endpoint) tls(ctx context.Context) Finding {
	switch {
	case e.reach.TLS == nil:
		return skipped("plain HTTP")
	case e.reach.Proxy != "":
		return skipped("through a proxy: the next checks make a handshake")
	}
	c, err := e.dial(ctx)
	if err != nil {
		return e.unreached(err, false)
	}
	defer func() { _ = c.Close() }() // nothing was sent
	began := time.Now()
	t := tls.Client(c, e.reach.TLS)
	if err := t.HandshakeContext(ctx); err != nil {
		return e.unreached(err, true)
	}
	took := time.Since(began).Seconds()
	state := t.ConnectionState()
	if len(state.PeerCertificates) == 0 {
		return failed("the server has no certificate", "Check the port, and the server's configuration.")
	}
	how := fmt.Sprintf("%s in %s", tls.VersionName(state.Version), milliseconds(took))
	return certified(how, state.PeerCertificates[0], e.reach.TLS.InsecureSkipVerify, time.Now())
}

// certified judges a certificate that was taken.
func certified(how string, c *x509.Certificate, unchecked bool, now time.Time) Finding {
	seen := fmt.Sprintf("%s; certificate of %q until %s", how, c.Subject.CommonName,
		c.NotAfter.UTC().Format(time.DateOnly))
	switch {
	case unchecked:
		return warn(seen+"; it was not checked", "Anybody could answer in the server's place: unset "+
			"AIPERF_HTTP_SSL_VERIFY and name the authority with --tls-ca FILE.")
	case c.NotAfter.Sub(now) < soon:
		return warn(seen, "The certificate ends soon: renew it.")
	}
	return ok(seen)
}

// proxy says which one requests go through, and which one they do not.
func (e *endpoint) proxy(context.Context) Finding {
	if e.reach.Proxy != "" {
		return warn("requests go through "+e.reach.Proxy, "Latencies include the proxy, and it may buffer: go "+
			"straight "+
			"to the server with --proxy none, if it can be reached.")
	}
	if name := e.client.UnusedProxy(); name != "" {
		return warn(name+" is set and not used", "That is right for a measurement. Where the server can only be "+
			"reached through that proxy, use --proxy env; --proxy none ends this warning.")
	}
	return ok("none")
}
