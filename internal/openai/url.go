package openai

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"headway/internal/fault"
)

const exampleURL = "expected something like http://localhost:8000"

// parseURL reads a base address; http:// is put before one without a scheme.
// Its errors never hold a password.
func parseURL(s string) (*url.URL, error) {
	shown := Shown(s)
	full := s
	if !strings.Contains(s, "://") {
		full = "http://" + s
	}
	u, err := url.Parse(full)
	switch bad := misspelt(s); {
	case bad != "":
		return nil, fmt.Errorf("%q: %s", shown, bad)
	case err != nil:
		// url.Error repeats the address; its cause does not, except for a port.
		var ue *url.Error
		if errors.As(err, &ue) && !strings.Contains(s, "@") {
			err = ue.Err
		} else {
			err = errors.New("not a URL")
		}
		return nil, fmt.Errorf("%q: %w: %s", shown, err, exampleURL)
	case u.Scheme == "unix":
		if u.Host != "" || len(u.Path) < 2 || u.User != nil || u.RawQuery != "" {
			return nil, fmt.Errorf("%q: must be unix:///path/to/socket, and nothing after the path", shown)
		}
		return u, nil
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q: scheme %q: must be http, https or unix", shown, u.Scheme)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q: no host: %s", shown, exampleURL)
	case strings.ContainsAny(u.Hostname(), " \t,;<>\""):
		return nil, fmt.Errorf("%q: host %q: not a host name", shown, u.Hostname())
	case badZone(u.Hostname()):
		return nil, fmt.Errorf("%q: host %q: what stands after %%25 must be the name of a network interface",
			shown, u.Hostname())
	}
	if badPort(u) {
		return nil, fmt.Errorf("%q: port %s: must be 1 to 65535", shown, u.Port())
	}
	return u, nil
}

var (
	oneSlash = regexp.MustCompile(`^(?i)(https?|unix):/?([^/0-9]|$)`)
	bareIPv6 = regexp.MustCompile(`^([a-zA-Z][a-zA-Z0-9+.-]*://)?([^@/?#]*@)?` +
		`[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*(%[^/?#]*)?([/?#]|$)`)
	zone      = regexp.MustCompile(`\[[^\]]*%[^\]]*\]`)
	plainZone = regexp.MustCompile(`^[a-zA-Z0-9._~-]+$`)
)

// misspelt says what to write instead of an address that another one is surely
// meant by, and which would be read as something else; "" for others.
func misspelt(s string) string {
	switch {
	case strings.TrimSpace(s) != s:
		return "a blank before or after it: take it away"
	case oneSlash.MatchString(s):
		return "a scheme ends in ://, as in http://localhost:8000"
	case bareIPv6.MatchString(s):
		return "an IPv6 address goes in brackets, as in http://[::1]:8000"
	case zone.MatchString(s) && !strings.Contains(zone.FindString(s), "%25"):
		return "the zone of an IPv6 address is written with %25, as in http://[fe80::1%25eth0]:8000"
	case strings.Contains(s, "#"):
		return "what stands after # is not sent to a server: leave it out, or write %23 for a # in the path"
	}
	return ""
}

// badZone reports whether a host is an IPv6 address with a zone that needs more
// than letters, digits and the signs that a URL has for names. The name of any
// interface has no other, and net/url writes others so that it cannot read them.
func badZone(host string) bool {
	_, z, has := strings.Cut(host, "%")
	return has && !plainZone.MatchString(z)
}

// Shown is an address as it may be shown: what stands before an @ in the host
// part is hidden. It need not be one that can be read.
func Shown(s string) string {
	head, rest := "", s
	if i := strings.Index(s, "://"); i >= 0 {
		head, rest = s[:i+3], s[i+3:]
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
		rest = "<redacted>" + rest[at:]
	}
	return head + rest
}

// checkEndpoint finds what is wrong with the path of the API.
func checkEndpoint(path string) error {
	path, _, _ = strings.Cut(path, "?")
	switch {
	case strings.Contains(path, "://"):
		return fault.New("must be a path such as /v1/chat/completions; the server belongs in %s", fault.Field("url"))
	case strings.Contains(path, "#"):
		return errors.New("what stands after # is not sent to a server: leave it out, or write %23")
	}
	if _, err := url.PathUnescape(path); err != nil {
		return fmt.Errorf("%w: a %% that is meant is written %%25", err)
	}
	return nil
}

// usualPath is where requests of this type go when nothing else is said.
func (c Config) usualPath() string {
	if c.Type == TypeCompletions {
		return "/v1/completions"
	}
	return "/v1/chat/completions"
}

