package main

import (
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"headway/internal/cli"
	"headway/internal/openai"
	"headway/internal/options"
	"headway/internal/settings"
	"headway/internal/study"
	"headway/internal/tokens"
)

// resumable are the commands that go on with an earlier call, by name, each with
// its options.
func resumable(t *testing.T) map[string][]*kong.Flag {
	t.Helper()
	a := cli.App{Stdout: io.Discard, Stderr: io.Discard, Grammar: commands(), Notes: &cli.Notes{W: io.Discard}}
	var done bool
	parser, err := a.Parser(&done)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]*kong.Flag{}
	for _, n := range parser.Model.Leaves(false) {
		if cli.Option(n, "resume") == nil {
			continue
		}
		for _, group := range n.AllFlags(false) {
			all[n.Path()] = append(all[n.Path()], group...)
		}
	}
	return all
}

// What two calls may differ in is said by the options themselves. An option that
// says nothing is compared, which is safe; one that is added to these lists has to
// change no measurement, or to be compared by what it comes to.
func TestWhatCallsMayDifferIn(t *testing.T) {
	const (
		always   = "config json overwrite quiet resume web web-stay"
		speaking = "api-key header max-download-bytes max-reply-bytes max-reply-events memory-budget " +
			"request-content-type " +
			"tokenizer-trust-remote-code use-server-token-count wait-for-model-interval wait-for-model-mode " +
			"wait-for-model-timeout"
		telemetry = "server-metrics no-server-metrics gpu-telemetry no-gpu-telemetry telemetry-interval"
		exporting = "otel-url otel-traces otel-resource-attributes gen-ai-provider metrics-listen upload-url " +
			"export-llmd-report"
		outside = telemetry + " " + exporting
		routing = always + " " + speaking + " " + outside + " fail-fast max-lag output-dir repeats router-modes"
	)
	want := map[string]string{
		"bench": always + " " + speaking + " " + outside +
			" benchmark-name concurrencies confidence-level context endpoint-url energy-price export-compression " +
			"export-http-trace export-level export-parquet fail-above fail-fast goodput gpu-cost-per-hour kubeconfig " +
			"max-lag " +
			"namespace num-gpus objective " +
			"output-dir plots port-forward profile-run-cooldown-seconds show-trace-timing slo-preset ui-type verbose",
		"profile endpoint": always + " " + speaking + " " + outside + " format max-lag work-dir",
		"twin fit":         "config overwrite resume " + speaking + " " + outside + " max-lag work-dir",
		"plan":             "config json output-dir overwrite parallel quiet resume",
		"duel": always + " " + speaking + " " + outside + " fail-fast format max-blocks max-failed max-time output " +
			"output-dir engine-start-timeout engine-stop-grace max-lag",
		"router trace":        routing + " load-sweep",
		"router prefix-ratio": routing + " prefix-ratios",
		"router sessions":     routing,
		"router priority":     routing,
		"profile sla": always + " " + exporting +
			" gpu-telemetry no-gpu-telemetry no-server-metrics telemetry-interval " +
			"compare-aggregated concurrency context deployment-timeout dgdr dry-run engine-start-timeout " +
			"engine-stop-grace " +
			"format gpu-cost-per-hour gpus interpolation kubeconfig max-download-bytes max-lag output-dir parallel " +
			"planner-arg " +
			"prefill-interpolation-granularity profile-config request-rate tokenizer-trust-remote-code total-gpus " +
			"unschedulable-grace",
	}
	got := map[string]string{}
	for verb, flags := range resumable(t) {
		var apart []string
		for _, f := range flags {
			if f.Tag.Has("apart") {
				apart = append(apart, f.Name)
			}
		}
		slices.Sort(apart)
		got[verb] = strings.Join(apart, " ")
	}
	for verb, list := range want {
		names := strings.Fields(list)
		slices.Sort(names)
		want[verb] = strings.Join(names, " ")
	}
	for _, verb := range slices.Sorted(maps.Keys(got)) {
		if got[verb] != want[verb] {
			t.Errorf("%s:\n%s\nwant\n%s", verb, got[verb], want[verb])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d commands resume, want %d", len(got), len(want))
	}
}

// Names that are compared beside the options are those of options that are there,
// or no names of options at all.
func TestSettingsNameOptions(t *testing.T) {
	s := settings.Settings{"tokenizer-revision": "main"}
	study.Speaking(s, &options.Endpoint{Headers: []string{"X-A: b"}}, openai.Config{}, tokens.Tokens{}, "auto")
	if s["tokenizer-revision"] != "" {
		t.Error("the revision is compared beside what was loaded")
	}
	for verb, flags := range resumable(t) {
		for name := range s {
			known := slices.ContainsFunc(flags, func(f *kong.Flag) bool { return f.Name == name })
			// they do not say how to speak to an endpoint
			if verb != "profile sla" && verb != "plan" && !known && !strings.Contains(name, " ") {
				t.Errorf("%s: there is no option --%s", verb, name)
			}
		}
	}
}
