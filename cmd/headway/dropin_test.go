package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// dropIns are the command lines that Dynamo's own tools give to aiperf: its
// profiler's prefill and decode measurements, its benchmark script, and its
// guide to comparing routers.
var dropIns = map[string]string{
	"profiler prefill": `profile --model M --tokenizer builtin --endpoint-type chat --endpoint /v1/chat/completions --streaming --url URL
		--synthetic-input-tokens-mean 100 --synthetic-input-tokens-stddev 0 --output-tokens-mean 5 --output-tokens-stddev 0
		--extra-inputs max_tokens:5 --extra-inputs min_tokens:5 --extra-inputs ignore_eos:true --extra-inputs {"nvext":{"ignore_eos":true}}
		--concurrency 1 --request-count 1 --warmup-request-count 3 --random-seed 100 --request-timeout-seconds 1800 --artifact-dir DIR`,
	"profiler decode": `profile -m M --tokenizer builtin --endpoint-type chat --streaming -u URL
		--synthetic-input-tokens-mean 50 --output-tokens-mean 6 --extra-inputs ignore_eos:true --extra-inputs {"nvext":{"ignore_eos":true}}
		--concurrency 4 --num-dataset-entries 4 --request-count 4 --random-seed 777 --artifact-dir DIR`,
	"benchmark script": `profile -m M --endpoint-type chat -u URL --streaming --synthetic-input-tokens-mean 30 --synthetic-input-tokens-stddev 3
		--concurrency 2 --output-tokens-mean 4 --extra-inputs max_tokens:4 --extra-inputs min_tokens:4 --extra-inputs ignore_eos:true
		--tokenizer builtin --artifact-dir DIR --request_count 10 -v --max-workers 252 --ui simple`,
	"rate mode": `profile --model M --tokenizer builtin --input-file TURNS --custom-dataset-type single_turn --url URL --streaming
		--ui-type none --request-count 2 --concurrency 2 --request-rate-mode constant --warmup-request-count 2 --artifact-dir DIR
		--extra-inputs max_tokens:5 --extra-inputs min_tokens:5 --extra-inputs ignore_eos:true`,
	"raw": `profile -m M --tokenizer builtin --tokenizer-trust-remote-code --input-file TRACE --custom-dataset-type mooncake_trace
		--url URL --streaming --dataset-sampling-strategy sequential --concurrency 2 --random-seed 42 --ui dashboard --artifact-dir DIR
		--profile-export-level raw --concurrency-ramp-duration 0.01 --export-http-trace`,
	"router guide": `profile --model M --tokenizer builtin --url URL --input-file TRACE --custom-dataset-type mooncake_trace --fixed-schedule --streaming
		--random-seed 42 --workers-max 200 --request-timeout-seconds 1000 --profile-export-level records --record-processors 8
		--goodput "time_to_first_token:5000 inter_token_latency:100" --artifact-dir DIR`,
}

func TestDropIns(t *testing.T) {
	t.Parallel()
	bin := program(t)
	aiperf := filepath.Join(t.TempDir(), "aiperf")
	if err := os.Symlink(bin, aiperf); err != nil {
		t.Fatal(err)
	}
	url, stop := serve(t, bin, "--ttft", "5", "--itl", "5", "--model", "M")
	defer stop()
	trace := filepath.Join(t.TempDir(), "trace.jsonl")
	if err := os.WriteFile(trace,
		[]byte("{\"timestamp\": 0, \"input_length\": 30, \"output_length\": 4}\n{\"timestamp\": 20, "+
			"\"input_length\": 30, \"output_length\": 4}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	turns := filepath.Join(t.TempDir(), "turns.jsonl")
	if err := os.WriteFile(turns, []byte("{\"text\": \"a b c\", \"session_id\": \"s\"}\n{\"text\": \"d\", "+
		"\"session_id\": \"s\"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, line := range dropIns {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			args := words(strings.NewReplacer("URL", url, "DIR", dir, "TRACE", trace, "TURNS", turns).Replace(line))
			if out, err := exec.Command(aiperf, args...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			b, err := os.ReadFile(filepath.Join(dir, "profile_export_aiperf.json"))
			if err != nil {
				t.Fatal(err)
			}
			// What Dynamo's profiler reads.
			var doc map[string]struct{ Avg, Max float64 }
			var any map[string]json.RawMessage
			if err := json.Unmarshal(b, &any); err != nil {
				t.Fatal(err)
			}
			doc = map[string]struct{ Avg, Max float64 }{}
			for _, tag := range []string{"time_to_first_token", "inter_token_latency", "output_token_throughput",
				"request_count"} {
				var s struct{ Avg, Max float64 }
				// A busy client may read all tokens of a reply at once.
				err := json.Unmarshal(any[tag], &s)
				if err != nil || s.Avg < 0 || s.Avg == 0 && tag != "inter_token_latency" {
					t.Errorf("%s: %s (%v)", tag, any[tag], err)
				}
				doc[tag] = s
			}
			if doc["time_to_first_token"].Max < doc["time_to_first_token"].Avg {
				t.Errorf("max below avg: %+v", doc)
			}
		})
	}
	if out, err := exec.Command(aiperf, "service").CombinedOutput(); err == nil ||
		!strings.Contains(string(out), "not built") {
		t.Errorf("aiperf service: %v %s", err, out)
	}
}

// words splits a command line at blanks outside double quotes; an argument in
// braces is JSON and keeps its quotes.
func words(line string) []string {
	var all []string
	for _, w := range strings.Fields(line) {
		if n := len(all); n > 0 && strings.HasPrefix(all[n-1], `"`) && !strings.HasSuffix(all[n-1], `"`) {
			all[n-1] += " " + w
			continue
		}
		all = append(all, w)
	}
	for i, w := range all {
		all[i] = strings.Trim(w, `"`)
	}
	return all
}
