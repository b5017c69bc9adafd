package secret

import (
	"slices"
	"strings"
)

// harmlessQuery are the parameters of an address whose values may be shown. As
// with headers it is a list of what is known to hold no secret: keys are called
// code, k, sig, subscription and more.
var harmlessQuery = []string{"api-version", "api_version", "version", "v", "model", "deployment", "deployment-id",
	"region", "location", "format", "stream", "beta", "timeout", "limit", "page", "alt", "ns", "namespace", "revision"}

// Query reports whether the value of a parameter of this name may be a secret:
// all are but a few that are known to hold none.
func Query(name string) bool { return !slices.Contains(harmlessQuery, strings.ToLower(name)) }

// replaceQuery takes the values of parameters out of the addresses in a text.
func replaceQuery(s string) string {
	return compiled.query.ReplaceAllStringFunc(s, func(part string) string {
		name, _, _ := strings.Cut(part[1:], "=")
		if !Query(name) {
			return part
		}
		return part[:len(name)+2] + Redacted
	})
}
