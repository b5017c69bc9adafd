package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// counting is a server whose replies have no usage and whose /metrics count as vLLM
// does: 30 of 100 tokens of each prompt are cached. After so many requests it has
// forgotten what it counted; 0 is never.
type counting struct {
	url         string
	asked, read atomic.Int64
}

func newCounting(t *testing.T, forgets int64) *counting {
	t.Helper()
	c := &counting{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			c.asked.Add(1)
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, `data: {"choices":[{"delta":{"content":"word"}}]}`+"\n\n",
				`data: {"choices":[{"delta":{},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n")
			return
		}
		c.read.Add(1)
		n := c.asked.Load() + 1
		if forgets > 0 && n > forgets {
			n = 0
		}
		fmt.Fprintf(w, "vllm:prefix_cache_hits_total{engine=\"0\"} %d\n", 30*n)
		fmt.Fprintf(w, "vllm:prefix_cache_queries_total{engine=\"0\"} %d\n", 100*n)
	}))
	t.Cleanup(s.Close)
	c.url = s.URL
	return c
}

// Where replies do not say what was cached, the counters of the server do, and it is
// said whose they are; nothing is read where that is not wanted.
func TestHitsFromMetrics(t *testing.T) {
	t.Parallel()
	common := []string{"--model", "m", "--tokenizer", "builtin", "--isl", "60"}
	run := append([]string{"run", "--request-count", "5", "--streaming"}, common...)
	bench := append([]string{"bench", "--concurrencies", "2", "--request-count", "5", "--warmup-request-count", "0"},
		common...)
	router := append([]string{"router", "prefix-ratio", "--requests", "5", "--concurrency", "2"}, common...)
	for _, tt := range []struct {
		name    string
		args    []string
		dir     string
		forgets int64
		want    []string
		known   bool
	}{
		{"run", run, "--artifact-dir", 0, []string{`"hit_rate": 0.3`, "counters of vLLM (/metrics)"}, true},
		{"bench", bench, "--output-dir", 0, []string{`"hit_rate": 0.3`, "counters of vLLM (/metrics)"}, true},
		{"router", router, "--output-dir", 0, []string{`"hit_rate": 0.3`, "counters of vLLM (/metrics)"}, true},
		{"named", append(run, "--server-metrics", "URL"), "--artifact-dir", 0, []string{`"hit_rate": 0.3`}, true},
		{"restart", run, "--artifact-dir", 3, []string{"server_metrics", "its counters went back"}, false},
		{"not wanted", append(run, "--no-server-metrics"), "--artifact-dir", 0, nil, false},
		{"absent", append(run, "--server-metrics", "URL/nothing"), "--artifact-dir", 0, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, dir := newCounting(t, tt.forgets), t.TempDir()
			args := append(append([]string{}, tt.args...), "--url", c.url, tt.dir, dir+"/out")
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "URL", c.url)
			}
			code, errs, err := until(t.Context(), args...)
			if code != 0 || err != nil {
				t.Fatalf("exit %d, %v: %s", code, err, errs)
			}
			results := warningsBelow(t, dir)
			for _, want := range tt.want {
				if !strings.Contains(results, want) {
					t.Errorf("%q is missing in\n%.4000s", want, results)
				}
			}
			if known := strings.Contains(results, `"hit_rate"`); known != tt.known {
				t.Errorf("hit rate known %v in\n%.4000s", known, results)
			}
			if tt.name == "not wanted" && c.read.Load() != 0 {
				t.Errorf("%d pages were read", c.read.Load())
			}
		})
	}
}

// A page of metrics that is none, or that never comes, fails no run and makes no
// warning of one that did not ask for it.
func TestMetricsDisturbNothing(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]http.HandlerFunc{
		"hangs": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			for range 10 << 10 {
				if _, err := fmt.Fprint(w, strings.Repeat("vllm:x 1\n", 1<<7)); err != nil {
					return
				}
			}
		},
		"breaks off": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					page(w, r)
					return
				}
				fmt.Fprint(w, `{"choices":[{"message":{"content":"word"},"finish_reason":"stop"}]}`)
			}))
			t.Cleanup(s.Close)
			dir := t.TempDir()
			code, errs, err := until(t.Context(), "run", "--request-count", "2", "--model", "m", "--tokenizer",
				"builtin", "--isl", "5", "--url", s.URL, "--artifact-dir", dir+"/out")
			if code != 0 || err != nil || strings.Contains(warningsBelow(t, dir), "server_metrics") ||
				!strings.Contains(errs, "no counters were read") {
				t.Errorf("exit %d, %v: %s", code, err, errs)
			}
		})
	}
}
