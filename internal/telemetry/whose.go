package telemetry

import "strings"

// makers are what begins the names of metrics, and whose such metrics are: engines
// whose counters are read, and others that a page may be of.
var makers = []struct{ prefix, name string }{
	{"vllm:", "vLLM"},
	{"sglang:", "SGLang"}, {"sglang_", "SGLang"},
	{"trtllm_", "TensorRT-LLM"},
	{"dynamo_", "Dynamo"},
	{"inference_extension_", "the inference gateway"}, {"inference_pool_", "the inference gateway"},
	{"llm_d_", "llm-d"},
	{"tgi_", "TGI"},
}

// Whose is the server, as people call it, that a metric of this name is of; empty
// where it is of none that is known.
func Whose(metric string) string {
	for _, m := range makers {
		if strings.HasPrefix(metric, m.prefix) {
			return m.name
		}
	}
	return ""
}
