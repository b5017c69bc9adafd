package model

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The configurations whose facts are inside, as their publishers write them
// but for keys that are not read.
var publishedConfigs = map[string]string{
	"Llama-3.1-8B": `{"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_act":"silu","hidden_size":4096,"intermediate_size":14336,
		"max_position_embeddings":131072,"num_attention_heads":32,"num_hidden_layers":32,"num_key_value_heads":8,
		"rope_scaling":{"factor":8.0,"original_max_position_embeddings":8192},"tie_word_embeddings":false,"torch_dtype":"bfloat16","vocab_size":128256}`,
	"Llama-3.1-70B": `{"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":8192,"intermediate_size":28672,
		"max_position_embeddings":131072,"num_attention_heads":64,"num_hidden_layers":80,"num_key_value_heads":8,
		"tie_word_embeddings":false,"torch_dtype":"bfloat16","vocab_size":128256}`,
	"Qwen3-0.6B": `{"architectures":["Qwen3ForCausalLM"],"model_type":"qwen3","head_dim":128,"hidden_size":1024,"intermediate_size":3072,
		"max_position_embeddings":40960,"max_window_layers":28,"num_attention_heads":16,"num_hidden_layers":28,"num_key_value_heads":8,
		"sliding_window":null,"use_sliding_window":false,"tie_word_embeddings":true,"torch_dtype":"bfloat16","vocab_size":151936}`,
	"Qwen3-32B-FP8": `{"architectures":["Qwen3ForCausalLM"],"model_type":"qwen3","head_dim":128,"hidden_size":5120,"intermediate_size":25600,
		"max_position_embeddings":40960,"max_window_layers":64,"num_attention_heads":64,"num_hidden_layers":64,"num_key_value_heads":8,
		"sliding_window":null,"use_sliding_window":false,"tie_word_embeddings":false,"torch_dtype":"bfloat16","vocab_size":151936,
		"quantization_config":{"activation_scheme":"dynamic","fmt":"e4m3","quant_method":"fp8","weight_block_size":[128,128]}}`,
	"Qwen3-235B-A22B": `{"architectures":["Qwen3MoeForCausalLM"],"model_type":"qwen3_moe","decoder_sparse_step":1,"head_dim":128,"hidden_size":4096,
		"intermediate_size":12288,"max_position_embeddings":40960,"max_window_layers":94,"mlp_only_layers":[],"moe_intermediate_size":1536,
		"num_attention_heads":64,"num_experts":128,"num_experts_per_tok":8,"num_hidden_layers":94,"num_key_value_heads":4,
		"sliding_window":null,"use_sliding_window":false,"tie_word_embeddings":false,"torch_dtype":"bfloat16","vocab_size":151936}`,
	"DeepSeek-V3": `{"architectures":["DeepseekV3ForCausalLM"],"model_type":"deepseek_v3","first_k_dense_replace":3,"hidden_size":7168,
		"intermediate_size":18432,"kv_lora_rank":512,"max_position_embeddings":163840,"moe_intermediate_size":2048,"moe_layer_freq":1,
		"n_routed_experts":256,"n_shared_experts":1,"num_attention_heads":128,"num_experts_per_tok":8,"num_hidden_layers":61,
		"num_key_value_heads":128,"num_nextn_predict_layers":1,"q_lora_rank":1536,"qk_nope_head_dim":128,"qk_rope_head_dim":64,
		"tie_word_embeddings":false,"torch_dtype":"bfloat16","v_head_dim":128,"vocab_size":129280,
		"quantization_config":{"activation_scheme":"dynamic","fmt":"e4m3","quant_method":"fp8","weight_block_size":[128,128]}}`,
}

func TestParsePublished(t *testing.T) {
	for name, config := range publishedConfigs {
		got, err := Parse([]byte(config))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := known(t, name)
		want.Name = ""
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: the table (-) and the configuration (+) differ:\n%s", name, d)
		}
	}
}

// base is a small dense model; edits replace or add keys, null removes.
func withKeys(edits string) []byte {
	base := `{"num_hidden_layers":4,"hidden_size":64,"num_attention_heads":8,"vocab_size":100,` +
		`"intermediate_size":256,"torch_dtype":"float16","tie_word_embeddings":false`
	if edits != "" {
		base += "," + edits
	}
	return []byte(base + "}")
}

