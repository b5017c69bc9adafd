package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Both modes on one folder, the files they leave, and a question to them. The
// figures are those of internal/deploy's tests; here the way through the
// options is.
func TestProfileEndpoint(t *testing.T) {
	bin := program(t)
	url, stop := serve(t, bin, "--speedup-ratio", "50", "--num-gpu-blocks-override", "256", "--model", "m")
	defer stop()
	dir := filepath.Join(t.TempDir(), "out")
	run := func(args ...string) (stdout, stderr string, err error) {
		var out, errs bytes.Buffer
		c := exec.Command(bin, append([]string{"profile"}, args...)...)
		c.Stdout, c.Stderr = &out, &errs
		err = c.Run()
		return out.String(), errs.String(), err
	}
	common := []string{"--model_name", "m", "--url", url, "--num_gpus", "2", "--tokenizer_path", "builtin", "--work_dir", dir}
	out, notes, err := run(append([]string{"endpoint", "--mode", "prefill", "--max_context_length", "1200", "--interpolation_granularity", "3"}, common...)...)
	if err != nil || !strings.Contains(out, "TTFT (ms)") || !strings.Contains(notes, "prefill 4/4: prompt of 688 tokens: TTFT") {
		t.Fatalf("prefill: %v\n%s%s", err, out, notes)
	}
	decode := append([]string{"endpoint", "--mode", "decode", "--max_context_length", "900", "--interpolation_granularity", "2",
		"--max_kv_tokens", "16384", "--repeats", "2", "--max-repeats", "2", "--json"}, common...)
	out, notes, err = run(decode...)
	var surface struct {
		Points []struct {
			ISL, Requests int
			ITL           struct{ Mean float64 } `json:"itl_s"`
		} `json:"points"`
	}
	if err != nil || json.Unmarshal([]byte(out), &surface) != nil || len(surface.Points) != 4 || surface.Points[1].Requests != 24 || !(surface.Points[0].ITL.Mean > 0) {
		t.Fatalf("decode: %v\n%s%s", err, out, notes)
	}
	for _, name := range []string{"selected_prefill_interpolation/raw_data.npz", "selected_prefill_interpolation/prefill_ttft_interpolation.svg",
		"selected_decode_interpolation/raw_data.npz", "selected_decode_interpolation/decode_itl_interpolation.png",
		"selected_decode_interpolation/decode_throughput_surface.png", "prefill_raw_data.json", "decode_points.csv", "decode_points.jsonl"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	// Nothing is left to do, so that it works without the server.
	stop()
	again, notes, err := run(append(decode, "--resume")...)
	if err != nil || again != out {
		t.Errorf("resumed: %v\n%s%s", err, again, notes)
	}
	out, _, err = run("query", "--profile-results-dir", dir, "--isl", "300", "--osl", "150", "--ttft", "100", "--itl", "10")
	if err != nil || strings.Count(out, "met") != 4 {
		t.Errorf("query: %v\n%s", err, out)
	}
}
