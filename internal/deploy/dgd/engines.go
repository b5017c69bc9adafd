package dgd

import (
	"strconv"

	"headway/internal/model"
)

// sglang edits python3 -m dynamo.sglang.
type sglang struct{}

func (sglang) modelFlag() string { return "--model-path" }

func (sglang) aggregate(c *commandLine, phase string, mixture bool) error {
	c.drop("--disaggregation-mode", "--disaggregation-transfer-backend", "--disaggregation-bootstrap-port")
	switch phase {
	case PhasePrefill:
		c.add("--disable-radix-cache")
	case PhaseDecode:
		c.unset("--disable-radix-cache")
		if mixture { // a prompt that is sent again must find the rank that has it
			c.set("round_robin", "--load-balance-method")
		}
	}
	return nil
}

func (sglang) limit(c *commandLine, batch, tokens, ranks int) error {
	c.set(strconv.Itoa(batch), "--max-running-requests")
	c.set(strconv.Itoa(tokens), "--chunked-prefill-size")
	if ranks > 1 { // refused by the engine without attention DP
		c.add("--enable-dp-lm-head")
	}
	return nil
}

func (sglang) bound(c *commandLine, l Limits, ranks int) error {
	bounds(c, l.Sequences*ranks, "--max-running-requests")
	bounds(c, l.Tokens*ranks, "--chunked-prefill-size")
	bounds(c, l.Context, "--context-length")
	return nil
}

// bounds sets a limit, if there is one.
func bounds(c *commandLine, n int, flag string) {
	if n > 0 {
		c.set(strconv.Itoa(n), flag)
	}
}

func (sglang) spread(c *commandLine, m model.Mapping, _ int) error {
	size := strconv.Itoa(m.Size)
	c.set(size, "--tp", "--tp-size", "--tensor-parallel-size")
	if m.Kind == model.DEP {
		c.set(size, "--dp", "--dp-size", "--data-parallel-size")
		c.add("--enable-dp-attention")
	} else {
		c.drop("--dp", "--dp-size", "--data-parallel-size")
		c.unset("--enable-dp-attention", "--enable-dp-lm-head")
	}
	if m.Kind == model.TP {
		c.drop("--ep", "--ep-size", "--expert-parallel-size")
	} else {
		c.set(size, "--ep", "--ep-size", "--expert-parallel-size")
	}
	pipeline(c, m, "--pp-size", "--pipeline-parallel-size", "--pp")
	return nil
}

// pipeline sets over how many stages layers are spread, or takes it out.
func pipeline(c *commandLine, m model.Mapping, names ...string) {
	if m.Pipeline > 1 {
		c.set(strconv.Itoa(m.Pipeline), names...)
		return
	}
	c.drop(names...)
}

// vllm edits python3 -m dynamo.vllm.
type vllm struct{}

func (vllm) modelFlag() string { return "--model" }

func (vllm) aggregate(c *commandLine, phase string, _ bool) error {
	c.drop("--disaggregation-mode")
	c.unset("--is-prefill-worker", "--is-decode-worker")
	switch phase {
	case PhasePrefill:
		c.unset("--enable-prefix-caching")
		c.add("--no-enable-prefix-caching")
	case PhaseDecode:
		c.unset("--no-enable-prefix-caching")
		c.add("--enable-prefix-caching")
	}
	return nil
}

func (vllm) limit(c *commandLine, batch, tokens, ranks int) error {
	c.set(strconv.Itoa(batch), "--max-num-seqs")
	c.set(strconv.Itoa(tokens/ranks), "--max-num-batched-tokens")
	return nil
}

func (vllm) bound(c *commandLine, l Limits, _ int) error {
	bounds(c, l.Sequences, "--max-num-seqs")
	bounds(c, l.Tokens, "--max-num-batched-tokens")
	bounds(c, l.Context, "--max-model-len")
	return nil
}

func (vllm) spread(c *commandLine, m model.Mapping, gpusPerNode int) error {
	tensor, data := m.Size, 1
	if m.Kind == model.DEP {
		tensor, data = 1, m.Size
	}
	c.set(strconv.Itoa(tensor), "--tensor-parallel-size", "-tp", "--tp")
	hybrid := c.has("--data-parallel-hybrid-lb")
	if m.Kind == model.TP {
		c.drop("--data-parallel-size", "-dp", "--dp")
		c.unset("--enable-expert-parallel", "-ep")
	} else {
		c.set(strconv.Itoa(data), "--data-parallel-size", "-dp", "--dp")
		c.unset("-ep")
		c.add("--enable-expert-parallel")
	}
	if m.Kind == model.DEP && m.GPUs() > gpusPerNode && hybrid {
		c.set(strconv.Itoa(gpusPerNode), "--data-parallel-size-local", "-dpl")
	} else {
		c.drop("--data-parallel-size-local", "-dpl")
		c.unset("--data-parallel-hybrid-lb", "-dph")
	}
	pipeline(c, m, "--pipeline-parallel-size", "-pp", "--pp")
	return nil
}
