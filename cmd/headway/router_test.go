package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headway/internal/cli"
	"headway/internal/options"
)

// runHeadway runs the program in this process.
func runHeadway(args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	environ := patient
	search := len(args) > 1 && args[1] == "sla" && !slices.Contains(args, "--on")
	if args[0] == "router" && !slices.Contains(args, "--url") || search {
		environ = nil // there is no client in virtual time
	}
	code = Main(cli.App{Args: append([]string{"headway"}, args...), Stdout: &out, Stderr: &errs,
		Caller: options.Caller{Environ: environ}, Exit: func(int) {}})
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
	t.Parallel()
	dir := t.TempDir()
	code, _, errs := runHeadway("router", "prefix-ratio", "--prefix-ratios", "0.1,0.5,0.9", "--requests", "100",
		"--concurrency", "8",
		"--isl", "8000", "--osl", "20", "--num-prefix-prompts", "8", "--workers", "4", "--router-modes", "kv", "--seed",
		"3", "--output-dir", dir, "-q")
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
	t.Parallel()
	dir := t.TempDir()
	code, _, errs := runHeadway("router", "priority", "--num-requests", "400", "--speedup-ratio", "30",
		"--router-queue-threshold", "0.5",
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
	t.Parallel()
	var urls []string
	for range 2 {
		url, stop, err := simulate("m")
		if err != nil {
			t.Fatal(err)
		}
		defer stop()
		urls = append(urls, url)
	}
	common := []string{"router", "prefix-ratio", "--model", "m", "--tokenizer", "builtin", "--isl", "100", "--osl", "4",
		"--requests", "6",
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
	if code, _, errs = runHeadway(append(common, "--output-dir", dir, "--url", urls[0], "--url",
		urls[1])...); code != 0 {
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
