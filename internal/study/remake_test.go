package study

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headway/report"
)

// The lines of aiperf are requests: latencies, tokens, failures and the load of
// the summary beside them.
func TestRemakeOfLines(t *testing.T) {
	dir := t.TempDir()
	put(t,
		`{"metadata":{"session_num":0,"x_request_id":"a","conversation_id":"s0","turn_index":0,"credit_issued_ns":1000000000000,"request_start_ns":1000000001000,"request_ack_ns":1000005000000,"request_end_ns":1000100001000,"worker_id":"worker_1","benchmark_phase":"profiling","was_cancelled":false},"metrics":{"time_to_first_token":{"value":20.5,"unit":"ms"},"request_latency":{"value":100,"unit":"ms"},"input_sequence_length":{"value":550,"unit":"tokens"},"output_sequence_length":{"value":5,"unit":"tokens"},"output_token_count":{"value":3,"unit":"tokens"},"reasoning_token_count":{"value":2,"unit":"tokens"},"inter_chunk_latency":{"value":[19.5,20,20,20],"unit":"ms"},"usage_prompt_tokens":{"value":560,"unit":"tokens"}},"error":null}
not JSON
{"metadata":{"session_num":1,"request_start_ns":1000050001000,"request_end_ns":1000060001000,"benchmark_phase":"profiling","was_cancelled":false},"metrics":{"error_isl":{"value":7,"unit":"tokens"}},"error":{"code":503,"type":"HTTPError","message":"overloaded"}}
`, dir, "profile_export.jsonl")
	put(t, `{"schema_version":"1.4","request_latency":{"unit":"ms","avg":1},`+
		`"input_config":{"loadgen":{"concurrency":2},"endpoint":{"model_names":["m"]}}}`,
		dir, "profile_export_aiperf.json")
	d, err := Remake{}.Read(dir)
	if err != nil || len(d.Found) != 1 || len(d.Summaries) != 0 {
		t.Fatalf("%+v, %v", d, err)
	}
	rep := d.Found[0].Levels[0].Runs[0].Report
	if rep.Run.Concurrency != 2 || rep.Run.Model != "m" || rep.Result.OK != 1 || rep.Result.Failed != 1 {
		t.Errorf("%+v, %+v", rep.Run, rep.Result)
	}
	for tag, want := range map[string]float64{"time_to_first_token": 0.0205, "request_latency": 0.1,
		"inter_token_latency":  0.0795 / 4,
		"time_to_second_token": 0.0195, "input_sequence_length": 550, "output_sequence_length": 5,
		"reasoning_token_count": 2, "usage_prompt_tokens": 560} {
		if s, ok := rep.Result.Summary(tag); !ok || s.Mean < want-1e-9 || s.Mean > want+1e-9 {
			t.Errorf("%s is %v (%v), want %v", tag, s.Mean, ok, want)
		}
	}
	untold := strings.Join(d.Untold(), "\n")
	for _, want := range []string{"1 lines of", "profile_export.jsonl:2", "whether the client was good enough"} {
		if !strings.Contains(untold, want) {
			t.Errorf("%q is not in %q", want, untold)
		}
	}
}

// A file without a readable line is an error that says so; a run without its
// trailer is one that was killed.
func TestRemakeOfDamagedFiles(t *testing.T) {
	dir := t.TempDir()
	put(t, "x\ny\n", dir, "profile_export.jsonl")
	if _, err := (Remake{}).Read(dir); err == nil || !strings.Contains(err.Error(), "none of 2 lines is readable") {
		t.Errorf("%v", err)
	}
	killed := t.TempDir()
	leave(t, killed, "", time.Unix(100, 0), 4)
	if _, err := (Remake{}).Read(killed); err == nil || !strings.Contains(err.Error(), "report --recover") {
		t.Errorf("%v", err)
	}
	if err := os.Rename(filepath.Join(killed, "records.jsonl.partial"),
		filepath.Join(killed, "records.jsonl")); err != nil {
		t.Fatal(err)
	}
	d, err := Remake{}.Read(killed)
	if err != nil {
		t.Fatal(err)
	}
	run := d.Found[0].Levels[0].Runs[0]
	if run.Report.Complete() || run.Report.Result.OK != 4 || len(run.Missing) == 0 {
		t.Errorf("%+v: %q", run.Report.Run.Trailer, run.Missing)
	}
}

// Folders without and with repeats, of a prefix, of a sweep and of several
// sweeps are told apart by their places.
func TestRemakeFindsWhatBelongsTogether(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"a/c2", "a/c10", "b/c1/profile_runs/run_0001", "b/c1/profile_runs/run_0002", "alone"} {
		at := filepath.Join(root, filepath.FromSlash(dir))
		leave(t, at, "", time.Unix(100, 0), 2)
		if err := os.Rename(filepath.Join(at, "records.jsonl.partial"),
			filepath.Join(at, report.FileNames("").Records)); err != nil {
			t.Fatal(err)
		}
	}
	d, err := Remake{}.Read(root)
	if err != nil {
		t.Fatal(err)
	}
	got := ""
	for _, f := range d.Found {
		got += f.Name + ":"
		for _, l := range f.Levels {
			got += " " + strings.Repeat("r", len(l.Runs))
		}
		got += "\n"
	}
	if want := "a: r r\nalone: r\nb: rr\n"; got != want {
		t.Errorf("found\n%swant\n%s", got, want)
	}
	if l := d.Found[0].Levels; l[0].Concurrency != 2 || l[1].Concurrency != 10 {
		t.Errorf("%+v", l)
	}
}
