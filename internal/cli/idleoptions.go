package cli

import (
	"slices"
	"strings"
)

// withoutEffect are options that steer aiperf's processes, which headway does
// not have; they are taken, and a note says so.
var withoutEffect = map[string]bool{ // name: takes a value
	"workers-max": true, "max-workers": true, "record-processors": true, "record-processor-service-count": true,
	"zmq-host": true, "zmq-ipc-path": true, "zmq-dual-bind": false, "stats-interval": true,
	"no-export-outputs-json": false,
	"log-level":              true, "extra-verbose": false, "api-port": true, "api-host": true,
}

// ofOthers are options of what a measurement here is never part of, or that say no to
// what it never does: sweeps of one call, whose lists of values are refused, replays
// of agents and of their traces, images. aiperf 0.13 itself makes the same plan with
// them and without for whatever can be asked for here. They are taken, and a note
// says so.
var ofOthers = map[string]bool{ // name: takes a value
	"parameter-sweep-cooldown-seconds": true, "parameter-sweep-mode": true, "sweep-type": true,
	"parameter-sweep-same-seed": false, "no-parameter-sweep-same-seed": false, "no-sweep-table": false,
	"no-allow-dataset-wrap": false, "no-force-min-tokens": false, "omit-kv-hints": false,
	"allow-dataset-wrap": false, "use-think-time-only": false, "burst-phase-starts": false,
	"system-idle-gap-cap-seconds": true, "trace-idle-gap-cap-seconds": true, "agentic-warmup-grace-period": true,
	"unsafe-override": false, "download-video-content": false, "uuid-and-strip": false,
}

// ofRecipes are what aiperf's recipes of searches read, and what decides when to
// repeat no more. Without --search-recipe and --convergence-metric, which are
// refused, aiperf makes the same plan with them and without. They are taken on the
// command line of run, which is aiperf's verb, and a note says so; each takes a value.
const ofRecipes = "isl-min isl-max isl-steps osl-min osl-max osl-steps isl-osl-pairs concurrency-min concurrency-max " +
	"concurrency-steps ttft-sla-ms itl-sla-ms tpot-sla-ms e2e-sla-ms error-rate-sla slo-attainment-fraction " +
	"degradation-metric-tag degradation-stat degradation-threshold convergence-threshold"

// ofRecipe says that an option is one of a recipe.
func ofRecipe(name string) bool { return slices.Contains(strings.Fields(ofRecipes), name) }

// harmless are values with which options that are not built ask for nothing, most
// of them aiperf's defaults, which scripts spell out.
var harmless = []struct{ names, values string }{
	{"cache-bust", "none"},
	{"audio-length-mean audio-length-stddev image-width-mean image-width-stddev image-height-mean " +
		"image-height-stddev rankings-passages-stddev rankings-passages-prompt-token-stddev " +
		"rankings-query-prompt-token-stddev video-audio-num-channels", "0 0.0"},
	{"replay-speedup trace-session-sample-ratio synthesis-prefix-len-multiplier synthesis-prefix-root-multiplier " +
		"synthesis-prompt-len-multiplier audio-batch-size batch-size-audio audio-num-channels image-batch-size " +
		"batch-size-image video-batch-size batch-size-video rankings-passages-mean", "1 1.0"},
	{"rankings-passages-prompt-token-mean rankings-query-prompt-token-mean", "550 550.0"},
	{"audio-depths audio-sample-rates video-audio-depth", "16 16.0"},
	{"audio-format", "wav"}, {"image-format", "png"}, {"image-source", "noise"},
	{"image-source-sampling", "random-with-replacement"}, {"video-duration", "5 5.0"}, {"video-fps", "4"},
	{"video-synth-type", "moving_shapes"}, {"video-format", "webm"}, {"video-codec", "libvpx-vp9"},
	{"video-audio-sample-rate", "44100"}, {"convergence-stat", "avg"}, {"convergence-mode", "ci_width"},
	{"trajectory-start-min-ratio", "0.25"}, {"trajectory-start-max-ratio", "0.75"},
}

// takesNone says that an option that is not built has a value with which it asks
// for nothing.
func takesNone(name string) bool { return nothing(name) != "" }

// asksNothing says that an option that is not built has such a value here.
func asksNothing(name, value string) bool {
	return slices.Contains(strings.Fields(nothing(name)), value)
}

// nothing are the values with which an option asks for nothing, "" for none.
func nothing(name string) string {
	for _, h := range harmless {
		if slices.Contains(strings.Fields(h.names), name) {
			return h.values
		}
	}
	return ""
}

// idleOption says whether an option is taken without effect, and whether it takes a
// value.
func idleOption(name string) (takes, known bool) {
	if takes, known = withoutEffect[name]; !known {
		takes, known = ofOthers[name]
	}
	return takes, known
}

// isIdle says that an option is taken and has no effect: it steers what
// headway does not have, or asks for nothing.
func isIdle(name, value string) bool {
	_, known := idleOption(name)
	return known || asksNothing(name, value)
}

// Unbuilt says how an option is taken that no command has: "idle" without effect,
// "default" with a value that asks for nothing, "" not at all.
func Unbuilt(name string) string {
	_, idle := idleOption(name)
	switch {
	case idle || ofRecipe(name):
		return "idle"
	case takesNone(name):
		return "default"
	}
	return ""
}

// noteIdle says which options steer nothing.
func (a App) noteIdle(names []string) {
	var ours, others, recipes []string
	for _, name := range names {
		_, other := ofOthers[strings.TrimPrefix(name, "--")]
		switch {
		case ofRecipe(strings.TrimPrefix(name, "--")):
			recipes = append(recipes, name)
		case other:
			others = append(others, name)
		default:
			ours = append(ours, name)
		}
	}
	a.noteIdleOf(ours, "headway has no such processes or services")
	a.noteIdleOf(others, "one call makes one measurement, replays no agents and sends no images")
	a.noteIdleOf(recipes, "they are of --search-recipe and --convergence-metric, which are not built; "+
		"`headway bench` sweeps concurrency, --goodput counts requests within limits")
}

func (a App) noteIdleOf(names []string, why string) {
	if len(names) > 0 {
		a.Note("note: %s: no effect, %s", strings.Join(names, " "), why)
	}
}