// parseFactsCases are the cases of TestParseFacts.
var parseFactsCases = []struct {
	name, edits string
	want        func(Model) any
	value       any
}{
	{"KV heads default to heads", "", func(m Model) any { return m.KVHeads }, 8},
	{"head dim from hidden", "", func(m Model) any { return m.HeadDim }, 8},
	{"head dim explicit", `"head_dim":32`, func(m Model) any { return m.HeadDim }, 32},
	{"multi query", `"multi_query":true`, func(m Model) any { return m.KVHeads }, 1},
	{"other KV name", `"num_kv_heads":2`, func(m Model) any { return m.KVHeads }, 2},
	{"context order", `"sliding_window":7,"seq_length":9,"n_positions":8`,
		func(m Model) any { return m.Context }, 8},
	{"context from the window", `"sliding_window":7`, func(m Model) any { return m.Context }, 7},
	{"no context", "", func(m Model) any { return m.Context }, 0},
	{"window everywhere", `"sliding_window":7`, func(m Model) any { return m.SlidingLayers }, 4},
	{"window off", `"sliding_window":7,"use_sliding_window":false`,
		func(m Model) any { return m.SlidingWindow }, 0},
	{"window by pattern", `"sliding_window":7,"sliding_window_pattern":3`,
		func(m Model) any { return m.SlidingLayers }, 3},
	{"window after the first", `"sliding_window":7,"use_sliding_window":true,"max_window_layers":3`,
		func(m Model) any { return m.SlidingLayers }, 1},
	{"window by layer types", `"sliding_window":7,"layer_types":["sliding_attention","full_attention",` +
		`"sliding_attention","full_attention"]`,
		func(m Model) any { return m.SlidingLayers }, 2},
	{"one expert is dense", `"num_experts":1`, func(m Model) any { return m.IsMoE() }, false},
	{"zero experts are dense", `"num_local_experts":0`, func(m Model) any { return m.IsMoE() }, false},
	{"Mixtral", `"num_local_experts":8,"num_experts_per_tok":2`, func(m Model) any { return m.Experts },
		Experts{Total: 8, PerToken: 2, FFN: 256, Layers: 4}},
	{"Qwen2-MoE", `"num_experts":8,"num_experts_per_tok":2,"moe_intermediate_size":16,` +
		`"shared_expert_intermediate_size":96,"decoder_sparse_step":2`,
		func(m Model) any { return m.Experts },
		Experts{Total: 8, PerToken: 2, FFN: 16, Shared: 1, SharedFFN: 96, Layers: 2, FirstDense: 1}},
	{"dense layers by list", `"num_experts":8,"num_experts_per_tok":2,"moe_intermediate_size":16,` +
		`"mlp_only_layers":[0,1]`,
		func(m Model) any { return m.Experts }, Experts{Total: 8, PerToken: 2, FFN: 16, Layers: 2, FirstDense: 2}},
	{"one flag per layer", `"n_routed_experts":8,"num_experts_per_tok":2,"moe_intermediate_size":16,` +
		`"moe_layer_freq":[0,1,1,1]`,
		func(m Model) any { return m.Experts }, Experts{Total: 8, PerToken: 2, FFN: 16, Layers: 3, FirstDense: 1}},
	{"Llama 4", `"num_local_experts":8,"num_experts_per_tok":1,"intermediate_size_mlp":512,` +
		`"interleave_moe_layer_step":2`,
		func(m Model) any { return m.Experts },
		Experts{Total: 8, PerToken: 1, FFN: 256, Shared: 1, SharedFFN: 256, Layers: 2, FirstDense: 1}},
	{"Llama 4's dense width", `"num_local_experts":8,"num_experts_per_tok":1,"intermediate_size_mlp":512,` +
		`"interleave_moe_layer_step":2`,
		func(m Model) any { return m.FFN }, 512},
	{"two shared experts", `"n_routed_experts":8,"num_experts_per_tok":2,"moe_intermediate_size":16,` +
		`"n_shared_experts":2`,
		func(m Model) any { return m.Experts.SharedFFN }, 32},
	{"no gate", `"model_type":"opt"`, func(m Model) any { return m.FFNMatrices }, 2},
	{"float32", `"dtype":"float32","torch_dtype":null`, func(m Model) any { return m.DTypeBytes }, 4.0},
	{"assumed type", `"torch_dtype":null`, func(m Model) any { return len(m.Assumed) }, 1},
	{"number written as 1e2", `"vocab_size":1e2`, func(m Model) any { return m.Vocab }, 100},
	{"nested", `"architectures":["Outer"],"text_config":{"num_hidden_layers":9,"vocab_size":null,` +
		`"architectures":["Inner"]},"vision_config":{"num_hidden_layers":2}`,
		func(m Model) any { return []any{m.Layers, m.Vocab, m.Architecture} }, []any{9, 100, "Outer"}},
	{"nested twice", `"thinker_config":{"text_config":{"num_hidden_layers":9}}`,
		func(m Model) any { return m.Layers }, 9},
	{"MLA without compressed queries", `"kv_lora_rank":16,"q_lora_rank":null,"qk_rope_head_dim":4,` +
		`"qk_nope_head_dim":8,"v_head_dim":8`,
		func(m Model) any { return m.MLA }, MLA{KVRank: 16, RopeDim: 4, NopeDim: 8, ValueDim: 8}},
}

