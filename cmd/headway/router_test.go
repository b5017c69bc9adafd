package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// runHeadway runs the program in this process.
func runHeadway(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	environ := patient
	if args[0] == "router" && !slices.Contains(args, "--url") {
		environ = nil // there is no client in virtual time
	}
	code = Main(app{args: append([]string{"headway"}, args...), stdout: &out, stderr: &errs, environ: environ, exit: func(int) {}})
	return code, out.String(), errs.String()
}

// patient lets the client be late: how late it is says how busy the machine of
// the test is, and would end it with exit code 4. An option on the command line
// wins over it.
var patient = []string{"HEADWAY_MAX_LAG=1h"}

// summaryRun is what the tests read of results_summary.json.
type summaryRun struct {
	Case   string                     `json:"case"`
	X      float64                    `json:"x"`
	Name   string                     `json:"name"`
	OK     int                        `json:"ok"`
	Failed int                        `json:"failed"`
	Dir    string                     `json:"dir"`
	Raw    map[string]json.RawMessage `json:"time_to_first_token_ms"`
	Tiers  []struct {
		Priority float64                    `json:"priority"`
		TTFT     map[string]json.RawMessage `json:"time_to_first_token_ms"`
	} `json:"tiers"`
}

func statOf(t *testing.T, all map[string]json.RawMessage, name string) float64 {
	t.Helper()
	var s struct {
		Value float64 `json:"value"`
	}
	if err := json.Unmarshal(all[name], &s); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return s.Value
}

func readSummary(t *testing.T, dir string) (runs []summaryRun) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "results_summary.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d struct {
		Runs []summaryRun `json:"runs"`
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	return d.Runs
}

// Of KV-aware routing: the more of a prompt is shared, the sooner its reply
// begins.
func TestPrefixRatioLowersTTFT(t *testing.T) {
	dir := t.TempDir()
	code, _, errs := runHeadway("router", "prefix-ratio", "--prefix-ratios", "0.1,0.5,0.9", "--requests", "100", "--concurrency", "8",
		"--isl", "8000", "--osl", "20", "--num-prefix-prompts", "8", "--workers", "4", "--router-modes", "kv", "--seed", "3", "--output-dir", dir, "-q")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	last := 1e9
	for _, r := range readSummary(t, filepath.Join(dir, "prefix-ratio")) {
		got := statOf(t, r.Raw, "avg")
		if got >= last {
			t.Errorf("ratio %g: TTFT %.1f ms, at the ratio before %.1f ms", r.X, got, last)
		}
		last = got
	}
}

// Under load the higher tier waits less, and without hints all wait alike.
func TestPriorityOrdersTiers(t *testing.T) {
	dir := t.TempDir()
	code, _, errs := runHeadway("router", "priority", "--num-requests", "400", "--speedup-ratio", "30", "--router-queue-threshold", "0.5",
		"--workers", "2", "--priority-values", "0,100,1000", "--seed", "3", "--output-dir", dir, "-q")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for _, r := range readSummary(t, filepath.Join(dir, "priority")) {
		if len(r.Tiers) != 3 {
			t.Fatalf("%s: %d tiers", r.Name, len(r.Tiers))
		}
		var p50 []float64
		for _, tier := range r.Tiers {
			p50 = append(p50, statOf(t, tier.TTFT, "p50"))
		}
		ordered := p50[0] > 2*p50[1] && p50[1] > p50[2]
		if ordered != (r.Name == "priority") {
			t.Errorf("%s: median TTFT by tier %v", r.Name, p50)
		}
	}
}

// Two named endpoints are an A/B; two unnamed ones are replicas of one.
func TestRouterOnEndpoints(t *testing.T) {
	var urls []string
	for range 2 {
		sim, err := startSimulated("m")
		if err != nil {
			t.Fatal(err)
		}
		defer sim.stop()
		urls = append(urls, sim.url)
	}
	common := []string{"router", "prefix-ratio", "--model", "m", "--tokenizer", "builtin", "--isl", "100", "--osl", "4", "--requests", "6",
		"--concurrency", "2", "--num-prefix-prompts", "2", "--seed", "1", "-q"}
	dir := t.TempDir()
	code, _, errs := runHeadway(append(common, "--output-dir", dir, "--url", "a="+urls[0], "--url", "b="+urls[1])...)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	runs := readSummary(t, filepath.Join(dir, "prefix-ratio"))
	if len(runs) != 2 || runs[0].Name != "a" || runs[1].Name != "b" || runs[0].OK != 6 || runs[1].OK != 6 {
		t.Errorf("named endpoints: %+v", runs)
	}
	dir = t.TempDir()
	if code, _, errs = runHeadway(append(common, "--output-dir", dir, "--url", urls[0], "--url", urls[1])...); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	runs = readSummary(t, filepath.Join(dir, "prefix-ratio"))
	if len(runs) != 1 || runs[0].OK != 6 {
		t.Fatalf("replicas: %+v", runs)
	}
	records, err := os.ReadFile(filepath.Join(dir, "prefix-ratio", runs[0].Dir, "records.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range urls {
		host := strings.TrimPrefix(u, "http://")
		if n := strings.Count(string(records), host); n < 3 {
			t.Errorf("%s stands in %d places of the records; it takes half of 6 requests", host, n)
		}
	}
}

func TestKVEventsWarning(t *testing.T) {
	for _, c := range []struct {
		name, before, after string
		warns               bool
	}{
		{"no metric", "up 1\n", "up 1\n", false},
		{"events come", kvEventsMetric + `{a="b c"} 0` + "\n", kvEventsMetric + `{a="b c"} 7` + "\n", false},
		{"none comes", kvEventsMetric + " 3\n", kvEventsMetric + " 3\n", true},
		{"none ever", kvEventsMetric + `_total{status="ok"} 0` + "\n", kvEventsMetric + `_total{status="ok"} 0` + "\n", true},
		{"another metric", kvEventsMetric + "x 0\n", kvEventsMetric + "x 0\n", false},
	} {
		text := c.before
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, text) }))
		before := kvEvents(context.Background(), []string{s.URL + "/v1"})
		text = c.after
		got := before.warning(kvEvents(context.Background(), []string{s.URL}))
		s.Close()
		if (got != nil) != c.warns {
			t.Errorf("%s: warning %v", c.name, got)
		}
	}
}

func TestExactOutputKeepsExtra(t *testing.T) {
	got, err := withHint(json.RawMessage(`{"a":1,"nvext":{"b":2}}`), "priority", 3)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"a":1,"nvext":{"agent_hints":{"priority":3},"b":2}}`; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
