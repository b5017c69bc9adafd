package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"headway/internal/cli"
	"headway/internal/options"
)

// counted is a proxy before a server that calls back when so many requests for a
// reply have come through it.
type counted struct {
	url      string
	requests atomic.Int64
	at       int64
	then     func()
}

func newCounted(t *testing.T, to string) *counted {
	t.Helper()
	target, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	c := &counted{then: func() {}}
	proxy := httputil.NewSingleHostReverseProxy(target)
	proxy.FlushInterval = -1
	// Other tests close idle connections of the usual transport.
	proxy.Transport = &http.Transport{DisableKeepAlives: true}
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) {} // who asked has gone
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && c.requests.Add(1) == c.at {
			c.then()
		}
		// A request that is still being written when its reply comes costs the
		// connection.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c.url = server.URL
	return c
}

// until runs the program as far as ctx lasts.
func until(ctx context.Context, args ...string) (code int, stderr string, err error) {
	var out, errs bytes.Buffer
	a := cli.App{Args: append([]string{"headway"}, args...), Stdout: &out, Stderr: &errs, Exit: func(int) {}}
	a.Caller, a.Grammar = options.Caller{Environ: patient}, commands()
	a = a.Fenced()
	v, _, err := a.Parse()
	if err == nil {
		code, err = v.Run(ctx, a)
	}
	return code, errs.String(), err
}

// A comparison of live endpoints that was interrupted keeps the runs that had
// ended, makes the others, and has the load of the first call though no seed was
// given.
func TestRouterResumesOnEndpoints(t *testing.T) {
	t.Parallel()
	sim, stop, err := simulate("m")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	a, b := newCounted(t, sim), newCounted(t, sim)
	dir := t.TempDir()
	call := func(args ...string) []string {
		return append([]string{"router", "prefix-ratio", "--model", "m", "--tokenizer", "builtin", "--isl", "100",
			"--osl", "4", "--requests", "6", "--concurrency", "2", "--num-prefix-prompts", "2", "--repeats", "2",
			"--url", "a=" + a.url, "--url", "b=" + b.url, "--output-dir", dir}, args...)
	}
	ctx, cancel := context.WithCancel(t.Context())
	b.at, b.then = 10, cancel // in the second run of b
	_, errs, err := until(ctx, call()...)
	if err != nil || !strings.Contains(errs, "the same call with --resume goes on") {
		t.Fatalf("%v, %s", err, errs)
	}
	first := recordsText(t, dir, "a")
	code, _, err := until(t.Context(), call("--isl", "101", "--resume")...)
	if code != cli.Usage || err == nil || !strings.Contains(err.Error(), "--isl was 100 and is 101") {
		t.Errorf("another length: exit %d, %v", code, err)
	}
	if code, errs, err = until(t.Context(), call("--resume")...); code != 0 || err != nil {
		t.Fatalf("exit %d, %v: %s", code, err, errs)
	}
	if got := recordsText(t, dir, "a"); got != first {
		t.Error("the runs on a, which had ended, were made again")
	}
	if na, nb := a.requests.Load(), b.requests.Load(); na != 13 || nb < 17 || nb > 20 {
		t.Errorf("%d and %d requests; the second run on b has six, and was begun once before; each call asks what "+
			"an endpoint takes that it has a run to make on", na, nb)
	}
	for _, want := range []string{"ratio_0_5 on a: 6 ok, 0 failed", "(2 of 2 runs kept)", "(1 of 2 runs kept)"} {
		if !strings.Contains(errs, want) {
			t.Errorf("%q is not said: %s", want, errs)
		}
	}
	runs := readSummary(t, filepath.Join(dir, "prefix-ratio"))
	if len(runs) != 2 || runs[0].OK != 6 || runs[1].OK != 6 {
		t.Errorf("%d comparisons: %s\n%s", len(runs), errs, recordsText(t, dir, "b"))
	}
	for _, name := range []string{"inputs.json", "schedule.jsonl", "profile_export.jsonl",
		"profile_export_aiperf.json"} {
		if _, err := os.Stat(filepath.Join(dir, "prefix-ratio", "ratio_0_5", "b", "repeat_2", name)); err != nil {
			t.Errorf("a run of a comparison has the files of a run: %v", err)
		}
	}
	if seedOf(t, dir, "a") != seedOf(t, dir, "b/repeat_2") {
		t.Error("the run that was made later has another load")
	}
}

func recordsText(t *testing.T, dir, variant string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "prefix-ratio", "ratio_0_5", variant, "records.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// seedOf is the seed in the header of a run.
func seedOf(t *testing.T, dir, variant string) string {
	t.Helper()
	_, rest, found := strings.Cut(recordsText(t, dir, variant), `,"seed":`)
	if !found {
		t.Fatal("there is no seed in the records")
	}
	seed, _, _ := strings.Cut(rest, ",")
	return seed
}
