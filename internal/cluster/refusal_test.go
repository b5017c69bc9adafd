package cluster

import (
	"encoding/json"
	"strings"
	"testing"

	"headway/internal/engine"
)

// Everything that is refused gets an error object that says why.
func TestRefusals(t *testing.T) {
	e := serve(t, ServerConfig{Engine: quick(), MaxModelLen: 100, Bounds: Bounds{MaxBodyBytes: 4000}})
	long := strings.Repeat("word ", 100)
	for _, v := range []struct {
		name, method, path, body string
		status                   int
		says                     string
	}{
		{"no model", "POST", chatPath, `{"messages":[{"role":"user","content":"x"}]}`, 400, "model is missing"},
		{"other model", "POST", chatPath, `{"model":"gpt","messages":[{"role":"user","content":"x"}]}`, 404,
			`"gpt" does not exist`},
		{"no messages", "POST", chatPath, `{"model":"simulated"}`, 400, "messages is missing"},
		{"no prompt", "POST", "/v1/completions", `{"model":"simulated"}`, 400, "prompt is missing"},
		{"two replies", "POST", chatPath, chat("x", `,"n":2`), 400, "n is 2"},
		{"half a body", "POST", chatPath, chat("x", "")[:20], 400, "not JSON"},
		{"wrong type", "POST", chatPath, chat("x", `,"max_tokens":"9"`), 400, "max_tokens"},
		{"no output", "POST", chatPath, chat("x", `,"max_tokens":0`), 400, "at least 1"},
		{"long prompt", "POST", chatPath, chat(long, ``), 400, "100 tokens that fit"},
		{"long output", "POST", chatPath, chat("x", `,"max_tokens":100`), 400, "100 tokens that fit"},
		{"long minimum", "POST", chatPath, chat("x", `,"min_tokens":100`), 400, "100 tokens that fit"},
		{"large body", "POST", chatPath, chat(long+strings.Repeat(long, 10), ``), 413, "4000 bytes"},
		{"wrong method", "GET", chatPath, "", 405, "use POST"},
		{"wrong method", "POST", "/v1/models", "", 405, "use GET or HEAD"},
		{"no such path", "GET", "/v1/nothing", "", 404, "/v1/nothing"},
		{"no such path", "POST", "/", "", 404, "nothing is served"},
		{"no such model", "GET", "/v1/models/gpt", "", 404, "gpt"},
	} {
		status, body := e.get(v.method, v.path, v.body)
		var got struct {
			Error struct{ Message, Type string }
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil {
			t.Errorf("%s: %v: %s", v.name, err, body)
		}
		if status != v.status || !strings.Contains(got.Error.Message, v.says) || got.Error.Type == "" {
			t.Errorf("%s: %d %s; want %d and %q", v.name, status, body, v.status, v.says)
		}
	}
	rejected := 0
	for _, line := range e.entries() {
		if line.Outcome != outcomeRejected || line.OutputTokens != 0 || line.kinds() != "body" || line.ReceivedNs == 0 {
			t.Errorf("log %+v", line)
		}
		rejected++
	}
	if rejected != 12 {
		t.Errorf("%d completions in the log, want 12", rejected)
	}
}

// A worker whose cache is smaller than the model's length refuses what could
// never run on it.
func TestSmallCache(t *testing.T) {
	cfg := quick()
	cfg.NumGPUBlocks, cfg.BlockSize = 10, 10
	e := serve(t, ServerConfig{Engine: cfg})
	if status, body := e.get("POST", chatPath, chat("x", `,"max_tokens":100`)); status != 400 ||
		!strings.Contains(body, "90 tokens that fit") {
		t.Errorf("%d %s", status, body)
	}
}

func TestAPIKey(t *testing.T) {
	e := serve(t, ServerConfig{Engine: quick(), APIKey: "secret"})
	for _, v := range []struct {
		path   string
		header []string
		status int
	}{
		{"/v1/models", nil, 401},
		{"/v1/models", []string{"Authorization", "Bearer wrong"}, 401},
		{"/v1/models", []string{"Authorization", "secret"}, 401},
		{"/v1/models", []string{"Authorization", "Bearer secret"}, 200},
		{"/health", nil, 200},
		{"/metrics", nil, 200},
	} {
		if status, body := e.get("GET", v.path, "", v.header...); status != v.status {
			t.Errorf("%s with %v: %d %s", v.path, v.header, status, body)
		}
	}
	if status, body := e.get("POST", chatPath, chat("x", "")); status != 401 || strings.Contains(body, "secret") {
		t.Errorf("%d %s", status, body)
	}
}

func TestConfigNamesEveryFault(t *testing.T) {
	_, err := NewServer(ServerConfig{
		Engine: engine.Config{BlockSize: -1}, MaxModelLen: -1, Bounds: Bounds{MaxBodyBytes: -1},
		ErrorRate: 101, CutRate: -1, GarbageRate: 1e9, SlowStart: -1,
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, name := range []string{"block-size", "max-model-len", "max-body-bytes", "error-rate", "cut-rate",
		"garbage-rate", "slow-start"} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("%s is not named in: %v", name, err)
		}
	}
}

func TestListenSaysWhere(t *testing.T) {
	e := serve(t, ServerConfig{Engine: quick()})
	other, err := NewServer(ServerConfig{Engine: quick()})
	if err != nil {
		t.Fatal(err)
	}
	addr := strings.TrimPrefix(e.url, "http://")
	if _, err := other.Listen(addr); err == nil || !strings.Contains(err.Error(), addr) {
		t.Errorf("listening where somebody listens: %v", err)
	}
	for range 2 { // a second time does no harm
		if err := other.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
