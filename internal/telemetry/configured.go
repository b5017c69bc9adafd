package telemetry

import (
	"bytes"
	"math"
	"strconv"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// Configured is what an engine says of how it was started. What it does not say is
// zero.
type Configured struct {
	Engine string
	// KVTokens are what its cache holds, BlockSize what a block of it does.
	KVTokens, BlockSize int
	// Busy is how many requests run or wait there now.
	Busy int
}

// configuring are the names that say how an engine was started. vLLM has labels of
// one series, SGLang has values.
var configuring = []string{"vllm:cache_config_info", "vllm:num_requests_running", "vllm:num_requests_waiting",
	"sglang:max_total_num_tokens", "sglang:page_size", "sglang:num_running_reqs", "sglang:num_queue_reqs"}

// ReadConfigured finds in a page of metrics how the engine was started; ok says that
// the page is one of vLLM or SGLang. A page of several engines, each of a cache of its
// own, is believed in what its first series say.
func ReadConfigured(page []byte) (c Configured, ok bool) {
	names := map[string]bool{}
	for _, n := range configuring {
		names[n] = true
	}
	lines, n := relevant(page, names)
	p := expfmt.NewTextParser(model.UTF8Validation)
	families, err := p.TextToMetricFamilies(bytes.NewReader(lines))
	if err != nil || n > MostSamples {
		return c, false
	}
	value := func(name string) int { return valueOf(families[name]) }
	switch {
	case families["vllm:cache_config_info"] != nil:
		labels := families["vllm:cache_config_info"].Metric[0].Label
		c = Configured{Engine: VLLM, BlockSize: sizeOf(labels, "block_size"),
			Busy: value("vllm:num_requests_running") + value("vllm:num_requests_waiting")}
		c.KVTokens = c.BlockSize * sizeOf(labels, "num_gpu_blocks")
	case families["sglang:max_total_num_tokens"] != nil:
		c = Configured{Engine: SGLang, KVTokens: value("sglang:max_total_num_tokens"),
			BlockSize: value("sglang:page_size"),
			Busy:      value("sglang:num_running_reqs") + value("sglang:num_queue_reqs")}
	default:
		return c, false
	}
	return c, true
}

// mostOf bounds what is believed: no cache of today has so many tokens.
const mostOf = 1 << 40

func valueOf(f *dto.MetricFamily) int {
	if f == nil || len(f.Metric) == 0 {
		return 0
	}
	v := f.Metric[0].GetUntyped().GetValue()
	if math.IsNaN(v) || v < 0 || v > mostOf {
		return 0
	}
	return int(v)
}

// sizeOf is a label that is a size; 0 where it is none.
func sizeOf(labels []*dto.LabelPair, name string) int {
	n, err := strconv.Atoi(labelOf(labels, name))
	if err != nil || n < 0 || n >= mostOf {
		return 0
	}
	return n
}
