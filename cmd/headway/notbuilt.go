package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// notBuiltOptions are options of `aiperf profile` that headway knows and does
// not have yet. They end the program with exit code 2: an option that is taken
// and ignored would make a measurement something else than what was asked for.
// A name that ends in * stands for every option that begins so.
var notBuiltOptions = []struct {
	names   string
	what    string
	instead string
}{
	{"reset-kv-cache reset-kv-cache-*", "resetting the server's KV cache", "prompts are unique by default, so no cache is warmed between runs"},
	{"server-profiler server-profiler-*", "driving the server's profiler", ""},
	{"download-video-content uuid-and-strip audio-* image-* video-* rankings-*", "audio, image, video and ranking requests", ""},
	{"apply-chat-template", "counting input tokens with the chat template", "the difference to the server's count is reported as the template's share"},
	{"public-dataset hf-subset hf-weka-dataset dataset-filter", "downloading public datasets", "give the file with --input-file"},
	{"ignore-trace-delays use-think-time-only max-context-length trace-session-sample-ratio inter-turn-delay-cap-seconds max-idle-gap-cap-seconds replay-speedup open-loop-replay no-open-loop-replay open-loop-strict omit-kv-hints force-min-tokens no-force-min-tokens allow-dataset-wrap no-allow-dataset-wrap trajectory-start-* burst-phase-starts trace-idle-gap-cap-seconds system-idle-gap-cap-seconds", "agentic and baseten trace replay", ""},
	{"cache-bust", "cache-busting markers", "prompts are unique by default"},
	{"user-context-prompt-length", "user context prompts", ""},
	{"random-range-ratio random-corpus-style system-prompt system-prompt-file", "vLLM- and SGLang-style random prompts and fixed system prompts", ""},
	{"synthesis-prefix-len-multiplier synthesis-prefix-root-multiplier synthesis-prompt-len-multiplier", "synthesis inside a run", "`headway trace synthesize` writes a trace that --input-file takes"},
	{"request-rate-series", "a rate that follows a series", "--request-rate-ramp-duration raises it linearly"},
	{"user-centric-rate num-users", "user-centric load", ""},
	{"scenario unsafe-override agentic-*", "locked benchmark scenarios", ""},
	{"slice-duration", "time slices", "profile_export.jsonl has every request's times"},
	{"auto-plot plot-required", "plotting after a run", "use `headway plot`"},
	{"export-outputs-json", "outputs.json", ""},
	{"otel-* stream gen-ai-provider mlflow-* wandb-*", "sending results to OpenTelemetry, MLflow or Weights & Biases", ""},
	{"server-metrics server-metrics-formats", "scraping the server's /metrics", ""},
	{"network-latency-*", "probing the network's round trip", "--export-http-trace has the connect times"},
	{"gpu-telemetry", "GPU telemetry", ""},
	{"convergence-*", "adaptive stopping over runs", "--num-profile-runs sets a fixed number"},
	{"parameter-sweep-* sweep-type no-sweep-table variant sweep-variant search-* optuna-* bo-constraint-mode ttft-sla-ms itl-sla-ms tpot-sla-ms e2e-sla-ms error-rate-sla slo-attainment-fraction degradation-* isl-min isl-max isl-steps concurrency-min concurrency-max concurrency-steps osl-min osl-max osl-steps isl-osl-pairs adaptive-*", "parameter sweeps and SLA search", "`headway bench` sweeps concurrency"},
	{"accuracy-*", "accuracy benchmarks", ""},
	{"api-port api-host", "the control API", ""},
	{"warmup-prefill-concurrency-ramp-duration", "a ramp of the warm-up's prefill concurrency", ""},
	{"record-requests", "recording requests", ""},
}

// withoutEffect are options that steer aiperf's processes, which headway does
// not have; they are taken, and a note says so.
var withoutEffect = map[string]bool{ // name: takes a value
	"workers-max": true, "max-workers": true, "record-processors": true, "record-processor-service-count": true,
	"zmq-host": true, "zmq-ipc-path": true, "zmq-dual-bind": false, "stats-interval": true,
	"no-gpu-telemetry": false, "no-server-metrics": false, "no-auto-plot": false, "no-export-outputs-json": false,
	"log-level": true, "extra-verbose": false,
}

// notBuiltValues are values of options that are built, which aiperf has and
// headway does not.
var notBuiltValues = map[string]string{ // name: values
	"model-selection-strategy": "weighted",
	"request-content-type":     "multipart/form-data",
	"prompt-corpus":            "sonnet coding",
	"custom-dataset-type": "random_pool bailian_trace baseten_trace weka_trace dag_jsonl raw_payload sagemaker_data_capture " +
		"speed_bench_qualitative speed_bench_throughput speed_bench",
}

// harmless are values with which an option that is not built asks for nothing.
var harmless = map[string]string{"cache-bust": "none"}

// takesNone says that an option that is not built has such a value.
func takesNone(name string) bool { return harmless[name] != "" }

// checkBuilt is the error of an option, or of its value, that is known and not
// built; nil when it is built or unknown. has says that the command has an
// option of that name, so that only the value is in question.
func checkBuilt(has bool, name, value string) error {
	if _, known := withoutEffect[name]; known || takesNone(name) && value == harmless[name] {
		return nil
	}
	if slices.Contains(strings.Fields(notBuiltValues[name]), value) {
		return notBuilt{"--" + name + " " + value, ""}
	}
	for _, o := range notBuiltOptions {
		if !has && slices.ContainsFunc(strings.Fields(o.names), func(n string) bool {
			return matches(n, name) || matches(n, strings.TrimPrefix(name, "no-"))
		}) {
			return notBuilt{"--" + name + " (" + o.what + ")", o.instead}
		}
	}
	return nil
}

// isIdle says that an option is taken and has no effect: it steers what
// headway does not have, or asks for nothing.
func isIdle(name, value string) bool {
	_, known := withoutEffect[name]
	return known || takesNone(name) && value == harmless[name]
}

func matches(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}

// normalise spells option names with hyphens and takes out the options that
// have no effect, which it returns for a note. An option that is not built is
// an error, and so is one of those without effect that would swallow the next
// option as its value.
func normalise(root *kong.Node, args []string) (kept, dropped []string, err error) {
	list, rest := splitWords(root, args)
	node := root
	for _, w := range list {
		if w.name == "" {
			node = child(node, w.text)
			kept = append(kept, w.args()...)
			continue
		}
		if err := checkBuilt(option(node, w.name) != nil, w.name, w.value); err != nil {
			return nil, nil, err
		}
		if !isIdle(w.name, w.value) {
			kept = append(kept, w.args()...)
			continue
		}
		if takesValue(root, w.name) && !w.joined && (!w.apart || strings.HasPrefix(w.value, "--")) {
			return nil, nil, usageError{fmt.Errorf("--%s: its value is missing", w.name)}
		}
		if !takesNone(w.name) {
			dropped = append(dropped, "--"+w.name)
		}
	}
	return append(kept, rest...), dropped, nil
}
