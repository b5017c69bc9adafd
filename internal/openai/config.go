package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// The values that Config's choices take.
const (
	TypeChat        = "chat"
	TypeCompletions = "completions"

	RoundRobin = "round_robin"
	Random     = "random"

	ReusePooled = "pooled"
	ReuseNever  = "never"
	ReuseSticky = "sticky-user-sessions"

	TransportAuto  = "auto"
	TransportEpoll = "epoll"
	TransportStd   = "std"
)

// Config says what is sent to which server and how. The zero value is usable
// after Defaults, but for Models, which has none.
type Config struct {
	// URLs are the servers' base addresses; a missing scheme means http://,
	// and unix:///path is HTTP over a Unix socket.
	// User and password in one are sent as basic authorization and shown
	// nowhere.
	URLs []string
	// URLStrategy picks among several: RoundRobin. Each new session takes the
	// next address and all its turns stay there, where its prefix is cached.
	URLStrategy string
	// Endpoint replaces the path that follows from Type. It may have a query.
	Endpoint string
	// Type is TypeChat or TypeCompletions.
	Type string
	// Models are the names to ask for, picked by the request's Index:
	// RoundRobin in turn, Random by a hash of Seed and Index.
	Models        []string
	ModelStrategy string
	Seed          uint64

	// Streaming asks for the reply as an event stream.
	Streaming bool
	// Headers are added to every request. Content-Type and Accept are not
	// taken from here, nor the ids of request and session.
	Headers http.Header
	// APIKey is sent as a bearer token.
	APIKey string
	// Extra is a JSON object merged into every body; it may replace anything.
	Extra json.RawMessage
	// LegacyMaxTokens sends max_tokens where chat has max_completion_tokens.
	LegacyMaxTokens bool
	// UseServerTokenCount says that token counts are those of the server.
	UseServerTokenCount bool
	// PerChunkUsage asks for usage with every chunk of a stream
	// (stream_options.continuous_usage_stats).
	PerChunkUsage bool
	// SessionHeader carries the session's id.
	SessionHeader string

	// Timeout bounds one request from its start to the end of its reply.
	Timeout time.Duration
	// ConnectionReuse is ReusePooled (any free connection), ReuseNever (a new
	// one for each request) or ReuseSticky (one for each session, closed with
	// it).
	ConnectionReuse string
	UserAgent       string
	// Transport is what carries requests: TransportEpoll (plain HTTP/1.1 on
	// Linux, see wire.Pool), TransportStd (net/http) or TransportAuto, which is
	// epoll where it can be.
	Transport string
	// HTTP2 speaks HTTP/2 and nothing else, over https or with prior knowledge
	// over http. Requests to a server then share a connection, and arrivals are
	// stamped by the clock: the kernel's time is that of a packet, which may
	// belong to any of them.
	HTTP2 bool
	// SourceAddresses are local addresses to connect from when the system's
	// choice has no free port left for a server. Without one a request waits.
	SourceAddresses []string
	// Notice, which may be nil, is told in a sentence when something makes the
	// client wait, once.
	Notice func(string) `json:"-" yaml:"-"`
	// TLSCA is a PEM file with the certificates to trust instead of the
	// system's; TLSCert and TLSKey are the client's own certificate and key.
	TLSCA, TLSCert, TLSKey string
	// InsecureSkipVerify takes any certificate.
	InsecureSkipVerify bool
	// Proxy is the address of a proxy for all requests: http, https or socks5.
	Proxy string
	// TrustEnv uses the proxies that HTTP_PROXY, HTTPS_PROXY and NO_PROXY
	// name. Without it there is no proxy: one in between would be measured.
	TrustEnv bool
}

// Defaults fills in what is not set, with aiperf's values: one server at
// localhost:8000, chat, six hours for a request.
func (c *Config) Defaults() {
	if len(c.URLs) == 0 {
		c.URLs = []string{"http://localhost:8000"}
	}
	for _, d := range []struct {
		field *string
		value string
	}{
		{&c.URLStrategy, RoundRobin},
		{&c.Type, TypeChat},
		{&c.ModelStrategy, RoundRobin},
		{&c.SessionHeader, "X-Correlation-ID"},
		{&c.ConnectionReuse, ReusePooled},
		{&c.UserAgent, "headway"},
		{&c.Transport, TransportAuto},
	} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if c.Timeout == 0 {
		c.Timeout = 6 * time.Hour
	}
}