// endpoints are the ends of paths that requests are sent to, so that an address
// with one of them is whole. The first that fits counts.
var endpoints = []struct{ path, kind string }{
	{"/chat/completions", TypeChat}, {"/completions", TypeCompletions},
	{"/embeddings", ""}, {"/responses", ""}, {"/messages", ""}, {"/rerank", ""}, {"/generate", ""},
	{"/images/generations", ""}, {"/audio/transcriptions", ""}, {"/audio/speech", ""},
}

// endsIn is the endpoint that an address names, and its type; "" where it is a
// base address.
func endsIn(u *url.URL) (path, kind string) {
	have := strings.TrimRight(u.EscapedPath(), "/")
	for _, e := range endpoints {
		if strings.HasSuffix(have, e.path) {
			return e.path, e.kind
		}
	}
	return "", ""
}

// checkWhole finds what is wrong with an address that names its endpoint.
func (c Config) checkWhole(u *url.URL) error {
	path, kind := endsIn(u)
	switch {
	case path == "":
		return nil
	case c.Endpoint != "":
		if named := c.requestURL(u); strings.Trim(named.EscapedPath(), "/") != strings.Trim(u.EscapedPath(), "/") {
			return fault.New("%q: it ends in %s, and %s names another path: give one of them",
				Shown(u.String()), path, fault.Field("custom-endpoint"))
		}
		return nil
	case kind == "":
		return fmt.Errorf("%q: the API at %s is not spoken here: only chat and completions are",
			Shown(u.String()), path)
	case kind != c.Type:
		return fault.New("%q: it ends in %s, and %s is %s: give %s %s, or the address without it",
			Shown(u.String()), path, fault.Field("endpoint-type"), c.Type, fault.Field("endpoint-type"), kind)
	}
	return nil
}

var versioned = regexp.MustCompile(`/v[0-9]+$`)

// requestURL is where requests to a base address go. Users write it with and
// without the version, and some the whole address, as Azure's pages and Go's
// clients have it: nothing is put after one that ends in an endpoint, and /v1
// not after one that has its own version. base is not changed.
func (c Config) requestURL(base *url.URL) *url.URL {
	if c.Endpoint != "" {
		return join(base, c.Endpoint)
	}
	if path, _ := endsIn(base); path != "" {
		return join(base, "/")
	}
	path := c.usualPath()
	if versioned.MatchString(strings.TrimRight(base.EscapedPath(), "/")) {
		path = strings.TrimPrefix(path, "/v1")
	}
	return join(base, path)
}

// modelsURL is where a server lists its models, whatever path requests take.
func modelsURL(base *url.URL) *url.URL {
	u := *base
	have := strings.TrimRight(u.EscapedPath(), "/")
	if path, _ := endsIn(base); path != "" {
		have = strings.TrimSuffix(have, path)
	}
	setPath(&u, have)
	if versioned.MatchString(have) {
		return join(&u, "/models")
	}
	return join(&u, "/v1/models")
}

// join puts path after the base address; a base that ends in path, or in the /v1
// that path begins with, is not doubled. Both stay as they are written: what is
// escaped in them stays so, since %2F is another path than / to a server. base
// is not changed.
func join(base *url.URL, path string) *url.URL {
	u := *base
	path, query, _ := strings.Cut(path, "?")
	bare := "/" + strings.Trim(path, "/")
	if path = "/" + strings.TrimLeft(path, "/"); bare == "/" {
		path = ""
	}
	have := strings.TrimRight(u.EscapedPath(), "/")
	switch {
	case strings.HasSuffix(have, bare):
		have += strings.TrimPrefix(path, bare) // a slash at its end, which is another path
	case strings.HasSuffix(have, "/v1") && strings.HasPrefix(path, "/v1/"):
		have += strings.TrimPrefix(path, "/v1")
	default:
		have += path
	}
	setPath(&u, have)
	if query != "" {
		if u.RawQuery != "" {
			query = u.RawQuery + "&" + query
		}
		u.RawQuery = query
	}
	return &u
}

// setPath sets the path from its written form. What must be escaped and is not
// becomes so; what is, stays as it is.
func setPath(u *url.URL, written string) {
	written = escape(written)
	path, err := url.PathUnescape(written)
	if err != nil {
		path = written // cannot be: escape leaves no % that escapes nothing
	}
	u.Path, u.RawPath = path, ""
	if u.EscapedPath() != written {
		u.RawPath = written
	}
}

// escape escapes the bytes that a path cannot have as they are.
func escape(path string) string {
	var b strings.Builder
	for i := range len(path) {
		c := path[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9',
			strings.IndexByte("/-._~!$&'()*+,;=:@[]", c) >= 0,
			c == '%' && i+2 < len(path) && isHex(path[i+1]) && isHex(path[i+2]):
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func isHex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }
