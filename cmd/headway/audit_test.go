package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"headway/internal/audit"
	"headway/internal/cli"
	"headway/internal/options"
	"headway/record"
	"headway/report"
)

// impossible is a bound that no client keeps.
const impossible = "1ns"

// openLoop is a run whose sends have planned times.
func openLoop(dir string, more ...string) []string {
	return append([]string{"run", "--simulated", "--streaming", "--request-rate", "200", "--arrival-pattern",
		"constant", "--request-count", "12",
		"--isl", "10", "--osl", "2", "--ui-type", "none", "--artifact-dir", dir}, more...)
}

func verdictIn(t *testing.T, dir string) *report.Loaded {
	t.Helper()
	l, err := report.Load(filepath.Join(dir, "profile_export_aiperf.json"))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// A measurement that is not valid ends with 4, also where an objective was
// missed, and every view of it says so.
func TestInvalidRun(t *testing.T) {
	dir := t.TempDir()
	code, out, errs := runHeadway(openLoop(dir, "--max-lag", impossible, "--objective",
		"time_to_first_token p50 < 0.001ms")...)
	if code != cli.Invalid {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for text, says := range map[string]string{out: "Client: invalid",
		errs: "headway: the measurement is not valid: sends were late by"} {
		if !strings.Contains(text, says) {
			t.Errorf("%q is not in\n%s", says, text)
		}
	}
	if l := verdictIn(t, dir); l.Verdict != record.AuditInvalid || len(l.Reasons) == 0 ||
		l.Reasons[0].Code != "late_sends" {
		t.Errorf("%q: %+v", l.Verdict, l.Reasons)
	}
	f, err := os.Open(filepath.Join(dir, "records.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	in, err := record.NewReader(f, "records.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		_, err = in.Next()
	}
	trailer, _ := in.Trailer()
	a := trailer.Audit
	if err != io.EOF || a == nil || a.Verdict != record.AuditInvalid || a.Schedule == nil ||
		a.Schedule.Lateness.Count != 12 || a.Schedule.AskedRate != 200 ||
		a.Load.Sent != 12 || a.Load.Peak < 1 || a.Arrivals.Count != 24 || a.ProbeLag == nil ||
		a.Runtime.Processors < 1 {
		t.Errorf("%v, %+v", err, a)
	}
}

// The same run is valid where its lateness is allowed, and an objective then
// counts.
func TestMaxLag(t *testing.T) {
	dir := t.TempDir()
	code, out, errs := runHeadway(openLoop(dir, "--max-lag", "1m", "--json")...)
	if code != cli.Done && code != cli.Invalid {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var doc struct {
		Headway struct {
			Audit struct {
				record.Audit
				Delivered map[string]float64 `json:"delivered"`
			} `json:"audit"`
		} `json:"headway"`
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	a := doc.Headway.Audit
	// On a busy machine 55 ms take 1 ms longer, which the bound has no say in.
	for _, r := range a.Reasons {
		if r.Level == record.AuditInvalid && r.Code != "schedule_span" {
			t.Errorf("%+v", r)
		}
	}
	if a.Limit != 60 || !a.LimitSet {
		t.Errorf("%+v", a.Audit)
	}
	for _, key := range []string{"asked_rate", "planned_rate", "sent_rate", "completed_rate", "mean_in_flight",
		"peak_in_flight"} {
		if a.Delivered[key] <= 0 {
			t.Errorf("%s: %v in %v", key, a.Delivered[key], a.Delivered)
		}
	}
	if code, _, errs = runHeadway(openLoop(t.TempDir(), "--max-lag", "1m", "--request-count", "1", "-q", "--objective",
		"time_to_first_token p50 < 0.001ms")...); code != cli.Missed {
		t.Errorf("exit %d: %s", code, errs)
	}
}

func TestMaxLagFaults(t *testing.T) {
	t.Parallel()
	for _, line := range []string{
		"run --model m --max-lag 0", "run --model m --max-lag inf", "bench --max-lag 0ms",
		"run --model m --max-lag soon",
		"router prefix-ratio --max-lag 5ms", "router prefix-ratio --url http://127.0.0.1:9 --model m --max-lag 0",
	} {
		code, _, errs := runHeadway(strings.Fields(line)...)
		if code != cli.Usage || !strings.Contains(errs, "max-lag") {
			t.Errorf("%s: exit %d: %s", line, code, errs)
		}
	}
}

// aiperf has no such code, and a script around it goes on, unless it asked.
func TestInvalidUnderAiperf(t *testing.T) {
	t.Parallel()
	run := func(more ...string) int {
		var out, errs bytes.Buffer
		return Main(cli.App{Args: append([]string{"aiperf", "profile"}, openLoop(t.TempDir(), more...)[1:]...),
			Stdout: &out, Stderr: &errs, Exit: func(int) {}})
	}
	if code := run("--max-lag", impossible); code != cli.Failed {
		t.Errorf("exit %d where it was asked for", code)
	}
	bad := []cli.InvalidRun{{Why: audit.Invalid(&record.Audit{Verdict: record.AuditInvalid})}}
	var errs bytes.Buffer
	a := cli.App{Notes: &cli.Notes{W: &errs}, Caller: options.Caller{AsAiperf: true}}
	if code := a.Invalid(&options.Audit{}, bad); code != cli.Done || !strings.Contains(errs.String(), "not valid") {
		t.Errorf("exit %d where it was not: %s", code, errs.String())
	}
	a.AsAiperf = false
	if code := a.Invalid(&options.Audit{}, bad); code != cli.Invalid {
		t.Errorf("exit %d under our own name", code)
	}
	if code := a.Invalid(&options.Audit{}, nil); code != cli.Done {
		t.Errorf("exit %d of nothing", code)
	}
}

// overHTTP2 is an endpoint whose arrivals are stamped in user space by nature.
func overHTTP2(t *testing.T) string {
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		for range 3 {
			_, _ = io.WriteString(w, `data: {"choices":[{"delta":{"content":" a"}}]}`+"\n\n")
			w.(http.Flusher).Flush()
		}
		_, _ = io.WriteString(w, "data: [DONE]\n\n")
	}))
	s.Config.Protocols = new(http.Protocols)
	s.Config.Protocols.SetUnencryptedHTTP2(true)
	s.Start()
	t.Cleanup(s.Close)
	return s.URL
}

// A sweep says which of its levels are not valid, and judges kept ones again
// when the bound is another.
func TestInvalidLevels(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bench := func(more ...string) (int, string, string) {
		return runHeadway(append([]string{"bench", "--benchmark-name", "x", "--endpoint-url", overHTTP2(t), "--http2",
			"--model", "m", "--tokenizer", "builtin",
			"--isl", "10", "--osl", "3", "--concurrencies", "1,2", "--request-count", "5", "--output-dir", dir,
			"--ui-type", "none"}, more...)...)
	}
	code, out, errs := bench("--max-lag", impossible)
	if code != cli.Invalid {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for text, list := range map[string][]string{
		out: {"Client invalid at ", "100 % of the arrivals were stamped in user space"},
		errs: {"headway: concurrency 1: the measurement is not valid",
			"headway: concurrency 2: the measurement is not valid"},
	} {
		for _, says := range list {
			if !strings.Contains(strings.ReplaceAll(text, "\n", " "), says) {
				t.Errorf("%q is not in\n%s", says, text)
			}
		}
	}
	summary, err := os.ReadFile(filepath.Join(dir, "plots", "SUMMARY.txt"))
	if err != nil || !strings.Contains(string(summary), "Client invalid at concurrency 2") {
		t.Errorf("%v\n%s", err, summary)
	}
	level := filepath.Join(dir, "x", "c1")
	// How late a stamp is may be unknown: the level can be over before the probe
	// has fired.
	stamped := func(r record.AuditReason) bool { return r.Code == "late_stamps" && r.About == record.AboutStamps }
	if l := verdictIn(t, level); l.Verdict != record.AuditInvalid || !slices.ContainsFunc(l.Reasons, stamped) {
		t.Errorf("%q: %+v", l.Verdict, l.Reasons)
	}
}

// Real endpoints of a router benchmark have a client, too.
func TestInvalidRouterBenchmark(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	code, _, errs := runHeadway("router", "prefix-ratio", "--url", overHTTP2(t), "--http2", "--model", "m",
		"--tokenizer", "builtin", "--isl", "100", "--osl", "3",
		"--requests", "4", "--concurrency", "1", "--num-prefix-prompts", "1", "--prefix-ratios", "0.5", "--seed", "1",
		"--output-dir", dir, "--max-lag", impossible)
	if code != cli.Invalid || !strings.Contains(errs, "on endpoint: the measurement is not valid") {
		t.Errorf("exit %d: %s", code, errs)
	}
	text, err := os.ReadFile(filepath.Join(dir, "prefix-ratio", "results_summary.json"))
	if err != nil || !strings.Contains(string(text), `"client": "invalid"`) ||
		!strings.Contains(string(text), "client_invalid") {
		t.Errorf("%v\n%s", err, text)
	}
}

// What one call found is judged anew by the next that keeps it.
func TestResumeJudgesAgain(t *testing.T) {
	t.Parallel()
	dir, url, id := t.TempDir(), overHTTP2(t), ""
	for _, step := range []struct {
		lag  string
		code int
		want record.Verdict
	}{{impossible, cli.Invalid, record.AuditInvalid}, {"1h", cli.Done, record.AuditValid}, {impossible, cli.Invalid,
		record.AuditInvalid}} {
		code, _, errs := runHeadway("bench", "--benchmark-name", "x", "--endpoint-url", url, "--http2", "--model", "m",
			"--tokenizer", "builtin", "--isl", "10", "--osl", "3",
			"--random-seed", "1", "--concurrencies", "1", "--request-count", "30", "--output-dir", dir, "-q",
			"--plots=false", "--resume", "--max-lag", step.lag)
		if code != step.code {
			t.Fatalf("--max-lag %s: exit %d: %s", step.lag, code, errs)
		}
		l := verdictIn(t, filepath.Join(dir, "x", "c1"))
		if id == "" {
			id = l.ID
		}
		if l.ID != id {
			t.Errorf("--max-lag %s: it was measured again", step.lag)
		}
		// Chunks of one read are another reason, and none of the bound's.
		if l.Verdict != step.want && !(step.want == record.AuditValid && l.Verdict == record.AuditDoubtful) {
			t.Errorf("--max-lag %s: %q, %+v", step.lag, l.Verdict, l.Reasons)
		}
	}
}

// A load near what the machine was found to carry is doubtful; a calibration
// that cannot be read costs a note and no measurement.
func TestRunBesideCalibration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calibration.json")
	run := func() (int, string, *report.Loaded) {
		dir := t.TempDir()
		var out, errs bytes.Buffer
		code := Main(cli.App{Args: []string{"headway", "run", "--simulated", "--streaming", "--concurrency", "2",
			"--request-count", "12",
			"--isl", "10", "--osl", "2", "--ui-type", "none", "--artifact-dir", dir}, Stdout: &out, Stderr: &errs,
			Exit:   func(int) {},
			Caller: options.Caller{Environ: append([]string{"HEADWAY_CALIBRATION=" + path}, patient...)}})
		return code, errs.String(), verdictIn(t, dir)
	}
	if err := (audit.Calibration{EventsPerSecond: 1, Streams: 1 << 30,
		RequestsPerSecond: 1}).Here(time.Now()).Save(path); err != nil {
		t.Fatal(err)
	}
	code, errs, l := run()
	var codes []string
	for _, r := range l.Reasons {
		codes = append(codes, r.Code)
	}
	if code != cli.Done || l.Verdict != record.AuditDoubtful || !slices.Contains(codes, "near_events") ||
		!slices.Contains(codes, "near_requests") || slices.Contains(codes, "near_streams") {
		t.Errorf("exit %d, %q, %v: %s", code, l.Verdict, codes, errs)
	}
	if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, errs, _ = run(); code != cli.Done || !strings.Contains(errs, "warning: reading the calibration "+path) ||
		!strings.Contains(errs, "headway calibrate makes it anew") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
