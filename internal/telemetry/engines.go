package telemetry

// The engines that are known. Where one page is of several, the first that has a
// quantity is believed: engines count what they did, front ends what they heard.
const (
	VLLM           = "vllm"
	SGLang         = "sglang"
	TensorRTLLM    = "trtllm"
	DynamoFrontend = "dynamo_frontend"
	DynamoRouter   = "dynamo_router"
	DynamoWorker   = "dynamo_worker" // what it says beside its engine
	EndpointPicker = "llm_d"         // the endpoint picker of llm-d
)

// engine is how one of them calls the quantities.
type engine struct {
	name, kind string
	rules      []rule
	identity   []string // labels that name a part of it, which is told apart
	device     string   // the label with that part's own id
	pod        string   // the label with the pod that has it
}

// rule is what a quantity is called: the first of the names that a page has, with
// all series of it; plus is added to it where it is there.
type rule struct {
	quantity Quantity
	names    []string
	plus     string
	// scale makes base units of it, 0 is 1; mask makes 1 of a value that has one of
	// these bits, and 0 of another.
	scale float64
	mask  uint64
	// label chooses series by what it is, or is not.
	label     string
	is, isNot []string
}

// engines are their tables. Names were read on vLLM 0.25, SGLang 0.5.15 and Dynamo
// 1.6.1 themselves; those of TensorRT-LLM, of llm-d (averages over the pods of its pool)
// and of SGLang's retractions are of their documentation. Older names stand behind
// newer ones.
var engines = []engine{
	{name: VLLM, kind: KindServer, rules: []rule{
		{quantity: Running, names: []string{"vllm:num_requests_running"}},
		{quantity: Waiting, names: []string{"vllm:num_requests_waiting"}},
		{quantity: KVUsage, names: []string{"vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"}},
		{quantity: Preemptions, names: []string{"vllm:num_preemptions_total"}},
		{quantity: PrefixHits, names: []string{"vllm:prefix_cache_hits_total", "vllm:gpu_prefix_cache_hits_total"}},
		{quantity: PrefixQueries, names: []string{"vllm:prefix_cache_queries_total",
			"vllm:gpu_prefix_cache_queries_total"}},
		{quantity: PromptTokens, names: []string{"vllm:prompt_tokens_total"}},
		{quantity: GeneratedTokens, names: []string{"vllm:generation_tokens_total"}},
		{quantity: Requests, names: []string{"vllm:request_success_total"}},
		{quantity: Drafted, names: []string{"vllm:spec_decode_num_draft_tokens_total"}},
		{quantity: Accepted, names: []string{"vllm:spec_decode_num_accepted_tokens_total"}},
		{quantity: QueueTime, names: []string{"vllm:request_queue_time_seconds"}},
		{quantity: PrefillTime, names: []string{"vllm:request_prefill_time_seconds"}},
		{quantity: ServerTTFT, names: []string{"vllm:time_to_first_token_seconds"}},
		{quantity: ServerITL, names: []string{"vllm:inter_token_latency_seconds",
			"vllm:time_per_output_token_seconds"}},
		{quantity: ServerLatency, names: []string{"vllm:e2e_request_latency_seconds"}},
	}},
	{name: SGLang, kind: KindServer, rules: []rule{
		{quantity: Running, names: []string{"sglang:num_running_reqs"}},
		{quantity: Waiting, names: []string{"sglang:num_queue_reqs"}},
		{quantity: KVUsage, names: []string{"sglang:token_usage"}},
		{quantity: PrefixHits, names: []string{"sglang:cached_tokens_total"}},
		{quantity: PrefixQueries, names: []string{"sglang:prompt_tokens_total"}},
		{quantity: PromptTokens, names: []string{"sglang:prompt_tokens_total"}},
		{quantity: GeneratedTokens, names: []string{"sglang:generation_tokens_total"}},
		{quantity: Requests, names: []string{"sglang:num_requests_total"}},
		{quantity: Preemptions, names: []string{"sglang:num_retracted_requests_total"}},
		{quantity: Retracted, names: []string{"sglang:num_retracted_reqs"}},
		{quantity: AcceptRate, names: []string{"sglang:spec_accept_rate"}},
		{quantity: QueueTime, names: []string{"sglang:queue_time_seconds"}},
		{quantity: ServerTTFT, names: []string{"sglang:time_to_first_token_seconds"}},
		{quantity: ServerITL, names: []string{"sglang:inter_token_latency_seconds"}},
		{quantity: ServerLatency, names: []string{"sglang:e2e_request_latency_seconds"}},
	}},
	{name: TensorRTLLM, kind: KindServer, rules: []rule{
		{quantity: Running, names: []string{"trtllm_num_requests_running"}},
		{quantity: Waiting, names: []string{"trtllm_num_requests_waiting"}},
		{quantity: KVUsage, names: []string{"trtllm_kv_cache_utilization"}},
		{quantity: PrefixHits, names: []string{"trtllm_kv_cache_reused_blocks_total"}},
		{quantity: PrefixQueries, names: []string{"trtllm_kv_cache_reused_blocks_total"},
			plus: "trtllm_kv_cache_missed_blocks_total"},
		{quantity: PromptTokens, names: []string{"trtllm_prompt_tokens_total"}},
		{quantity: GeneratedTokens, names: []string{"trtllm_generation_tokens_total"}},
		{quantity: Requests, names: []string{"trtllm_request_success_total"}},
		{quantity: QueueTime, names: []string{"trtllm_request_queue_time_seconds"}},
		{quantity: PrefillTime, names: []string{"trtllm_request_prefill_time_seconds"}},
		{quantity: ServerTTFT, names: []string{"trtllm_time_to_first_token_seconds"}},
		{quantity: ServerITL, names: []string{"trtllm_time_per_output_token_seconds"}},
		{quantity: ServerLatency, names: []string{"trtllm_e2e_request_latency_seconds"}},
	}},
	{name: DynamoFrontend, kind: KindServer, rules: []rule{
		{quantity: Running, names: []string{"dynamo_frontend_inflight_requests"}},
		{quantity: Waiting, names: []string{"dynamo_frontend_queued_requests"}},
		{quantity: PrefixHits, names: []string{"dynamo_frontend_cached_tokens_sum"}},
		{quantity: PrefixQueries, names: []string{"dynamo_frontend_input_sequence_tokens_sum"}},
		{quantity: PrefixReports, names: []string{"dynamo_frontend_cached_tokens_count"}},
		{quantity: PromptTokens, names: []string{"dynamo_frontend_input_sequence_tokens_sum"}},
		{quantity: GeneratedTokens, names: []string{"dynamo_frontend_output_tokens_total"}},
		{quantity: ServerTTFT, names: []string{"dynamo_frontend_time_to_first_token_seconds"}},
		{quantity: ServerITL, names: []string{"dynamo_frontend_inter_token_latency_seconds"}},
		{quantity: ServerLatency, names: []string{"dynamo_frontend_request_duration_seconds"}},
	}},
	{name: DynamoRouter, kind: KindServer, rules: []rule{
		{quantity: PrefixHits, names: []string{"dynamo_component_router_kv_selected_cached_prefix_tokens_total"}},
		{quantity: PrefixQueries, names: []string{"dynamo_component_router_input_sequence_tokens_sum"}},
		{quantity: PrefixReports, names: []string{"dynamo_component_router_kv_hit_rate_count"}},
		{quantity: Requests, names: []string{"dynamo_component_router_requests_total"}},
		{quantity: ServerTTFT, names: []string{"dynamo_component_router_time_to_first_token_seconds"}},
		{quantity: ServerITL, names: []string{"dynamo_component_router_inter_token_latency_seconds"}},
	}},
	{name: DynamoWorker, kind: KindServer, rules: []rule{
		{quantity: KVUsage, names: []string{"dynamo_component_gpu_cache_usage_percent"}},
	}},
	{name: EndpointPicker, kind: KindServer, rules: []rule{
		{quantity: KVUsage, names: []string{"inference_pool_average_kv_cache_utilization"}},
		{quantity: Waiting, names: []string{"inference_pool_average_queue_size"}},
		{quantity: Running, names: []string{"inference_pool_average_running_requests"}},
	}},
	{name: DCGM, kind: KindGPU, rules: dcgm, identity: dcgmIdentity, device: "UUID", pod: "pod"},
	{name: NodeExporter, kind: KindHost, rules: node},
}

// wanted are all names of the tables.
var wanted = known()

func known() map[string]bool {
	all := map[string]bool{}
	for _, e := range engines {
		for _, r := range e.rules {
			for _, name := range append([]string{r.plus}, r.names...) {
				for _, end := range r.quantity.endings() {
					all[name+end] = name != ""
				}
			}
		}
	}
	return all
}

// endings are what the names of a quantity's series end in.
func (q Quantity) endings() []string {
	if traits[q].form == histogram {
		return []string{"_" + string(Bucket), "_" + string(Sum), "_" + string(Count)}
	}
	return []string{""}
}

// kindOf is what an engine tells of.
func kindOf(name string) string {
	for _, e := range engines {
		if e.name == name {
			return e.kind
		}
	}
	return KindGPU // nvidia-smi has no page
}
