package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// What describes the simulated cluster and can have no effect beside the other
// options is refused: figures under a GPU's name would not be those of the GPU.
func TestIdleOptionsOfTheSimulatedClusterAreRefused(t *testing.T) {
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
		"--router-host-cache-hit-weight 0.1":                             "the host's memory, which simulated workers do not have",
		"--router-ttl-secs 3":                                            "without --no-router-kv-events",
		"--no-router-kv-events --kv-event-delay 3":                       "without --router-kv-events",
		"--router-queue-threshold 0 --router-queue-policy lcfs":          "without --router-queue-threshold above 0",
	} {
		args := strings.Fields(options)
		for _, verb := range [][]string{
			{"router", "prefix-ratio", "--router-modes", "kv,random", "-d", filepath.Join(t.TempDir(), "out")},
			{"sim", "replay", "--router-mode", "kv", "--isl", "100", "--osl", "2"},
		} {
			if code, _, errs := runHeadway(append(verb, args...)...); code != exitUsage || !strings.Contains(errs, want) {
				t.Errorf("%s %s: exit %d, %q; want %q", verb[1], options, code, errs, want)
			}
		}
	}
	for _, args := range [][]string{
		{"router", "prefix-ratio", "--router-modes", "random", "--router-temperature", "1"},
		{"sim", "replay", "--router-temperature", "1"},
		{"sim", "replay", "--concurrency-ramp-duration", "3"},
		{"router", "trace", "--lenient"},
	} {
		if code, _, errs := runHeadway(args...); code != exitUsage || !strings.Contains(errs, "has no effect without") {
			t.Errorf("%v: exit %d, %q", args, code, errs)
		}
	}
}

// With what they need, they are taken.
func TestOptionsThatHaveAnEffectAreTaken(t *testing.T) {
	for _, options := range []string{
		"--timing roofline --known-model qwen3-32b --tp 4 --gpu b200_sxm --gpu-memory-utilization 0.8",
		"--prefill-workers 1 --kv-bytes-per-token 1000 --kv-transfer-bandwidth 3 --kv-transfer-timing-mode full_prompt",
		"--engine-type sglang --sglang-schedule-policy lpm",
		"--no-router-kv-events --router-ttl-secs 3 --router-max-tree-size 100",
		"--kv-event-delay 3 --router-queue-threshold 1 --router-queue-policy wspt --use-expected-osl --router-track-output-blocks",
	} {
		args := append([]string{"sim", "replay", "--router-mode", "kv", "--isl", "100", "--osl", "2", "--request-count", "2"}, strings.Fields(options)...)
		if code, _, errs := runHeadway(args...); code != exitDone || strings.Contains(errs, "no effect") {
			t.Errorf("%s: exit %d, %s", options, code, errs)
		}
	}
	if _, _, errs := runHeadway("sim", "replay", "--router-mode", "kv", "--isl", "100", "--osl", "2", "--use-expected-osl"); !strings.Contains(errs, "without --router-track-output-blocks") {
		t.Errorf("an expected length that nobody reads is not mentioned: %q", errs)
	}
}
