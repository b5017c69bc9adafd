package report

import (
	"fmt"
	"math"
	"strings"

	"headway/record"
)

// engineTitles are what people call the engines whose counters were read.
var engineTitles = map[string]string{"vllm": "vLLM", "sglang": "SGLang", "trtllm": "TensorRT-LLM",
	"dynamo_frontend": "Dynamo's frontend", "dynamo_router": "Dynamo's router", "dynamo_worker": "Dynamo's worker",
	"llm_d": "llm-d's endpoint picker"}

// Sources of a hit rate.
const (
	hitsCluster = "the simulated cluster"
	hitsUsage   = "usage of the replies"
	hitsRouter  = "the router's word in the replies"
)

// HitRate is the share of prompt tokens that were cached, 0 to 1, and where that is
// from: the account of a simulated cluster, the usage of the replies, the counters of
// the servers, or what the router says of each request, whichever there is first. NaN
// and "" where nobody says it.
func (r *Report) HitRate() (share float64, source string) {
	if c := r.Run.Cluster; c != nil {
		return float64(c.HitRate), hitsCluster
	}
	if s, ok := r.Result.Scalar("overall_usage_prompt_cache_read_pct"); ok {
		return s.Value, hitsUsage
	}
	if share, engine := countedHits(r.Run.Servers); engine != "" {
		return share, "counters of " + engineTitles[engine] + " (/metrics)"
	}
	if share := r.Result.Workers.HitRate; !math.IsNaN(share) {
		return share, hitsRouter
	}
	return math.NaN(), ""
}

// countedHits is the share by the counters of the first kind of engine, of all its
// sources, that counted any prompt; "" where there is none. More hits than queries
// are no count.
func countedHits(c *record.ServerCounters) (share float64, engine string) {
	if c == nil {
		return math.NaN(), ""
	}
	for _, name := range []string{"vllm", "sglang", "trtllm", "dynamo_frontend", "dynamo_router"} {
		hits, queries := 0.0, 0.0
		for _, s := range c.Sources {
			h, known := s.Moved["prefix_hits"]
			q, asked := s.Moved["prefix_queries"]
			reports, reported := s.Moved["prefix_reports"]
			if s.Engine == name && known && asked && (!reported || reports > 0) {
				hits, queries = hits+h, queries+q
			}
		}
		if queries > 0 && hits <= queries {
			return hits / queries, name
		}
	}
	return math.NaN(), ""
}

// hitLine says it below the tables of a run, where no table has it.
func (r *Report) hitLine() string {
	share, source := r.HitRate()
	if source == "" || source == hitsCluster || source == hitsUsage || math.IsNaN(share) {
		return ""
	}
	return fmt.Sprintf("Prefix cache: %s %% of the prompts were cached, by %s", percent(share), source)
}

// hitSources say where the hit rates of several runs are from; "" where all are of
// the replies' usage or simulated.
func hitSources(runs []workerRun) string {
	var all []string
	for _, run := range runs {
		share, source := run.report.HitRate()
		if source != "" && source != hitsCluster && source != hitsUsage && !math.IsNaN(share) {
			all = append(all, strings.Join(run.keys, " ")+": "+source)
		}
	}
	if all == nil {
		return ""
	}
	return "Hit % is from the usage of the replies, but for " + strings.Join(all, "; ")
}
