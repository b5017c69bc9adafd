package report

import (
	"math"
	"testing"

	"headway/metric"
	"headway/record"
)

// The first engine that counted prompts is believed, over all its sources; what is no
// count is passed over, and a router's word in the replies comes last.
func TestHitRateOfCounters(t *testing.T) {
	source := func(engine string, hits, queries float64, reports ...float64) record.ServerSource {
		moved := map[string]float64{"prefix_hits": hits, "prefix_queries": queries}
		s := record.ServerSource{Engine: engine, Moved: moved}
		for _, n := range reports {
			s.Moved["prefix_reports"] = n
		}
		return s
	}
	unknown := record.ServerSource{Engine: "vllm", Moved: map[string]float64{"prefix_hits": 5}}
	for name, tt := range map[string]struct {
		sources []record.ServerSource
		told    float64
		share   float64
		by      string
	}{
		"two workers": {[]record.ServerSource{source("vllm", 10, 100), source("vllm", 40, 100),
			source("dynamo_frontend", 1, 2, 1)}, math.NaN(), 0.25, "counters of vLLM (/metrics)"},
		"none is zero": {[]record.ServerSource{source("sglang", 0, 100)}, 0.5, 0, "counters of SGLang (/metrics)"},
		"no reports": {[]record.ServerSource{source("dynamo_frontend", 0, 100, 0), source("dynamo_router", 30, 100, 9)},
			math.NaN(), 0.3, "counters of Dynamo's router (/metrics)"},
		"more hits than queries": {[]record.ServerSource{source("vllm", 200, 100)}, 0.4, 0.4, hitsRouter},
		"half of it":             {[]record.ServerSource{unknown}, math.NaN(), math.NaN(), ""},
		"no prompt":              {[]record.ServerSource{source("trtllm", 0, 0)}, math.NaN(), math.NaN(), ""},
	} {
		r := &Report{Result: &metric.Result{Workers: metric.Workers{HitRate: tt.told}}}
		r.Run.Servers = &record.ServerCounters{Sources: tt.sources}
		share, by := r.HitRate()
		if by != tt.by || share != tt.share && !(math.IsNaN(share) && math.IsNaN(tt.share)) {
			t.Errorf("%s: %v by %q", name, share, by)
		}
	}
}
