package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"headway/internal/fault"
)

// notBuiltOptions are options of `aiperf profile` and of Dynamo's profiler that
// headway knows and does not have yet. They end the program with exit code 2: an option that is taken
// and ignored would make a measurement something else than what was asked for.
// A name that ends in * stands for every option that begins so.
var notBuiltOptions = []struct {
	names   string
	what    string
	instead string
}{
	{"download-video-content uuid-and-strip audio-* image-* video-* rankings-* batch-size-image batch-size-audio " +
		"batch-size-video", "audio, image, video and ranking requests", "leave it out to send text, or use aiperf"},
	{"apply-chat-template", "counting input tokens with the chat template",
		"the difference to the server's count is reported as the template's share"},
	{"public-dataset hf-subset hf-weka-dataset dataset-filter", "downloading public datasets",
		"give the file with --input-file"},
	{"use-think-time-only max-context-length trace-session-sample-ratio " +
		"max-idle-gap-cap-seconds replay-speedup open-loop-replay no-open-loop-replay " +
		"open-loop-strict omit-kv-hints force-min-tokens no-force-min-tokens allow-dataset-wrap " +
		"no-allow-dataset-wrap trajectory-start-* burst-phase-starts trace-idle-gap-cap-seconds " +
		"system-idle-gap-cap-seconds", "agentic and baseten trace replay",
		"--custom-dataset-type mooncake_trace replays sessions with their delays"},
	{"cache-bust", "cache-busting markers", "prompts are unique by default"},
	{"user-context-prompt-length", "user context prompts", "add its tokens to --isl, where prompts share nothing"},
	{"random-range-ratio random-corpus-style", "vLLM- and SGLang-style random prompts",
		"--isl-stddev and --osl-stddev spread lengths, --sequence-distribution mixes them"},
	{"synthesis-prefix-len-multiplier synthesis-prefix-root-multiplier synthesis-prompt-len-multiplier",
		"synthesis inside a run", "`headway trace synthesize` writes a trace that --input-file takes"},
	{"request-rate-series", "a rate that follows a series", "--request-rate-ramp-duration raises it linearly"},
	{"user-centric-rate num-users", "user-centric load",
		"--request-rate starts sessions, --conversation-turn-delay-mean paces their turns"},
	{"scenario unsafe-override agentic-*", "locked benchmark scenarios", "give the options of the scenario"},
	{"slice-duration", "time slices", "profile_export.jsonl has every request's times"},
	{"export-outputs-json", "outputs.json", "--export-level raw writes the replies"},
	{"stream", "sending a part of the metrics to OpenTelemetry", "--otel-url sends all of them"},
	{"mlflow-* wandb-*", "sending results to MLflow or Weights & Biases", "the files of --artifact-dir have them"},
	{"server-metrics-formats", "files of all that servers say of themselves", "--server-metrics reads their counters"},
	{"network-latency-*", "probing the network's round trip", "--export-http-trace has the connect times"},
	{"convergence-*", "adaptive stopping over runs", "--num-profile-runs sets a fixed number"},
	{"variant sweep-variant search-* optuna-* bo-constraint-mode " +
		"ttft-sla-ms itl-sla-ms tpot-sla-ms e2e-sla-ms error-rate-sla slo-attainment-fraction degradation-* " +
		"isl-min isl-max isl-steps concurrency-min concurrency-max concurrency-steps osl-min osl-max osl-steps " +
		"isl-osl-pairs adaptive-*", "parameter sweeps and SLA search", "`headway bench` sweeps concurrency"},
	{"accuracy-*", "accuracy benchmarks", "headway measures times, not answers; use aiperf"},
	{"api-port api-host", "the control API", ""},
	{"record-requests", "recording requests", ""},
	{"use-dynamo-session-control", "Dynamo's session control",
		"--session-header X-Dynamo-Session-ID names the session to Dynamo"},
	{"pick-with-webui webui-port", "picking a configuration in a browser",
		"the pick is made by the rule, and every outcome is in the result"},
	{"enable-gpu-discovery", "finding out which GPUs a cluster has", "give --gpu and --num-gpus-per-node"},
	{"aic-backend-version", "performance models of an engine's versions",
		"the roofline knows no versions of an engine"},
}

// notBuiltValues are values of options that are built, which aiperf has and
// headway does not.
var notBuiltValues = map[string]string{ // name: values
	"model-selection-strategy": "weighted",
	"request-content-type":     "multipart/form-data",
	"prompt-corpus":            "sonnet coding",
	"custom-dataset-type": "random_pool bailian_trace baseten_trace weka_trace dag_jsonl raw_payload " +
		"sagemaker_data_capture " +
		"speed_bench_qualitative speed_bench_throughput speed_bench",
}

// insteadOfValue says what to do about a value that is not built.
var insteadOfValue = map[string]string{
	"custom-dataset-type": "convert the file to mooncake_trace, multi_turn or single_turn",
	"prompt-corpus":       "leave it out: words are drawn from the tokenizer's vocabulary",
}

// checkBuilt is the error of an option, or of its value, that is known and not
// built; nil when it is built or unknown. has says that the command has an
// option of that name, so that only the value is in question.
func checkBuilt(has bool, name, value string) error {
	if isIdle(name, value) {
		return nil
	}
	if slices.Contains(strings.Fields(notBuiltValues[name]), value) {
		return fault.NotBuilt{What: "--" + name + " " + value, Instead: insteadOfValue[name]}
	}
	for _, o := range notBuiltOptions {
		if !has && slices.ContainsFunc(strings.Fields(o.names), func(n string) bool {
			return matches(n, name) || matches(n, strings.TrimPrefix(name, "no-"))
		}) {
			return fault.NotBuilt{What: "--" + name + " (" + o.what + ")", Instead: o.instead}
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

// Normalise spells option names with hyphens and takes out the options that
// have no effect, which it returns for a note. An option that is not built is
// an error, and so is one of those without effect that would swallow the next
// option as its value.
func Normalise(root *kong.Node, args []string) (kept, dropped []string, err error) {
	list, rest := splitWords(root, args)
	node := root
	for _, w := range list {
		if w.name == "" {
			node = child(node, w.text)
			kept = append(kept, w.args()...)
			continue
		}
		w.name = negated(node, w.name)
		idle := isIdle(w.name, w.value) || ofRecipe(w.name) && node.Name == "run"
		if err := checkBuilt(Option(node, w.name) != nil, w.name, w.value); err != nil && !idle {
			return nil, nil, err
		}
		if !idle {
			kept = append(kept, w.args()...)
			continue
		}
		if takesValue(root, w.name) && !w.joined && (!w.apart || strings.HasPrefix(w.value, "--")) {
			return nil, nil, fault.Usage(fmt.Errorf("--%s: its value is missing", w.name))
		}
		if !takesNone(w.name) {
			dropped = append(dropped, "--"+w.name)
		}
	}
	return append(kept, rest...), dropped, nil
}
