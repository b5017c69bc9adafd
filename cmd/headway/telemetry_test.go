package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"headway/report"
)

// gpuServer is a server whose page is that of vLLM and of DCGM, and that counts as the
// requests come: each takes 200 J.
func gpuServer(t *testing.T) string {
	t.Helper()
	var asked, read atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			asked.Add(1)
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, `data: {"choices":[{"delta":{"content":"word"}}]}`+"\n\n",
				`data: {"choices":[{"delta":{},"finish_reason":"stop"}]}`+"\n\ndata: [DONE]\n\n")
			return
		}
		read.Add(1)
		fmt.Fprintf(w, "vllm:num_requests_running 3\nvllm:generation_tokens_total %d\n", asked.Load())
		fmt.Fprintf(w, "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu=\"0\"} %d\n", 200_000*(asked.Load()+read.Load()))
		fmt.Fprint(w, "DCGM_FI_DEV_POWER_USAGE{gpu=\"0\"} 400\n")
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// What servers, GPUs and this host did is in the tables, the JSON and the file of a
// run and of a level; nothing of it where it is not wanted.
func TestTelemetryOfARun(t *testing.T) {
	t.Parallel()
	common := []string{"--model", "m", "--tokenizer", "builtin", "--isl", "60", "--streaming", "--request-count", "20",
		"--concurrency", "1"}
	for name, tt := range map[string]struct {
		more   []string
		energy bool
		file   bool
	}{
		"gpus":     {[]string{"--gpu-telemetry", "URL/metrics"}, true, true},
		"none":     {[]string{"--telemetry-interval", "0"}, false, false},
		"no gpus":  {[]string{"--no-gpu-telemetry", "--no-server-metrics"}, false, false},
		"prefixed": {[]string{"--gpu-telemetry", "URL/metrics", "--profile-export-prefix", "foo"}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, dir := gpuServer(t), t.TempDir()
			args := append([]string{"run", "--url", url, "--artifact-dir", dir}, common...)
			for _, a := range tt.more {
				args = append(args, strings.ReplaceAll(a, "URL", url))
			}
			if code, errs, err := until(t.Context(), args...); code != 0 || err != nil {
				t.Fatalf("exit %d, %v: %s", code, err, errs)
			}
			names := report.FileNames(map[bool]string{true: "foo"}[name == "prefixed"])
			var result struct {
				Headway struct {
					Energy    map[string]any
					Telemetry json.RawMessage
				}
			}
			text, err := os.ReadFile(filepath.Join(dir, names.JSON))
			if err != nil || json.Unmarshal(text, &result) != nil {
				t.Fatal(err)
			}
			e := result.Headway.Energy
			if per, _ := e["joules_per_request"].(float64); (e["by"] == "counter" && per > 0) != tt.energy {
				t.Errorf("energy %v: %s", e, result.Headway.Telemetry)
			}
			checkTimelines(t, filepath.Join(dir, names.Telemetry), tt.file)
		})
	}
}

// checkTimelines reads the file of a run, where there is to be one.
func checkTimelines(t *testing.T, path string, wanted bool) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil || !wanted {
		if wanted || err == nil {
			t.Errorf("%v; a file is wanted: %v", err, wanted)
		}
		return
	}
	defer f.Close()
	got, err := report.ReadTimelines(f, 10)
	if err != nil || got.Skipped != 0 || !(got.End > got.Begin) {
		t.Fatalf("%+v, %v", got, err)
	}
	found := map[string]bool{}
	for _, x := range got.All {
		found[x.Engine+" "+x.Name] = true
	}
	if !found["vllm running"] || !found["dcgm power"] || !found["dcgm energy"] {
		t.Errorf("%v", found)
	}
}
