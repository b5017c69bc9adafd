package main

import (
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/cli"
)

// What describes the simulated cluster and can have no effect beside the other
// options is refused: figures under a GPU's name would not be those of the GPU.
func TestIdleOptionsOfTheSimulatedClusterAreRefused(t *testing.T) {
	t.Parallel()
	for options, want := range map[string]string{
		"--gpu b200_sxm":                  "--gpu: has no effect without --timing roofline",
		"--pp 2 --compute-efficiency 0.3": "--compute-efficiency: has no effect without --timing roofline",
		"--kv-cache-dtype fp8":            "--kv-cache-dtype: has no effect without --timing roofline",
		"--timing roofline --known-model qwen3-32b --kv-cache-dtype fp9": "is not known: must be one of auto",
		"--sglang-chunked-prefill-size 512":                              "without --engine-type sglang",
		"--engine-type sglang --watermark 0.2":                           "--watermark: has no effect",
		"--engine-type trtllm --preemption-mode fifo":                    "--preemption-mode: has no effect",
		"--kv-transfer-bandwidth 3":                                      "without --prefill-workers",
		"--prefill-workers 1 --kv-transfer-bandwidth 3":                  "without --kv-bytes-per-token",
		"--kv-transfer-link-workers 3":                                   "without --prefill-workers",
		"--prefill-workers 1 --kv-bytes-per-token 9 --kv-transfer-bandwidth 0 --kv-transfer-latency 1": "above 0: " +
			"transfers take no time",
		"--speculative-acceptance 0.5":                            "without --num-speculative-tokens",
		"--num-speculative-tokens 2":                              "--speculative-acceptance: 0 values: must be from 1",
		"--num-speculative-tokens 2 --speculative-acceptance 1.5": "--speculative-acceptance 1.5: must be from 0 to 1",
		"--lora-load-time 5":                                      "without --max-loras",
		"--max-loras 2":                                           "--max-loras: has no effect without --lora-adapters",
		"--max-loras 2 --lora-adapters 3 --lora-skew -1":          "--lora-skew -1: must be from 0 to 10",
		"--router-host-cache-hit-weight 0.1": "the host's memory, which simulated " +
			"workers do not send",
		"--router-ttl-secs 3":                      "without --no-router-kv-events",
		"--no-router-kv-events --kv-event-delay 3": "without --router-kv-events",
		"--router-queue-policy lcfs":               "without --router-queue-threshold",
	} {
		args := strings.Fields(options)
		for _, verb := range [][]string{
			{"router", "prefix-ratio", "--router-modes", "kv,random", "-d", filepath.Join(t.TempDir(), "out")},
			{"sim", "replay", "--router-mode", "kv", "--isl", "100", "--osl", "2"},
		} {
			if code, _, errs := runHeadway(append(verb, args...)...); code != cli.Usage ||
				!strings.Contains(errs, want) {
				t.Errorf("%s %s: exit %d, %q; want %q", verb[1], options, code, errs, want)
			}
		}
	}
	for _, args := range [][]string{
		{"router", "prefix-ratio", "--router-modes", "random", "--router-temperature", "1"},
		{"sim", "serve", "--port", "0", "--router-temperature", "1"},
		{"sim", "replay", "--concurrency-ramp-duration", "3"},
		{"router", "trace", "--lenient"},
	} {
		if code, _, errs := runHeadway(args...); code != cli.Usage || !strings.Contains(errs, "has no effect without") {
			t.Errorf("%v: exit %d, %q", args, code, errs)
		}
	}
}

// A loop over modes may give the router's options in all of them.
func TestReplayNotesOptionsOfAnotherMode(t *testing.T) {
	options := []string{"--router-temperature", "1", "--router-queue-threshold", "0", "--router-queue-policy", "wspt",
		"--router-active-request-weight", "2", "--router-kv-overlap-score-credit", "1.5"}
	for _, mode := range []string{"kv", "round-robin", "random", "least-loaded", "power-of-two"} {
		verb := []string{"sim", "replay", "--router-mode", mode, "--isl", "100", "--osl", "2", "--request-count", "2"}
		code, _, errs := runHeadway(append(verb, options...)...)
		for _, name := range []string{"router-temperature", "router-queue-threshold", "router-queue-policy",
			"router-decode-active-request-weight", "router-kv-overlap-score-credit"} {
			said := strings.Contains(errs, "note: --"+name+": has no effect without --router-mode kv")
			if code != cli.Done || said != (mode != "kv") {
				t.Errorf("%s: exit %d, %s", mode, code, errs)
			}
		}
	}
}

// With what they need, they are taken.
func TestOptionsThatHaveAnEffectAreTaken(t *testing.T) {
	t.Parallel()
	for _, options := range []string{
		"--timing roofline --known-model qwen3-32b --tp 4 --gpu b200_sxm --gpu-memory-utilization 0.8",
		"--prefill-workers 1 --kv-bytes-per-token 1000 --kv-transfer-bandwidth 3 --kv-transfer-timing-mode full_prompt",
		"--engine-type sglang --sglang-schedule-policy lpm",
		"--num-speculative-tokens 2 --speculative-acceptance 0.7,0.5 --speculative-draft-cost 0.1",
		"--max-loras 1 --lora-load-time 3 --lora-adapters 2 --lora-skew 1",
		"--prefill-workers 1 --kv-bytes-per-token 1000 --kv-transfer-link-workers 1 --kv-transfer-latency 1",
		"--no-router-kv-events --router-ttl-secs 3 --router-max-tree-size 100",
		"--kv-event-delay 3 --router-queue-threshold 1 --router-queue-policy wspt --use-expected-osl " +
			"--router-track-output-blocks",
	} {
		args := append([]string{"sim", "replay", "--router-mode", "kv", "--isl", "100", "--osl", "2", "--request-count",
			"2"}, strings.Fields(options)...)
		if code, _, errs := runHeadway(args...); code != cli.Done || strings.Contains(errs, "no effect") {
			t.Errorf("%s: exit %d, %s", options, code, errs)
		}
	}
	if _, _, errs := runHeadway("sim", "replay", "--router-mode", "kv", "--isl", "100", "--osl", "2",
		"--use-expected-osl"); !strings.Contains(errs, "without --router-track-output-blocks") {
		t.Errorf("an expected length that nobody reads is not mentioned: %q", errs)
	}
}
