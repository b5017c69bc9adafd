package study

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"headway/internal/openai"
	"headway/internal/options"
)

// Caches are emptied before a run, profilers run around its measured phase; what a
// server refuses is an error before, and a warning after.
func TestControls(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Method+" "+r.URL.Path)
		mu.Unlock()
		if r.URL.Path == "/no" {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer s.Close()
	g := &Setup{Client: openai.Config{URLs: []string{s.URL + "/v1", s.URL}, Models: []string{"m"}}}
	within := options.Seconds(10 * time.Second)
	c := options.Controls{ResetCache: true, ResetPath: "/reset", ResetWithin: within,
		Profiler: true, ProfilerStart: "/start", ProfilerStop: "/no", ProfilerWithin: within}
	var m Measurement
	g.Control(&m, c)
	if err := m.Before(t.Context()); err != nil {
		t.Fatal(err)
	}
	end, err := m.Around(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	warned := end()
	if len(warned) != 1 || warned[0].Code != "profiler_not_stopped" || !strings.Contains(warned[0].Text, "404") {
		t.Errorf("warned %v", warned)
	}
	mu.Lock()
	want := []string{"POST /reset", "POST /reset", "POST /start", "POST /start", "POST /no"}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %v, want %v", asked, want)
	}
	mu.Unlock()
	c.ResetPath, c.ProfilerStart = "/no", "/no"
	g.Control(&m, c)
	if err := m.Before(t.Context()); err == nil || !strings.Contains(err.Error(), "emptying the KV cache") {
		t.Errorf("%v", err)
	}
	if _, err := m.Around(t.Context()); err == nil || !strings.Contains(err.Error(), "starting the server's profiler") {
		t.Errorf("%v", err)
	}
}
