package openai

import (
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"headway/internal/fault"
	"headway/record"
)

// What Config.Proxy may be beside an address.
const (
	ProxyNone = "none" // requests go straight to the server, whatever the environment says
	ProxyEnv  = "env"  // HTTP_PROXY, HTTPS_PROXY and NO_PROXY say which proxy, in either case
)

// A benchmark through a proxy measures the proxy as well. So the environment's,
// which people set for browsers and package managers and forget, is used only
// where that is asked for, and it is said where it is not.

// fromEnvironment says whether the environment's proxies are used.
func (c Config) fromEnvironment() bool { return c.Proxy == ProxyEnv || c.Proxy == "" && c.TrustEnv }

// checkProxy finds what is wrong with the proxy.
func (c Config) checkProxy() (bad fault.List) {
	fixed := c.Proxy != "" && c.Proxy != ProxyNone && c.Proxy != ProxyEnv
	if fixed {
		u, err := url.Parse(c.Proxy)
		if err != nil || !isProxy(u) {
			bad.Add("%s %q: must be like http://host:3128 or socks5://host:1080, or env or none", fault.Field("proxy"),
				Shown(c.Proxy))
			return bad
		}
		if c.TrustEnv {
			bad.Add("%s and the environment's proxies: one of the two", fault.Field("proxy"))
		}
	}
	for i, address := range c.URLs {
		s, err := newServer(c, i)
		var env *environmentFault
		switch {
		case errors.As(err, &env):
			bad.Add("%s env: %w", fault.Field("proxy"), env)
		case err != nil:
			// The address is at fault, which is said elsewhere.
		case s.socket != "" && fixed:
			bad.Add("%s %q: no proxy leads to a Unix socket: leave it out", fault.Field("proxy"), Shown(c.Proxy))
		case s.proxy != nil && c.HTTP2 && s.url.Scheme == "http":
			bad.Add("%s: HTTP/2 without TLS goes through no proxy: use https:// for %s, or %s none",
				fault.Field("http2"),
				Shown(address), fault.Field("proxy"))
		}
	}
	return bad
}

// isProxy says whether an address can be a proxy's.
func isProxy(u *url.URL) bool {
	return slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) &&
		u.Hostname() != "" && !badPort(u) && !strings.HasSuffix(u.Host, ":") && (u.Path == "" || u.Path == "/")
}

// badPort says that an address has a port which cannot be.
func badPort(u *url.URL) bool {
	n, err := strconv.Atoi(u.Port())
	return u.Port() != "" && (err != nil || n < 1 || n > 65535)
}

// environmentFault is a variable that names no proxy. Its value is not told: it
// may hold a password.
type environmentFault struct{ variable string }

func (e *environmentFault) Error() string {
	return e.variable + ": not the address of a proxy: must be like http://host:3128"
}

// findProxy is the proxy of requests to an address, nil for none.
func (c Config) findProxy(to *url.URL) (*url.URL, error) {
	switch {
	case socketHost.MatchString(to.Hostname()), c.Proxy == ProxyNone:
		return nil, nil
	case c.fromEnvironment():
		return environmentProxy(to)
	case c.Proxy != "":
		return url.Parse(c.Proxy)
	}
	return nil, nil
}

// environmentProxy is the environment's proxy for an address, nil for none.
func environmentProxy(to *url.URL) (*url.URL, error) {
	env := httpproxy.FromEnvironment()
	u, err := env.ProxyFunc()(to)
	switch {
	case err == nil && u != nil && isProxy(u):
		return u, nil
	case err != nil, u != nil, applies(*env, to):
		return nil, &environmentFault{variableOf(to)}
	}
	return nil, nil
}

// applies says whether a proxy is set for an address although none was found: the
// package takes one that it cannot read for none.
func applies(env httpproxy.Config, to *url.URL) bool {
	for _, value := range []*string{&env.HTTPProxy, &env.HTTPSProxy} {
		if *value != "" {
			*value = "http://proxy"
		}
	}
	u, err := env.ProxyFunc()(to)
	return u != nil && err == nil
}

// variableOf is the environment variable that names the proxy for an address.
func variableOf(to *url.URL) string {
	name := strings.ToUpper(to.Scheme) + "_PROXY"
	if os.Getenv(name) == "" && os.Getenv(strings.ToLower(name)) != "" {
		return strings.ToLower(name)
	}
	return name
}

// proxy finds the proxy of a request of net/http; nil where there is none for any.
func (c Config) proxy() func(*http.Request) (*url.URL, error) {
	if c.Proxy == ProxyNone || c.Proxy == "" && !c.TrustEnv {
		return nil
	}
	return func(r *http.Request) (*url.URL, error) { return c.findProxy(r.URL) }
}

