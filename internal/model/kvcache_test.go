package model

import (
	"strings"
	"testing"
)

// What a checkpoint says of the cache is the default of memory and steps; what
// the engine is told goes before it.
func TestKVCacheOfConfig(t *testing.T) {
	const fp8 = `{"num_bits":8,"type":"float"}`
	const groups = `"config_groups":{"g":{"weights":` + fp8 + `,"input_activations":` + fp8 + `}}`
	const scheme = `"kv_cache_scheme":{"num_bits":8,"type":"float","strategy":"tensor","dynamic":false,` +
		`"symmetric":true}`
	for edits, want := range map[string]struct {
		element, weight float64
	}{
		``: {2, 2},
		`"quantization_config":{"quant_method":"fp8"}`:                                                      {2, 1},
		`"quantization_config":{"quant_method":"compressed-tensors",` + groups + `,` + scheme + `}`:         {1, 1},
		`"compression_config":{"quant_method":"compressed-tensors",` + groups + `,` + scheme + `}`:          {1, 1},
		`"quantization_config":{"quant_method":"compressed-tensors",` + groups + `,"kv_cache_scheme":null}`: {2, 1},
		`"quantization_config":{"quant_method":"compressed-tensors","config_groups":{},` + scheme + `}`:     {1, 2},
		`"quantization_config":{"quant_method":"modelopt","quant_algo":"FP8","kv_cache_quant_algo":"FP8"}`:  {1, 1},
		`"quantization_config":{"quant_algo":"NVFP4",` +
			`"kv_cache_quant_algo":"FP8"}`: {1, 0.5625},
		`"quantization_config":{"quant_algo":"NVFP4",` +
			`"kv_cache_quant_algo":"NVFP4"}`: {0.5625, 0.5625},
		`"quantization_config":{"quant_method":"modelopt","quant_algo":"FP8","kv_cache_quant_algo":null}`: {2, 1},
		`"quantization_config":{"quant_algo":null,"kv_cache_quant_algo":"FP8"}`:                           {1, 2},
		`"quantization_config":{"quant_method":"modelopt","quant_algo":"FP8",` + scheme + `}`:             {1, 1},
		`"kv_cache_quant_algo":"FP8"`: {1, 2},
	} {
		m, err := Parse(withKeys(edits))
		if err != nil {
			t.Errorf("%s: %v", edits, err)
			continue
		}
		if got := m.KVElementBytes(); got != want.element || m.linearBytes() != want.weight {
			t.Errorf("%s: %g bytes a value of the cache and %g a weight, want %g and %g",
				edits, got, m.linearBytes(), want.element, want.weight)
		}
	}
	for edits, want := range map[string]string{
		`"quantization_config":{"quant_algo":"FP8","kv_cache_quant_algo":"FP3"}`: `kv_cache_quant_algo "FP3"`,
		`"quantization_config":{"quant_method":"fp8",` +
			`"kv_cache_scheme":{"type":"float"}}`: "kv_cache_scheme.num_bits is 0",
		`"quantization_config":{"quant_method":"fp8","kv_cache_scheme":7}`: "kv_cache_scheme",
	} {
		if _, err := Parse(withKeys(edits)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", edits, err, want)
		}
	}
}

func TestKVElementBytes(t *testing.T) {
	for name, want := range map[string]float64{
		"": 0, "auto": 0, "bf16": 2, "float16": 2, "fp8": 1, "FP8_E5M2": 1, "int8": 1, "nvfp4": 0.5625, "fp32": 4,
	} {
		if got, err := KVElementBytes(name); err != nil || got != want {
			t.Errorf("%s: %g, %v, want %g", name, got, err, want)
		}
	}
	if _, err := KVElementBytes("fp9"); err == nil || !strings.Contains(err.Error(), "fp8_e4m3") {
		t.Errorf("fp9: %v", err)
	}
}

// An FP8 cache holds twice the tokens, and decoding reads half as much of it.
func TestFP8Cache(t *testing.T) {
	s := setup(t, "Llama-3.1-8B", "h200", "TP=1")
	fp8 := s
	fp8.Model.Quantization.KVBits = 8
	told := s
	told.KVElementBytes = 1
	memory := func(s Setup) Memory {
		m, err := s.Memory()
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	plain, small := memory(s), memory(fp8)
	if small.KVPerToken != plain.KVPerToken/2 || small.Tokens() < 2*plain.Tokens()-1 || memory(told) != small {
		t.Errorf("%d tokens of %g bytes, %d of %g", plain.Tokens(), plain.KVPerToken, small.Tokens(), small.KVPerToken)
	}
	read := func(s Setup) float64 {
		r := roofline(t, s)
		return (r.StepTime(0, 0, 8, 800_000) - r.StepTime(0, 0, 8, 0)).Seconds()
	}
	near(t, "reading an FP8 cache", read(fp8), read(s)/2, 0.01)
	over := fp8
	over.KVElementBytes = 2
	if memory(over) != plain || read(over) != read(s) {
		t.Error("what the engine is told does not go before what the checkpoint says")
	}
}
