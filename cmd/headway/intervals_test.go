package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"headway/internal/cli"
	"headway/internal/engine"
	"headway/internal/twin"
)

// tracedRequests are the load of verbs that play a trace.
const tracedRequests = `{"timestamp": 0, "input_length": 300, "output_length": 20, "hash_ids": [1]}
{"timestamp": 100, "input_length": 700, "output_length": 30, "hash_ids": [1, 2]}
{"timestamp": 200, "input_length": 200, "output_length": 40, "hash_ids": [3]}
{"timestamp": 300, "input_length": 600, "output_length": 20, "hash_ids": [1, 2]}
{"timestamp": 400, "input_length": 250, "output_length": 10, "hash_ids": [3]}
{"timestamp": 500, "input_length": 250, "output_length": 10, "hash_ids": [3]}
`

// simulating are the verbs that can simulate a calibrated server, each with a short call
// of it, TWIN and DIR in place of its files. "" is one that only warns: it serves.
var simulating = map[string]string{
	"sim serve": "",
	"sim replay": "sim replay --timing twin:TWIN --request-count 12 --isl 300 --osl 8 --concurrency 2 " +
		"--random-seed 1 --artifact-dir DIR",
	"router prefix-ratio": "router prefix-ratio --timing twin:TWIN --prefix-ratios 0,0.5 --requests 12 " +
		"--concurrency 4 --isl 300 --osl 8 --num-prefix-prompts 2 --workers 2 --seed 1 --output-dir DIR",
	"router trace": "router trace --timing twin:TWIN --input-dataset TRACE --workers 2 --seed 1 --output-dir DIR",
	"router sessions": "router sessions --timing twin:TWIN --input-dataset TRACE --workers 2 --seed 1 " +
		"--output-dir DIR",
	"router priority": "router priority --timing twin:TWIN --input-dataset TRACE --workers 2 --seed 1 " +
		"--output-dir DIR --router-queue-threshold 0",
	"profile sla": "profile sla --model qwen3-32b --twin TWIN --isl 500 --osl 20 --ttft 3000 --itl 100 " +
		"--max-num-gpus-per-engine 1 --no-interpolation --output-dir DIR",
	"plan": "plan --trace TRACE --twin TWIN --window 10 --max-replicas 2 -d DIR --objective",
}

// saysHowSure finds an interval with its level, a range without one, or that there is no
// interval.
var saysHowSure = regexp.MustCompile(`\d+ %\)?|no interval|≈`)

// hasInterval finds the same in JSON.
var hasInterval = regexp.MustCompile(`"(foretold|expected)": ?{|"low_s": ?[0-9]|"kind": "twin`)

// Every verb that takes a twin says in its text, in its JSON and on its page where a
// server's figures are expected, or that and why no interval is known.
func TestSimulatedFiguresHaveIntervals(t *testing.T) {
	t.Parallel()
	taking := takingTwins(t)
	for _, verb := range taking {
		if _, known := simulating[verb]; !known {
			t.Errorf("headway %s simulates with a twin and is not tried here", verb)
		}
	}
	dir := t.TempDir()
	trace, calibrated := filepath.Join(dir, "trace.jsonl"), filepath.Join(dir, "twin.json")
	if err := os.WriteFile(trace, []byte(tracedRequests), 0o600); err != nil {
		t.Fatal(err)
	}
	writeTwin(t, calibrated)
	for verb, call := range simulating {
		if !slices.Contains(taking, verb) {
			t.Errorf("headway %s takes no twin", verb)
		}
		if call == "" {
			continue
		}
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(dir, strings.ReplaceAll(verb, " ", "_"))
			args := strings.Fields(strings.NewReplacer("TWIN", calibrated, "TRACE", trace, "DIR", out).Replace(call))
			if verb == "plan" {
				args = append(args, "ttft p99 < 5s")
			}
			tried(t, out, args)
		})
	}
}

// tried calls a verb and looks for what it says of its figures.
func tried(t *testing.T, out string, args []string) {
	t.Helper()
	code, text, errs := runHeadway(args...)
	if code != cli.Done {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if !strings.Contains(text, "twin") || !saysHowSure.MatchString(text) {
		t.Errorf("no word of how sure it is in\n%s", text)
	}
	found := false
	err := filepath.WalkDir(out, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		switch filepath.Ext(path) {
		case ".json":
			found = found || hasInterval.Match(content)
		case ".html":
			if !saysHowSure.Match(content) || !strings.Contains(string(content), "twin") {
				t.Errorf("%s says nothing of how sure it is", path)
			}
		}
		return err
	})
	if err != nil || !found {
		t.Errorf("no interval in a JSON file of %s: %v", out, err)
	}
}

// takingTwins are the verbs with an option that takes a twin.
func takingTwins(t *testing.T) (verbs []string) {
	t.Helper()
	for _, n := range grammar(t).Leaves(false) {
		fits := strings.HasPrefix(n.Path(), "headway twin")
		if !fits && (cli.Option(n, "timing") != nil || cli.Option(n, "twin") != nil) {
			verbs = append(verbs, strings.TrimPrefix(n.Path(), "headway "))
		}
	}
	return verbs
}

// writeTwin writes a twin with intervals.
func writeTwin(t *testing.T, path string) {
	t.Helper()
	f := twin.File{Version: twin.FileVersion, Model: twin.Usual,
		Engine: twin.Engine{Type: engine.VLLM, MaxNumSeqs: 256, MaxNumBatchedTokens: 8192, Blocks: 15000,
			BlockSize: 16},
		Range: twin.Range{ISL: [2]int{100, 2000}, OSL: [2]int{1, 200}, InFlight: [2]int{1, 64}},
		Uncertainty: &twin.Uncertainty{Parameters: twin.ParameterNames(), Residuals: map[string][]float64{},
			HeldOut: true}}
	for i := range twin.Parameters {
		row := make([]float64, i+1)
		row[i] = 0.01
		f.Uncertainty.Covariance = append(f.Uncertainty.Covariance, row)
	}
	for _, figure := range []string{"time_to_first_token", "time_to_first_token p50", "time_to_first_token p99",
		"inter_token_latency", "inter_token_latency p99", "request_latency", "request_throughput"} {
		for i := range 20 {
			f.Uncertainty.Residuals[figure] = append(f.Uncertainty.Residuals[figure], float64(i-10)/200)
		}
	}
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
