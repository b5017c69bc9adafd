package main

// The lists below are what results call x-defects-avoided: where Dynamo's
// profiler is known to err and is not followed, by the names under which
// docs/profiling.md, docs/sla.md and docs/kubernetes.md explain it.

// sweepAvoided are those of a measurement in depth.
func sweepAvoided() []string {
	return []string{
		"ranks-twice: the number of requests is multiplied by the attention ranks once, not twice",
		"full-cache: whole blocks and the engine's watermark count, so that no request is preempted while it is measured",
		"zero-step: a granularity of 1 and a step of 0 are refused",
		"longest-prompt: there are always granularity + 1 prompt lengths",
		"three-lengths: no profile of 3 prompt lengths, which the planner cannot read",
		"single-sample: every point has repeats and a spread",
		"burst-tokens: the tokens of a burst's earlier prompts are not part of TTFT",
		"unchecked-fill: that the run which fills the cache was answered is checked",
		"unchecked-cache: where the server says what it found in its cache, it is held against what the mode needs",
		"one-failure: a point that fails is left out, and the rest is measured",
	}
}

// searchAvoided are those of a search.
func searchAvoided() []string {
	return []string{
		"one-candidate: a timeout or a crash ends the candidate, not the search",
		"one-request: a candidate's prefill TTFT is not a single sample",
		"ranks-squared: concurrencies of workers with attention ranks have that factor once",
		"empty-minimum: no measured prefill is an error that names every candidate's reason",
		"three-names: what is a mixture of experts is read from the configuration",
		"no-memory: a candidate that cannot fit the memory is never deployed",
	}
}

// configAvoided are those of the configurations that are written.
func configAvoided() []string {
	return []string{
		"tp-multinode: TP beyond one node sets multinode.nodeCount",
		"even-nodes: GPUs are asked for as they divide over nodes",
		"stale-parallel-flags: a mapping takes out the flags of every other",
		"decode-disaggregation-flags: vLLM's decode worker loses its disaggregation flags when it takes whole requests",
		"dp-lm-head: SGLang's --enable-dp-lm-head is set only with DP attention",
		"trtllm-experts: TEP and DEP on TensorRT-LLM are set",
		"model-path-twice: a model's folder below the mount path is not put below it again",
		"shell-arguments: a script keeps its pipes, redirections and comments",
	}
}

// clusterAvoided are those of running candidates in a cluster.
func clusterAvoided() []string {
	return []string{
		"trtllm-kv-default: a log of TensorRT-LLM without a cache size is an error, not 100,000 tokens",
		"kv-zero: a log of another backend without a cache size is an error, not an empty sweep",
		"name-length: names never exceed what the operator takes",
		"dynamo-namespace: candidates side by side do not find each other's workers",
	}
}

// avoided are those that a search's result could have had.
func (c *slaCmd) avoided() []string {
	list := append(searchAvoided(), configAvoided()...)
	if c.On == "kube" {
		list = append(list, clusterAvoided()...)
	}
	if c.Curves {
		list = append(list, sweepAvoided()...)
	}
	return list
}
