package main

import (
	"regexp"
	"slices"
	"strings"
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

// findNotBuilt returns the error of the first option that is known and not
// built; nil when there is none.
func findNotBuilt(args []string) error {
	for _, a := range args {
		name, isOption := optionName(a)
		if !isOption {
			continue
		}
		for _, o := range notBuiltOptions {
			if slices.ContainsFunc(strings.Fields(o.names), func(n string) bool { return matches(n, name) }) {
				return notBuilt{"--" + name + " (" + o.what + ")", o.instead}
			}
		}
	}
	return nil
}

func matches(pattern, name string) bool {
	if prefix, ok := strings.CutSuffix(pattern, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return pattern == name
}

// optionName is the name of a long option, with underscores as hyphens.
func optionName(arg string) (string, bool) {
	rest, ok := strings.CutPrefix(arg, "--")
	if !ok || rest == "" {
		return "", false
	}
	name, _, _ := strings.Cut(rest, "=")
	return strings.ReplaceAll(name, "_", "-"), true
}

var negative = regexp.MustCompile(`^-[0-9.]+$`)

// normalise spells option names with hyphens and takes out the options that
// have no effect, which it returns for a note.
func normalise(args []string) (kept, dropped []string) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			return append(kept, args[i:]...), dropped
		}
		name, ok := optionName(a)
		if a == "-vv" {
			kept = append(kept, "--verbose")
			continue
		}
		if !ok {
			kept = append(kept, a)
			continue
		}
		_, value, hasValue := strings.Cut(a, "=")
		takes, known := withoutEffect[name]
		switch {
		case known && takes && !hasValue:
			dropped = append(dropped, "--"+name)
			i++
		case known:
			dropped = append(dropped, "--"+name)
		case !hasValue && i+1 < len(args) && negative.MatchString(args[i+1]):
			// A negative number looks like an option; it is a value to refuse
			// with all other faults.
			i++
			kept = append(kept, "--"+name+"="+args[i])
		case hasValue:
			kept = append(kept, "--"+name+"="+value)
		default:
			kept = append(kept, "--"+name)
		}
	}
	return kept, dropped
}
