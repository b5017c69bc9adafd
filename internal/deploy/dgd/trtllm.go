package dgd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"

	"headway/internal/model"
)

// trtllm edits python3 -m dynamo.trtllm, whose settings are those of the
// engine's LLM arguments, as one JSON object.
type trtllm struct{}

// The flags by which the settings are given; a command has one kind of them.
const (
	overrideFlag  = "--override-engine-args"
	dynamicPrefix = "--trtllm."
)

func (trtllm) modelFlag() string { return "--model-path" }

func (trtllm) aggregate(c *commandLine, phase string, _ bool) error {
	c.drop("--disaggregation-mode", "--disaggregation-strategy")
	changes := settings{"cache_transceiver_config": nil}
	switch phase {
	case PhasePrefill:
		changes["kv_cache_config"] = settings{"enable_block_reuse": false}
		changes["disable_overlap_scheduler"] = false
	case PhaseDecode:
		changes["kv_cache_config"] = settings{"enable_block_reuse": true}
	}
	return override(c, changes)
}

func (trtllm) limit(c *commandLine, batch, tokens, _ int) error {
	c.drop("--max-batch-size", "--max-num-tokens")
	return override(c, settings{"max_batch_size": batch, "max_num_tokens": tokens})
}

func (trtllm) bound(c *commandLine, l Limits, _ int) error {
	changes := settings{}
	for _, x := range []struct {
		flag, setting string
		n             int
	}{
		{"--max-batch-size", "max_batch_size", l.Sequences},
		{"--max-num-tokens", "max_num_tokens", l.Tokens},
		{"--max-seq-len", "max_seq_len", l.Context},
	} {
		if x.n > 0 {
			c.drop(x.flag)
			changes[x.setting] = x.n
		}
	}
	if len(changes) == 0 {
		return nil
	}
	return override(c, changes)
}

func (trtllm) spread(c *commandLine, m model.Mapping, _ int) error {
	c.drop("--tensor-parallel-size", "--pipeline-parallel-size", "--expert-parallel-size")
	c.unset("--enable-attention-dp")
	changes := settings{
		"tensor_parallel_size":     m.Size,
		"pipeline_parallel_size":   absentSetting{},
		"moe_expert_parallel_size": absentSetting{},
		"moe_tensor_parallel_size": absentSetting{},
		"enable_attention_dp":      absentSetting{},
	}
	if m.Pipeline > 1 {
		changes["pipeline_parallel_size"] = m.Pipeline
	}
	if m.Kind != model.TP { // whole experts on each GPU
		changes["moe_expert_parallel_size"], changes["moe_tensor_parallel_size"] = m.Size, 1
		changes["enable_attention_dp"] = m.Kind == model.DEP
	}
	return override(c, changes)
}

// settings are LLM arguments; nested objects are settings too.
type settings = map[string]any

// absentSetting takes a setting out.
type absentSetting struct{}

// override merges changes into the settings of a command. Those given by
// several flags, or as --trtllm.KEY VALUE, come together in one JSON object:
// the engine takes only one kind.
func override(c *commandLine, changes settings) error {
	now := settings{}
	for i := c.index(0, overrideFlag); i >= 0; i = c.index(i+1, overrideFlag) {
		v, _ := c.valueAt(i)
		given, err := readSettings(v)
		if err != nil {
			return fmt.Errorf("%s %q: %w", overrideFlag, clip(v), err)
		}
		merge(now, given)
	}
	for i := c.first; i < len(c.list); {
		name := c.list[i].value
		if !strings.HasPrefix(name, dynamicPrefix) {
			i++
			continue
		}
		v, _ := c.valueAt(i)
		name, _, _ = strings.Cut(strings.TrimPrefix(name, dynamicPrefix), "=")
		var value any
		if err := yaml.Unmarshal([]byte(v), &value); err != nil {
			value = v
		}
		if v == "none" {
			value = nil
		}
		steps := strings.Split(name, ".")
		for j := len(steps) - 1; j >= 0; j-- {
			value = settings{steps[j]: value}
		}
		merge(now, value.(settings))
		c.cut(i)
	}
	merge(now, changes)
	j, err := json.Marshal(now)
	if err != nil {
		return fmt.Errorf("%s: %w", overrideFlag, err)
	}
	c.set(string(j), overrideFlag)
	return nil
}

func readSettings(v string) (settings, error) {
	decoder := json.NewDecoder(bytes.NewReader([]byte(v)))
	decoder.UseNumber()
	var s settings
	if err := decoder.Decode(&s); err != nil {
		return nil, fmt.Errorf("it is no JSON object: %w", err)
	}
	if decoder.More() {
		return nil, fmt.Errorf("there is more behind the JSON object")
	}
	return s, nil
}

// merge puts changes into settings; objects are merged key by key.
func merge(into, changes settings) {
	for k, v := range changes {
		inner, isMap := v.(settings)
		old, was := into[k].(settings)
		_, gone := v.(absentSetting)
		switch {
		case gone:
			delete(into, k)
		case isMap && was:
			merge(old, inner)
		case isMap:
			fresh := settings{}
			merge(fresh, inner)
			into[k] = fresh
		default:
			into[k] = v
		}
	}
}
