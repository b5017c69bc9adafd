package main

import "headway/internal/engine"

// idle refuses options of the simulated cluster that were given and can have no
// effect beside the others: --gpu without a roofline would show the times of no
// GPU under its name. kv says that a router in mode kv takes part, and mode how
// to ask for one.
func (f *clusterFlags) idle(bad *faultList, given map[string]bool, kv bool, mode string) {
	roofline, prefill := f.Timing == "roofline", f.PrefillWorkers > 0
	bad.dependents(given, []dependents{
		{!roofline, "gpu pp gpu-memory-utilization kv-cache-dtype compute-efficiency memory-efficiency", "--timing roofline"},
		{roofline && f.Blocks > 0, "gpu-memory-utilization", "KV blocks that follow from the memory, and --num-gpu-blocks-override sets them"},
		{f.Engine != string(engine.SGLang), "sglang-schedule-policy sglang-max-prefill-tokens sglang-chunked-prefill-size " +
			"sglang-clip-max-new-tokens sglang-schedule-conservativeness", "--engine-type sglang"},
		{f.Engine == string(engine.SGLang), "watermark", "another --engine-type: SGLang's admission estimates the growth instead"},
		{f.Engine == string(engine.TRTLLM), "preemption-mode", "another --engine-type: with trtllm nothing is ever preempted"},
		{!prefill, "kv-transfer-bandwidth kv-transfer-timing-mode kv-bytes-per-token", "--prefill-workers"},
		{prefill && f.BytesPerToken == 0 && !roofline, "kv-transfer-bandwidth kv-transfer-timing-mode", "--kv-bytes-per-token"},
		{true, "router-host-cache-hit-weight", "a cache in the host's memory, which simulated workers do not have"},
		{true, "router-disk-cache-hit-weight", "a cache on disk, which simulated workers do not have"},
		{!kv, "router-kv-overlap-score-credit router-kv-overlap-score-credit-decay router-prefill-load-scale " +
			"router-active-request-weight router-temperature router-kv-events kv-event-delay router-ttl-secs router-max-tree-size " +
			"router-prune-target-ratio router-track-active-blocks router-assume-kv-reuse router-track-output-blocks " +
			"router-track-prefill-tokens router-queue-threshold router-queue-policy use-expected-osl", mode},
		{kv && f.KVEvents, "router-ttl-secs router-max-tree-size router-prune-target-ratio", "--no-router-kv-events"},
		{kv && !f.KVEvents, "kv-event-delay", "--router-kv-events"},
		{kv && !f.TrackActive, "router-assume-kv-reuse", "--router-track-active-blocks"},
		{kv && f.Threshold == 0, "router-queue-policy", "--router-queue-threshold above 0"},
	})
}

// idleNote is what to say where replies' lengths are told to a router that
// does not count their blocks, which scripts do all the same.
func (f *routerFlags) idleNote(kv bool) string {
	if kv && f.ExpectedOSL && !f.TrackOutput {
		return "--use-expected-osl: has no effect on the simulated router without --router-track-output-blocks"
	}
	return ""
}
