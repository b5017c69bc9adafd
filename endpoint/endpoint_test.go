package endpoint_test

import (
	"context"
	"strings"
	"testing"

	"headway/endpoint"
	"headway/internal/cluster"
	"headway/record"
)

// open is an endpoint on a simulated server.
func open(t *testing.T, c endpoint.Config, cfg cluster.ServerConfig) *endpoint.Endpoint {
	t.Helper()
	c.URLs, c.Model = []string{served(t, cfg)}, "m"
	cfg.Model = "m"
	if c.Tokenizer == "" {
		c.Tokenizer = endpoint.BuiltinTokenizer
	}
	e, err := endpoint.Open(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// A server that wants a key is told of by the field that has it, and the key is in no
// text.
func TestSecretsAndAdvice(t *testing.T) {
	e := open(t, endpoint.Config{APIKey: "sk-0123456789abcdef"}, cluster.ServerConfig{Model: "m", APIKey: "another"})
	err := e.Ready(context.Background(), 0)
	if err == nil || strings.Contains(err.Error(), "sk-0123") {
		t.Errorf("with a wrong key: %v", err)
	}
	if got := e.Secrets().Text("sent sk-0123456789abcdef"); strings.Contains(got, "sk-0123") {
		t.Errorf("a secret is shown: %s", got)
	}
	got := e.Advice(record.Failure{Class: record.ClassHTTP4, Code: 401})
	if !strings.Contains(got, "check Config.APIKey") || strings.Contains(got, "--") {
		t.Errorf("advice %q", got)
	}
}

func TestReady(t *testing.T) {
	e := open(t, endpoint.Config{Whole: true}, cluster.ServerConfig{Model: "m"})
	if err := e.Ready(context.Background(), 0); err != nil {
		t.Error(err)
	}
	if h := e.Header(); h.Streaming || h.Model != "m" || h.Tokenizer.Fingerprint == "" || h.Machine.CPUs == 0 {
		t.Errorf("%+v", h)
	}
	if got := e.Warnings(); len(got) > 0 {
		t.Errorf("warnings %v", got)
	}
}

// A tokenizer that was named and is not there is an error; the model's own is replaced,
// and a warning says so.
func TestTokenizers(t *testing.T) {
	dir := t.TempDir()
	_, err := endpoint.Open(context.Background(), endpoint.Config{Model: "m", Tokenizer: dir})
	if err == nil || !strings.Contains(err.Error(), "Config.Tokenizer") {
		t.Errorf("an empty folder: %v", err)
	}
	t.Setenv("HF_HUB_OFFLINE", "1")
	t.Setenv("HF_HOME", dir)
	e, err := endpoint.Open(context.Background(), endpoint.Config{Model: "org/unknown"})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if w := e.Warnings(); len(w) != 1 || w[0].Code != "tokenizer_fallback" || !e.Header().Tokenizer.Fallback {
		t.Errorf("warnings %v", w)
	}
}

func TestFaultsNameFields(t *testing.T) {
	for want, c := range map[string]endpoint.Config{
		"Config.Model":   {},
		"Config.URLs":    {Model: "m", URLs: []string{"http://"}},
		"Config.API":     {Model: "m", API: "embeddings"},
		"Config.Timeout": {Model: "m", Timeout: -1},
		"Config.Extra":   {Model: "m", Extra: map[string]any{"x": make(chan int)}},
		"Config.Headers": {Model: "m", Headers: map[string][]string{"a b": {"c"}}},
		"Config.APIKey":  {Model: "m", APIKey: "a\nb"},
		"Config.Proxy":   {Model: "m", Proxy: "gopher://x"},
		"Config.Path":    {Model: "m", Path: "http://x"},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s in: %v", want, err)
		}
		if _, err := endpoint.Open(context.Background(), c); err == nil {
			t.Errorf("%s: opened all the same", want)
		}
	}
}
