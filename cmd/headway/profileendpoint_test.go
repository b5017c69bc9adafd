package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"headway/internal/cli"
)

// Both modes on one folder, the files they leave, and a question to them. The
// figures are those of internal/deploy's tests; here the way through the
// options is.
func TestProfileEndpoint(t *testing.T) {
	t.Parallel()
	bin := program(t)
	// Five times its speed leaves a busy client time for the reads that tell a pace.
	url, stop := serve(t, bin, "--speedup-ratio", "5", "--num-gpu-blocks-override", "256", "--model", "m")
	defer stop()
	dir := filepath.Join(t.TempDir(), "out")
	run := func(args ...string) (stdout, stderr string, err error) {
		var out, errs bytes.Buffer
		if args[0] != "report" {
			args = append([]string{"profile"}, args...)
		}
		c := exec.Command(bin, args...)
		c.Stdout, c.Stderr, c.Env = &out, &errs, append(os.Environ(), patient...)
		err = c.Run()
		return out.String(), errs.String(), err
	}
	common := []string{"--model_name", "m", "--url", url, "--num_gpus", "2", "--tokenizer_path", "builtin",
		"--work_dir", dir}
	out, notes, err := run(append([]string{"endpoint", "--mode", "prefill", "--max_context_length", "1200",
		"--interpolation_granularity", "3", "--repeats", "3", "--max-repeats", "3"}, common...)...)
	if err != nil || !strings.Contains(out, "TTFT (ms)") ||
		!strings.Contains(notes, "prefill 4/4: prompt of 688 tokens: TTFT") {
		t.Fatalf("prefill: %v\n%s%s", err, out, notes)
	}
	decode := append([]string{"endpoint", "--mode", "decode", "--max_context_length", "900",
		"--interpolation_granularity", "2",
		"--max_kv_tokens", "16384", "--repeats", "2", "--max-repeats", "2", "--json"}, common...)
	out, notes, err = run(decode...)
	var surface struct {
		Points []struct {
			ISL, Requests int
			ITL           struct{ Mean float64 } `json:"itl_s"`
		} `json:"points"`
	}
	if err != nil || json.Unmarshal([]byte(out), &surface) != nil || len(surface.Points) != 4 ||
		surface.Points[1].Requests != 24 || !(surface.Points[0].ITL.Mean > 0) {
		t.Fatalf("decode: %v\n%s%s", err, out, notes)
	}
	for _, name := range []string{"selected_prefill_interpolation/raw_data.npz",
		"selected_prefill_interpolation/prefill_ttft_interpolation.svg",
		"selected_decode_interpolation/raw_data.npz", "selected_decode_interpolation/decode_itl_interpolation.png",
		"selected_decode_interpolation/decode_throughput_surface.png", "prefill_raw_data.json", "decode_points.csv",
		"decode_points.jsonl",
		"prefill_points/isl_100/warm-up/records.jsonl", "prefill_points/isl_688/repeat_3/profile_export_aiperf.json",
		"decode_points/isl_100_requests_24/fill/schedule.jsonl",
		"decode_points/isl_100_requests_24/repeat_2/records.jsonl"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	reportsProfile(t, run, dir)
	// Nothing is left to do, so that it works without the server.
	stop()
	again, notes, err := run(append(decode, "--resume")...)
	if err != nil || again != out {
		t.Errorf("resumed: %v\n%s%s", err, again, notes)
	}
	// Points of another way to measure do not mix, and it is said of which.
	for option, want := range map[string]string{"--transport=std": "--transport was epoll and is std",
		"--max-spread=6":             "--max-spread was 5 and is 6",
		"--no-preconnect":            "--no-preconnect was false and is true",
		"--proxy=http://127.0.0.1:1": "--proxy was not set and is http://127.0.0.1:1",
		"--token-count=client":       "--token-count was auto and is client",
		"-H x-tier: gold":            "header x-tier was not set and is "} {
		if strings.Contains(option, "transport") && runtime.GOOS != "linux" {
			continue
		}
		if _, notes, err = run(append(decode, "--resume", option)...); err == nil || !strings.Contains(notes, want) {
			t.Errorf("%s: %v, %s", option, err, notes)
		}
	}
	out, _, err = run("query", "--profile-results-dir", dir, "--isl", "300", "--osl", "150", "--ttft", "100", "--itl",
		"10")
	if err != nil || strings.Count(out, "met") != 4 {
		t.Errorf("query: %v\n%s", err, out)
	}
}

// reportsProfile holds what `headway report` makes of a folder against what the
// profile left there.
func reportsProfile(t *testing.T, run func(...string) (string, string, error), dir string) {
	t.Helper()
	out, notes, err := run("report", dir)
	if err != nil || !strings.Contains(out, "TTFT (ms)") || !strings.Contains(out, "ITL (ms)") ||
		!strings.Contains(notes, "The runs of the decode points") {
		t.Errorf("report: %v\n%s%s", err, out, notes)
	}
	again := t.TempDir()
	if _, notes, err = run("report", dir, "--output-dir", again); err != nil {
		t.Errorf("report: %v\n%s", err, notes)
	}
	for _, name := range []string{"selected_prefill_interpolation/raw_data.npz",
		"selected_prefill_interpolation/prefill_ttft_interpolation.svg",
		"selected_decode_interpolation/raw_data.npz", "selected_decode_interpolation/decode_throughput_surface.png",
		"prefill_raw_data.json", "decode_points.csv"} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(again, name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is another (%v)", name, err)
		}
	}
}

// A client that is not good enough for a point is said, by the point, and gives
// the exit code of an invalid measurement, also of points that were kept.
func TestProfileEndpointInvalid(t *testing.T) {
	t.Parallel()
	url, stop, err := simulate("m")
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	args := []string{"profile", "endpoint", "--mode", "prefill", "--model-name", "m", "--url", url, "--num-gpus", "1",
		"--tokenizer", "builtin",
		"--work-dir", t.TempDir(), "--max-context-length", "1200", "--interpolation-granularity", "3", "--repeats", "1",
		"--max-lag", impossible}
	for range 2 {
		code, out, errs := runHeadway(args...)
		if code != cli.Invalid || !strings.Contains(errs,
			"prompt of 100 tokens: repeat_1: the measurement is not valid: ") || !strings.Contains(out, "not valid") {
			t.Errorf("exit %d\n%s%s", code, out, errs)
		}
		args = append(args, "--resume")
	}
	args[len(args)-3] = "1h" // the bound is part of what was measured
	if code, _, errs := runHeadway(args...); code != cli.Usage || !strings.Contains(errs, "--max-lag was ") {
		t.Errorf("exit %d: %s", code, errs)
	}
}
