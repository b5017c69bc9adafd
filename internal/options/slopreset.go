package options

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"headway/internal/fault"
)

// latencies are upper bounds on 99th percentiles, in milliseconds: of the time to first
// token and of the time per output token.
type latencies struct{ ttft, tpot int }

// sloPresets are the bounds of MLPerf Inference's Server and Interactive scenarios of
// models that have both kinds (mlcommons/inference b66003e, loadgen/mlperf.conf, version
// 6.0.17: ttft_latency and tpot_latency; the percentile is 99 for all, by
// target_latency_percentile).
var sloPresets = map[string]latencies{
	"mlperf-llama2-70b-server":         {2000, 200},
	"mlperf-llama2-70b-interactive":    {450, 40},
	"mlperf-mixtral-8x7b-server":       {2000, 200},
	"mlperf-llama3.1-405b-server":      {6000, 175},
	"mlperf-llama3.1-405b-interactive": {4500, 80},
	"mlperf-llama3.1-8b-server":        {2000, 100},
	"mlperf-llama3.1-8b-interactive":   {500, 30},
	"mlperf-deepseek-r1-server":        {2000, 80},
	"mlperf-deepseek-r1-interactive":   {1500, 15},
	"mlperf-gpt-oss-120b-server":       {3000, 80},
	"mlperf-gpt-oss-120b-interactive":  {2000, 15},
}

// SLOPresets are the names of --slo-preset, sorted.
func SLOPresets() []string { return slices.Sorted(maps.Keys(sloPresets)) }

// presetGoals are the objectives of --slo-preset; a name that there is none of is a fault.
func presetGoals(bad *fault.List, name string) []string {
	goals := PresetGoals(name)
	bad.When(name != "" && goals == nil, "%s %q: there are %s", fault.Field("slo-preset"), name,
		strings.Join(SLOPresets(), ", "))
	return goals
}

// PresetGoals are the objectives of a preset as --objective writes them; none without one,
// or of a name that there is none of.
func PresetGoals(name string) []string {
	l, known := sloPresets[name]
	if !known {
		return nil
	}
	return []string{
		fmt.Sprintf("time_to_first_token p99 <= %dms", l.ttft),
		fmt.Sprintf("inter_token_latency p99 <= %dms", l.tpot),
	}
}