// Validate lists every fault, each with the option's name, its value and what
// is allowed. It expects Defaults to have been called.
func (c Config) Validate() error {
	var faults []error
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	choice := func(option, value string, allowed ...string) {
		if !slices.Contains(allowed, value) {
			fault("%s %q: must be %s", option, value, strings.Join(allowed, " or "))
		}
	}
	for _, u := range c.URLs {
		if _, err := parseURL(u); err != nil {
			faults = append(faults, fmt.Errorf("--url %w", err))
		}
	}
	choice("--url-strategy", c.URLStrategy, RoundRobin)
	choice("--endpoint-type", c.Type, TypeChat, TypeCompletions)
	choice("--model-selection-strategy", c.ModelStrategy, RoundRobin, Random)
	choice("--connection-reuse-strategy", c.ConnectionReuse, ReusePooled, ReuseNever, ReuseSticky)
	faults = append(faults, c.checkTransport()...)
	if strings.Contains(c.Endpoint, "://") {
		fault("--endpoint %q: must be a path such as /v1/chat/completions; the server belongs in --url", redactURL(c.Endpoint))
	}
	if len(c.Models) == 0 {
		fault("--model: none given: name the model as the server's /v1/models lists it")
	}
	if slices.Contains(c.Models, "") {
		fault("--model %q: a name is empty", strings.Join(c.Models, ","))
	}
	if c.Timeout < 0 {
		fault("--request-timeout-seconds %v: must be above 0", c.Timeout)
	}
	if c.PerChunkUsage && (!c.UseServerTokenCount || !c.Streaming || c.Type != TypeChat) {
		fault("--per-chunk-usage: needs --token-count server (or --use-server-token-count), --streaming and --endpoint-type chat")
	}
	if _, err := parseObject(c.Extra); err != nil {
		fault("--extra-inputs: %w", err)
	}
	if err := checkHeaders(c); err != nil {
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// checkTransport finds what is wrong with how requests are to travel.
func (c Config) checkTransport() (faults []error) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	switch c.Transport {
	case TransportAuto, TransportStd:
	case TransportEpoll:
		if err := c.pooled(); err != nil {
			fault("--transport epoll: %w: leave it out or write std", err)
		}
	default:
		fault("--transport %q: must be auto, epoll or std", c.Transport)
	}
	for _, s := range c.SourceAddresses {
		if _, err := netip.ParseAddr(s); err != nil {
			fault("--source-address %q: must be an IP address of this machine", s)
		}
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		fault("--tls-cert %q, --tls-key %q: one needs the other", c.TLSCert, c.TLSKey)
	}
	if c.Proxy != "" {
		u, err := url.Parse(c.Proxy)
		if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) {
			fault("--proxy %q: must be like http://host:3128 or socks5://host:1080", redactURL(c.Proxy))
		}
		if c.TrustEnv {
			fault("--proxy and the environment's proxies: one of the two")
		}
	}
	return faults
}

// checkHeaders finds what net/http would refuse at every single request. A
// value may be a secret, so only names are told.
func checkHeaders(c Config) error {
	var faults []error
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if !validHeaderName(name) {
			faults = append(faults, fmt.Errorf("--header %q: not a header name: only letters, digits and - are safe", name))
		}
		for _, v := range c.Headers[name] {
			if !validHeaderValue(v) {
				faults = append(faults, fmt.Errorf("--header %s: its value holds a control character", name))
			}
		}
	}
	if !validHeaderName(c.SessionHeader) {
		faults = append(faults, fmt.Errorf("--session-header %q: not a header name", c.SessionHeader))
	}
	if !validHeaderValue(c.APIKey) {
		faults = append(faults, errors.New("--api-key: it holds a control character, perhaps a line end from a file"))
	}
	if !validHeaderValue(c.UserAgent) {
		faults = append(faults, fmt.Errorf("user agent %q: it holds a control character", c.UserAgent))
	}
	return errors.Join(faults...)
}

func validHeaderName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`"(),/:;<=>?@[\]{}`, c) >= 0 {
			return false
		}
	}
	return s != ""
}

func validHeaderValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
