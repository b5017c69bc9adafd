package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"headway/internal/cli"
	"headway/report"
)

// A wrong model ends a run after a few requests, with the status, the server's
// words and what to check; a server that has too much to do does not.
func TestFailFast(t *testing.T) {
	t.Parallel()
	var n, good, status atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet { // its metrics, which it has not
			w.WriteHeader(http.StatusNotFound)
			return
		}
		n.Add(1)
		if n.Load() <= good.Load() {
			fmt.Fprint(w, `{"choices":[{"message":{"content":"word"},"finish_reason":"stop"}]}`)
			return
		}
		w.WriteHeader(int(status.Load()))
		fmt.Fprint(w, `{"error":{"message":"The model m is not here."}}`)
	}))
	defer s.Close()
	for _, c := range []struct {
		name   string
		as     string
		status int64
		more   []string
		sent   int64
		good   int64
		said   []string
	}{
		{"wrong model", "run", 404, nil, 5, 0,
			[]string{"HTTP 404: The model m is not here.", "--model", "35 requests were not sent; --no-fail-fast"}},
		{"no key", "run", 401, nil, 5, 0, []string{"HTTP 401", "--api-key"}},
		{"key that ran out", "run", 401, nil, 25, 20, []string{"ended early: ", "HTTP 401"}},
		{"asked to go on", "run", 404, []string{"--no-fail-fast"}, 40, 0, []string{"HTTP 404"}},
		{"busy", "run", 429, nil, 40, 0, []string{"HTTP 429"}},
		{"as aiperf", "profile", 404, nil, 40, 0, []string{"HTTP 404"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			n.Store(0)
			good.Store(c.good)
			status.Store(c.status)
			name := map[string]string{"run": "headway", "profile": "aiperf"}[c.as]
			dir := filepath.Join(t.TempDir(), "out")
			var out, errs strings.Builder
			code := Main(cli.App{Args: append([]string{name, c.as, "--url", s.URL, "--model", "m", "--tokenizer",
				"builtin", "--isl", "5",
				"--request-count", "40", "--artifact-dir", dir}, c.more...), Stdout: &out, Stderr: &errs,
				Exit: func(int) {}})
			if code != cli.Failed || n.Load() != c.sent {
				t.Errorf("code %d after %d requests, not %d\n%s", code, n.Load(), c.sent, errs.String())
			}
			for _, text := range c.said {
				if !strings.Contains(errs.String(), text) {
					t.Errorf("it does not say %q:\n%s", text, errs.String())
				}
			}
			l, err := report.Load(filepath.Join(dir, "profile_export_aiperf.json"))
			if err != nil || l.Incomplete != (c.sent < 40) {
				t.Errorf("the summary: %+v, %v", l, err)
			}
		})
	}
}

// A sweep ends each level, and says of which.
func TestFailFastBench(t *testing.T) {
	t.Parallel()
	var n atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		http.Error(w, `{"detail":"Unauthorized"}`, http.StatusUnauthorized)
	}))
	defer s.Close()
	var out, errs strings.Builder
	code := Main(cli.App{Args: []string{"headway", "bench", "--endpoint-url", s.URL, "--model", "m", "--tokenizer",
		"builtin", "--isl", "5", "--concurrencies", "1,2",
		"--request-count", "60", "--no-plots", "--output-dir", t.TempDir()}, Stdout: &out, Stderr: &errs,
		Exit: func(int) {}})
	if sent := n.Load(); code != cli.Failed || sent < 10 || sent > 20 ||
		!strings.Contains(errs.String(), "HTTP 401: Unauthorized") {
		t.Errorf("code %d after %d requests\n%s", code, sent, errs.String())
	}
}
