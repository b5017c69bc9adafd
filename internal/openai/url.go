package openai

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// parseURL reads a base address; http:// is put before one without a scheme.
// Its errors never hold a password.
func parseURL(s string) (*url.URL, error) {
	shown := redactURL(s)
	full := s
	if !strings.Contains(s, "://") {
		full = "http://" + s
	}
	u, err := url.Parse(full)
	switch {
	case err != nil:
		// url.Error repeats the address; its cause does not, except for a port.
		var ue *url.Error
		if errors.As(err, &ue) && !strings.Contains(s, "@") {
			err = ue.Err
		} else {
			err = errors.New("not a URL")
		}
		return nil, fmt.Errorf("%q: %w: expected something like http://localhost:8000", shown, err)
	case u.Scheme == "unix":
		if u.Host != "" || len(u.Path) < 2 {
			return nil, fmt.Errorf("%q: must be unix:///path/to/socket", shown)
		}
		return u, nil
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("%q: scheme %q: must be http, https or unix", shown, u.Scheme)
	case u.Hostname() == "":
		return nil, fmt.Errorf("%q: no host: expected something like http://localhost:8000", shown)
	case strings.ContainsAny(u.Hostname(), " \t,;<>\""):
		return nil, fmt.Errorf("%q: host %q: not a host name", shown, u.Hostname())
	}
	if p := u.Port(); p != "" {
		if n, err := strconv.Atoi(p); err != nil || n < 1 || n > 65535 {
			return nil, fmt.Errorf("%q: port %s: must be 1 to 65535", shown, p)
		}
	}
	u.Fragment = ""
	return u, nil
}

// redactURL hides what stands before an @ in the host part.
func redactURL(s string) string {
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

// path is where requests of this type go.
func (c Config) path() string {
	switch {
	case c.Endpoint != "":
		return c.Endpoint
	case c.Type == TypeCompletions:
		return "/v1/completions"
	default:
		return "/v1/chat/completions"
	}
}

// join puts path after the base address. Users write the base with and
// without /v1, and some the whole address: a base that ends in path, or in the
// /v1 that path begins with, is not doubled. base is not changed.
func join(base *url.URL, path string) *url.URL {
	u := *base
	path, query, _ := strings.Cut(path, "?")
	path = "/" + strings.Trim(path, "/")
	have := strings.TrimRight(u.Path, "/")
	switch {
	case path == "/":
		// Only the base was asked for.
	case have == path || strings.HasSuffix(have, path):
		u.Path = have
	case strings.HasSuffix(have, "/v1") && strings.HasPrefix(path, "/v1/"):
		u.Path = have + strings.TrimPrefix(path, "/v1")
	default:
		u.Path = have + path
	}
	u.RawPath = ""
	if query != "" {
		if u.RawQuery != "" {
			query = u.RawQuery + "&" + query
		}
		u.RawQuery = query
	}
	return &u
}
