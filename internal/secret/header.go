package secret

import (
	"regexp"
	"slices"
	"strings"
)

// harmless are the headers whose values may be shown. It is a list of what is
// known to hold no secret, and not of what does: gateways name the headers of
// their keys as they like (X-Master-Key, X-LiteLLM-Key, X-Pass, X-JWT).
var harmless = []string{"accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "connection",
	"content-encoding", "content-length", "content-type", "date", "host", "pragma", "traceparent", "tracestate",
	"user-agent", "x-correlation-id", "x-request-id"}

// Header reports whether the value of a header of this name may be a secret:
// all are but a few that are known to hold none.
func Header(name string) bool {
	return !slices.Contains(harmless, strings.ToLower(strings.TrimSpace(name)))
}

// HeaderLine redacts "Name: value". A line without a colon is all secret: it is
// malformed, and what is left of it may be the value.
func (r Redactor) HeaderLine(line string) string {
	name, _, ok := strings.Cut(line, ":")
	switch {
	case !ok:
		return Redacted
	case Header(name):
		return r.Values(strings.TrimSpace(name)) + ": " + Redacted
	}
	return r.Text(line)
}

// WithHeaders also knows the headers of a request: their values wherever they
// stand, and what follows their names, however short it is. Values that are
// public, such as the model's name, are not looked for by themselves.
func (r Redactor) WithHeaders(headers map[string][]string, public ...string) Redactor {
	all := Redactor{known: slices.Clone(r.known), inJSON: slices.Clone(r.inJSON), headers: r.headers, names: r.names}
	var names []string
	for name, values := range headers {
		if !Header(name) || name == "" {
			continue
		}
		names = append(names, regexp.QuoteMeta(name))
		all.names = append(slices.Clip(all.names), strings.ToLower(name))
		for _, v := range values {
			if !slices.Contains(public, v) {
				all.learn(v)
			}
		}
	}
	all.longestFirst()
	if len(names) > 0 {
		slices.Sort(names)
		all.headers = regexp.MustCompile(`(?i)((?:^|[^\w-])(?:` + strings.Join(names, "|") +
			`)\\*["']?\s*[:=]\s*)` + reValue)
	}
	return all
}