func TestParseFacts(t *testing.T) {
	for _, c := range parseFactsCases {
		m, err := Parse(withKeys(c.edits))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := c.want(m); !reflect.DeepEqual(got, c.value) {
			t.Errorf("%s: got %v, want %v", c.name, got, c.value)
		}
	}
}

func TestParseGPT2(t *testing.T) {
	m, err := Parse([]byte(`{"architectures":["GPT2LMHeadModel"],"model_type":"gpt2","n_embd":768,"n_head":12,` +
		`"n_layer":12,"n_positions":1024,"n_inner":null,"vocab_size":50257}`))
	if err != nil {
		t.Fatal(err)
	}
	// 124 M with 0.8 M of position embeddings, which this package does not know.
	near(t, "GPT-2", m.Parameters().Total, 124.4e6, 0.01)
	if len(m.Assumed) != 3 || !m.Tied || m.Context != 1024 {
		t.Errorf("%+v", m)
	}
}

func TestQuantization(t *testing.T) {
	for _, c := range []struct {
		config string
		want   Quantization
		bytes  float64
	}{
		{`{"quant_method":"fp8"}`, Quantization{Method: "fp8", WeightBits: 8, Compute: FP8}, 1},
		{`{"quant_method":"awq","bits":4,"group_size":128}`,
			Quantization{Method: "awq", WeightBits: 4, ScaleBits: 20.0 / 128, Block: 128, Compute: BF16}, 0.51953125},
		{`{"quant_method":"gptq","bits":8,"group_size":-1}`,
			Quantization{Method: "gptq", WeightBits: 8, Compute: BF16}, 1},
		{`{"quant_method":"awq","w_bit":4,"q_group_size":64}`,
			Quantization{Method: "awq", WeightBits: 4, ScaleBits: 20.0 / 64, Block: 64, Compute: BF16}, 0.5390625},
		{`{"quant_method":"mxfp4",` +
			`"modules_to_not_convert":["lm_head"]}`, Quantization{Method: "mxfp4", WeightBits: 4, ScaleBits: 0.25,
			Block: 32, Compute: BF16, ExpertsOnly: true}, 0.53125},
		{`{"quant_method":"bitsandbytes","load_in_8bit":true}`,
			Quantization{Method: "bitsandbytes", WeightBits: 8, Compute: BF16}, 1},
		{`{"quant_algo":"NVFP4","group_size":16}`,
			Quantization{Method: "modelopt", WeightBits: 4, ScaleBits: 0.5, Block: 16, Compute: FP4}, 0.5625},
		{`{"quant_method":"compressed-tensors","config_groups":{"group_0":{"weights":{"num_bits":8,"type":"float",` +
			`"strategy":"channel"},"input_activations":{"num_bits":8,"type":"float"}}}}`,
			Quantization{Method: "compressed-tensors", WeightBits: 8, Compute: FP8}, 1},
		{`{"quant_method":"compressed-tensors","config_groups":{"group_0":{"weights":{"num_bits":8,"type":"int"},` +
			`"input_activations":{"num_bits":8,"type":"int"}}}}`,
			Quantization{Method: "compressed-tensors", WeightBits: 8, Compute: INT8}, 1},
		{`{"quant_method":"compressed-tensors","config_groups":{"a":{"weights":{"num_bits":4,"type":"int",` +
			`"group_size":128},"input_activations":null}}}`,
			Quantization{Method: "compressed-tensors", WeightBits: 4, ScaleBits: 20.0 / 128, Block: 128,
				Compute: BF16}, 0.51953125},
	} {
		m, err := Parse(withKeys(`"quantization_config":` + c.config))
		if err != nil {
			t.Errorf("%s: %v", c.config, err)
			continue
		}
		if m.Quantization != c.want || m.Quantization.BytesPerParameter() != c.bytes {
			t.Errorf("%s: got %+v of %g bytes, want %+v of %g", c.config, m.Quantization,
				m.Quantization.BytesPerParameter(), c.want, c.bytes)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		config string
		want   []string
	}{
		{`{}`, []string{"num_hidden_layers", "hidden_size", "num_attention_heads", "vocab_size"}},
		{`[1]`, []string{"not a JSON object"}},
		{``, []string{"nothing or null"}},
		{`null`, []string{"nothing or null"}},
		{string(withKeys(`"intermediate_size":null`)), []string{"intermediate_size is missing"}},
		{string(withKeys(`"num_hidden_layers":0`)), []string{"num_hidden_layers is 0"}},
		{string(withKeys(`"num_hidden_layers":"12"`)), []string{`num_hidden_layers is "12"`}},
		{string(withKeys(`"num_hidden_layers":2.5`)), []string{"num_hidden_layers is 2.5"}},
		{string(withKeys(`"hidden_size":-64`)), []string{"hidden_size is -64"}},
		{string(withKeys(`"num_key_value_heads":16`)), []string{"16 KV heads with 8"}},
		{string(withKeys(`"hidden_size":4`)), []string{"head dim is 0"}},
		{string(withKeys(`"num_experts":8`)), []string{"num_experts_per_tok is missing"}},
		{string(withKeys(`"num_experts":8,"num_experts_per_tok":9`)), []string{"9 experts per token of 8"}},
		{string(withKeys(`"kv_lora_rank":512`)), []string{"qk_rope_head_dim is missing", "v_head_dim is missing"}},
		{string(withKeys(`"torch_dtype":"int3"`)), []string{`torch_dtype is "int3"`}},
		{string(withKeys(`"is_encoder_decoder":true`)), []string{"decoder-only"}},
		{string(withKeys(`"layer_types":["linear_attention","full_attention"]`)), []string{`"linear_attention"`}},
		{string(withKeys(`"text_config":[]`)), []string{"nested language model"}},
		{string(withKeys(`"quantization_config":{}`)), []string{"quant_method is missing"}},
		{string(withKeys(`"quantization_config":{"quant_method":"hqq"}`)), []string{`"hqq"`, "compressed-tensors"}},
		{string(withKeys(`"quantization_config":{"quant_method":"compressed-tensors"}`)),
			[]string{"without config_groups"}},
		{string(withKeys(`"quantization_config":{"quant_algo":"W1"}`)), []string{`"W1"`}},
		{string(withKeys(`"num_hidden_layers":1000000`)), []string{"1000000 layers"}},
	} {
		_, err := Parse([]byte(c.config))
		if err == nil {
			t.Errorf("%s: no error", c.config)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error lacks %q: %v", c.config, w, err)
			}
		}
	}
}

func TestReadFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "config.json")
	if _, err := ReadFile(dir); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("an empty folder: %v", err)
	}
	if err := os.WriteFile(path, withKeys(""), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{dir, path} {
		if m, err := ReadFile(p); err != nil || m.Layers != 4 {
			t.Errorf("%s: %+v, %v", p, m, err)
		}
	}
	if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadFile(dir); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a bad file: %v", err)
	}
}

// Whatever parses has a size that can be computed with.
func FuzzParse(f *testing.F) {
	for _, c := range publishedConfigs {
		f.Add([]byte(c))
	}
	f.Add(withKeys(`"sliding_window":7,"layer_types":["sliding_attention"],"num_experts":[2,3],` +
		`"num_experts_per_tok":2`))
	f.Add(withKeys(`"text_config":{"text_config":{"text_config":{"text_config":{}}}}`))
	f.Add(withKeys(`"quantization_config":{"quant_method":"compressed-tensors",` +
		`"config_groups":{"g":{"weights":{"num_bits":4}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		p := m.Parameters()
		if !(p.Total > 0 && p.Total < 1e30) || !(p.Active > 0 && p.Active <= p.Total*1.0001+p.Embedding) {
			t.Fatalf("%+v: parameters %+v", m, p)
		}
		if w := m.WeightBytes(); !(w > 0 && w < 1e31) {
			t.Fatalf("%+v: %g weight bytes", m, w)
		}
		if kv := m.KVBytesPerToken(0); !(kv > 0) {
			t.Fatalf("%+v: %g KV bytes", m, kv)
		}
		if m.Experts.Layers > m.Layers || m.SlidingLayers > m.Layers || m.DenseLayers() < 0 {
			t.Fatalf("%+v: more of a kind of layers than layers", m)
		}
	})
}
