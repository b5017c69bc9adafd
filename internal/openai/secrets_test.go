package openai

import (
	"strings"
	"testing"
)

// A key that is too short to be looked for by itself is found behind its scheme.
func TestSecretsOfShortKey(t *testing.T) {
	if got := (Config{APIKey: "abc"}).Secrets().Text(
		"400 Bad Bearer abc: no abc"); got != "400 Bad <redacted>: no abc" {
		t.Error(got)
	}
	if got := (Config{}).Secrets().Text("a Bearer of news"); !strings.Contains(got, "Bearer of news") {
		t.Error(got)
	}
}