// socketHost is a name that stands for a Unix socket.
var socketHost = regexp.MustCompile(`^unix-[0-9]+\.invalid$`)

// throughProxy sets what requests to s need because of their proxy.
func (s *server) throughProxy(proxy *url.URL) {
	if s.proxy = proxy; proxy == nil {
		return
	}
	shown := url.URL{Scheme: proxy.Scheme, Host: proxy.Host}
	s.proxyShown = shown.String()
	s.address = hostPort(proxy)
}

// hostPort is what to connect to.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// plainProxy says whether requests are sent to a proxy as they would be to the
// server, but for the address in them: over connections that anybody can open.
func (s *server) plainProxy() bool {
	return s.proxy != nil && s.proxy.Scheme == "http" && s.url.Scheme == "http"
}

// proxyAuthorization is the credential for a proxy, "" without one.
func proxyAuthorization(proxy *url.URL) string {
	if proxy == nil || proxy.User == nil {
		return ""
	}
	password, _ := proxy.User.Password()
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(proxy.User.Username()+":"+password))
}

// named adds the proxy to the message of a failure behind it: the proxy may be
// what failed, and the address of the request does not show it.
func (s *server) named(f *record.Failure) {
	if f != nil && s.proxy != nil && f.Class != record.ClassCancelled {
		f.Message += throughMark + s.proxyShown + ")"
	}
}

const throughMark = " (through the proxy "

// proxyRefusal is the answer of a proxy that does not connect to the server.
type proxyRefusal struct{ status string }

func (p *proxyRefusal) Error() string { return "the proxy refused to connect: " + p.status }

// unreachable are the classes of failures that a proxy may be behind.
var unreachable = []record.Class{record.ClassDNS, record.ClassRefused, record.ClassTLS, record.ClassReset,
	record.ClassClient}

// adviceProxy is what to do about a failure that may be a proxy's; "" where it
// is not.
func adviceProxy(f record.Failure) string {
	if !strings.Contains(f.Message, throughMark) {
		return ""
	}
	switch {
	case f.Code == http.StatusProxyAuthRequired || strings.Contains(f.Message, " 407"):
		return "The proxy wants a user and a password: --proxy http://USER:PASSWORD@HOST:PORT, " +
			"or the same in HTTP_PROXY or HTTPS_PROXY with --proxy env."
	case slices.Contains(unreachable, f.Class), strings.HasPrefix(f.Message, "connecting"),
		f.Code == http.StatusBadGateway, f.Code == http.StatusGatewayTimeout:
		return "Requests go through a proxy: check that it runs and may reach the server, " +
			"or go straight to the server with --proxy none."
	}
	return ""
}

// Proxies are the proxies that requests go through, without user and password,
// each once.
func (c Config) Proxies() []string {
	var all []string
	for i := range c.URLs {
		if s, err := newServer(c, i); err == nil && s.proxy != nil && !slices.Contains(all, s.proxyShown) {
			all = append(all, s.proxyShown)
		}
	}
	return all
}

// ProxySecrets are the values of the proxies' credentials, which must appear
// nowhere: as they are written, as they are meant and as they are sent.
func (c Config) ProxySecrets() []string {
	var all []string
	for i := range c.URLs {
		s, err := newServer(c, i)
		if err != nil || s.proxy == nil || s.proxy.User == nil {
			continue
		}
		password, _ := s.proxy.User.Password()
		sent := strings.TrimPrefix(proxyAuthorization(s.proxy), "Basic ")
		for _, secret := range []string{s.proxy.User.String(), password, sent} {
			if secret != "" && !slices.Contains(all, secret) {
				all = append(all, secret)
			}
		}
	}
	return all
}

// Proxied is what a reader of figures must know of proxies, nil where there are none.
func (c Config) Proxied() *record.Warning {
	through := c.Proxies()
	if len(through) == 0 {
		return nil
	}
	return &record.Warning{Code: "proxied", Text: "requests go through the proxy " + strings.Join(through, ", ") +
		": latencies include it"}
}

// UnusedProxy says which variable names a proxy that would apply to a server of c
// and is not used, "" where there is none or where that was asked for.
func (c Config) UnusedProxy() (variable string) {
	if c.Proxy != "" || c.TrustEnv {
		return ""
	}
	for i := range c.URLs {
		s, err := newServer(c, i)
		if err != nil || s.socket != "" {
			continue
		}
		if u, err := environmentProxy(s.url); u != nil || err != nil {
			return variableOf(s.url)
		}
	}
	return ""
}
