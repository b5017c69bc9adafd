package openai

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"headway/internal/bound"
	"headway/internal/fault"
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
	// Tell asks servers to say what they did with a request, see [Telling]; what the
	// user says of it in Extra stays.
	Tell bool
	// KeepRaw keeps bodies and replies as they went over the wire, as Record.Raw.
	KeepRaw bool
	// SessionHeader carries the session's id.
	SessionHeader string

	// MaxReplyEvents and MaxReplyBytes bound one reply. 0 follows from what was
	// asked for, and is a million and 256 MiB (half of ReplyMemory where that is
	// less) at most; see docs/limits.md.
	MaxReplyEvents int
	MaxReplyBytes  bound.Bytes
	// ReplyMemory bounds what all replies in flight hold together; 0 is a quarter
	// of the memory that this process may use, from 64 MiB to 8 GiB.
	ReplyMemory bound.Bytes

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
	// Proxy is the address of a proxy for all requests (http, https or socks5),
	// ProxyEnv or ProxyNone; "" is ProxyNone.
	Proxy string
	// TrustEnv makes "" ProxyEnv.
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
	c.boundDefaults()
}

// Validate lists every fault, each with the field's name, its value and what
// is allowed. It expects Defaults to have been called.
func (c Config) Validate() error {
	var bad fault.List
	for _, u := range c.URLs {
		parsed, err := parseURL(u)
		if err == nil {
			err = errors.Join(c.checkWhole(parsed), c.checkCredentials(parsed))
		}
		if err != nil {
			bad.Add("%s %w", fault.Field("url"), err)
		}
	}
	bad.OneOf("url-strategy", c.URLStrategy, RoundRobin)
	bad.OneOf("endpoint-type", c.Type, TypeChat, TypeCompletions)
	bad.OneOf("model-selection-strategy", c.ModelStrategy, RoundRobin, Random)
	bad.OneOf("connection-reuse-strategy", c.ConnectionReuse, ReusePooled, ReuseNever, ReuseSticky)
	bad.Join(c.checkTransport()...)
	if err := checkEndpoint(c.Endpoint); err != nil {
		bad.Add("%s %q: %w", fault.Field("endpoint"), Shown(c.Endpoint), err)
	}
	if len(c.Models) == 0 {
		bad.Add("%s: none given: name the model as the server's /v1/models lists it", fault.Field("model"))
	}
	if slices.Contains(c.Models, "") {
		bad.Add("%s %q: a name is empty", fault.Field("model"), strings.Join(c.Models, ","))
	}
	if c.Timeout < 0 {
		bad.Add("%s %v: must be above 0", fault.Field("request-timeout-seconds"), c.Timeout)
	}
	if c.PerChunkUsage && (!c.UseServerTokenCount || !c.Streaming || c.Type != TypeChat) {
		bad.Add("%s: needs %s server (or %s), %s and %s chat", fault.Field("per-chunk-usage"),
			fault.Field("token-count"),
			fault.Field("use-server-token-count"), fault.Field("streaming"), fault.Field("endpoint-type"))
	}
	if _, err := parseObject(c.Extra); err != nil {
		bad.Add("%s: %w", fault.Field("extra-inputs"), err)
	}
	bad.Join(c.checkBounds()...)
	bad.Join(checkHeaders(c)...)
	return bad.Err()
}

// checkCredentials refuses a user in an address beside another credential: one of
// them would not be sent.
func (c Config) checkCredentials(u *url.URL) error {
	var other any
	if c.APIKey != "" {
		other = fault.Field("api-key")
	}
	for name := range c.Headers {
		if strings.EqualFold(name, "Authorization") {
			other = fault.New("%s Authorization", fault.Field("header")) // its parts are named as those of a cause
		}
	}
	if u.User == nil || other == nil {
		return nil
	}
	return fault.New("%q: it has a user, and %v is given: a request carries one of them, leave the other out",
		Shown(u.String()), other)
}

// checkTransport finds what is wrong with how requests are to travel.
func (c Config) checkTransport() (bad fault.List) {
	switch c.Transport {
	case TransportAuto, TransportStd:
	case TransportEpoll:
		if err := c.pooled(); err != nil {
			bad.Add("%s epoll: %w: leave it out or write std", fault.Field("transport"), err)
		}
	default:
		bad.Add("%s %q: must be auto, epoll or std", fault.Field("transport"), c.Transport)
	}
	for _, s := range c.SourceAddresses {
		if _, err := netip.ParseAddr(s); err != nil {
			bad.Add("%s %q: must be an IP address of this machine", fault.Field("source-address"), s)
		}
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		bad.Add("%s %q, %s %q: one needs the other", fault.Field("tls-cert"), c.TLSCert,
			fault.Field("tls-key"), c.TLSKey)
	}
	return append(bad, c.checkProxy()...)
}

// checkHeaders finds what net/http would refuse at every single request. A
// value may be a secret, so only names are told.
func checkHeaders(c Config) (bad fault.List) {
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		if !validHeaderName(name) {
			bad.Add("%s %q: not a header name: only letters, digits and - are safe", fault.Field("header"), name)
		}
		for _, v := range c.Headers[name] {
			if !validHeaderValue(v) {
				bad.Add("%s %s: its value holds a control character", fault.Field("header"), name)
			}
		}
	}
	if !validHeaderName(c.SessionHeader) {
		bad.Add("%s %q: not a header name", fault.Field("session-header"), c.SessionHeader)
	}
	if !validHeaderValue(c.APIKey) {
		bad.Add("%s: it holds a control character, perhaps a line end from a file", fault.Field("api-key"))
	}
	if !validHeaderValue(c.UserAgent) {
		bad.Add("user agent %q: it holds a control character", c.UserAgent)
	}
	return bad
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
