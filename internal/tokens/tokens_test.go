package tokens

import (
	"context"
	"strings"
	"testing"

	"headway/internal/hub"
)

// Without a name the model's own tokenizer is replaced, with a warning; one that was
// named is not.
func TestLoad(t *testing.T) {
	from := hub.Options{Home: t.TempDir(), Offline: true}
	own, warning, err := Load(context.Background(), from, "", "org/unknown")
	if err != nil || warning == nil || warning.Code != "tokenizer_fallback" || !own.Info.Fallback {
		t.Fatalf("%+v, %v, %v", own.Info, warning, err)
	}
	if strings.Contains(warning.Text, "\n") || !strings.Contains(warning.Text, "org/unknown") {
		t.Errorf("warning %q", warning.Text)
	}
	named, warning, err := Load(context.Background(), from, Builtin, "org/unknown")
	if err != nil || warning != nil || named.Info.Fallback || named.Info.Fingerprint != own.Info.Fingerprint {
		t.Errorf("%+v, %v, %v", named.Info, warning, err)
	}
	if _, _, err := Load(context.Background(), from, "org/unknown", "m"); err == nil {
		t.Error("a tokenizer that was named and is not there")
	}
}
