package study

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"headway/internal/openai"
	"headway/internal/options"
	"headway/internal/secret"
	"headway/internal/settings"
	"headway/internal/tokens"
	"headway/report"
)

// Speaking replaces options by what they came to: the environment and the server
// have a say in it.
func Speaking(s settings.Settings, f *options.Endpoint, client openai.Config, tok tokens.Tokens, tokenCount string) {
	for _, h := range slices.Sorted(maps.Keys(headerPrints(f.Headers))) {
		s["header "+h] = headerPrints(f.Headers)[h]
	}
	s["transport"], s["proxy"] = client.TransportUsed(), strings.Join(client.Proxies(), ",")
	delete(s, "tokenizer-revision") // the fingerprint says what came of it
	s["tokenizer"], s["token-count"] = tok.Info.Fingerprint, tokenCount
}

// headerPrints tell headers apart without saying them. Those that may hold secrets
// are there by name only: a token may be renewed between two calls, and the
// hash of a short one can be guessed.
func headerPrints(list []string) map[string]string {
	prints := map[string]string{}
	for _, h := range list {
		name, value, _ := strings.Cut(h, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		if secret.Header(name) {
			prints[name] = report.Redacted
			continue
		}
		prints[name] += fmt.Sprintf("%x", sha256.Sum256([]byte(strings.TrimSpace(value))))[:12]
	}
	return prints
}
