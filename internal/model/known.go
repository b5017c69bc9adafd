package model

import (
	"fmt"
	"slices"
	"strings"
)

// Known lists the models whose facts are inside, so that everything runs
// without a network. Each is a fresh copy. The figures are those of the
// config.json that its publisher has on Hugging Face.
func Known() []Model {
	return []Model{
		llama("Llama-3.1-8B", 32, 4096, 32, 14336),  // meta-llama/Llama-3.1-8B
		llama("Llama-3.1-70B", 80, 8192, 64, 28672), // meta-llama/Llama-3.1-70B
		qwen("Qwen3-0.6B", 28, 1024, 16, 8, 3072),   // Qwen/Qwen3-0.6B
		qwen("Qwen3-32B", 64, 5120, 64, 8, 25600),   // Qwen/Qwen3-32B
		qwen235(),
		deepSeekV3(),
	}
}

// Lookup finds a known model by its name, whatever its case, organisation and
// the suffixes -Instruct, -Chat or -BF16. The Qwen models are known with -FP8
// too, which is their publisher's quantisation: FP8 in blocks of 128 by 128.
func Lookup(name string) (Model, error) {
	key := strings.ToLower(name[strings.LastIndexByte(name, '/')+1:])
	key = strings.TrimPrefix(key, "meta-")
	key, fp8 := strings.CutSuffix(key, "-fp8")
	for _, suffix := range []string{"-bf16", "-instruct", "-chat"} {
		key = strings.TrimSuffix(key, suffix)
	}
	// The same network with other weights.
	if slices.Contains([]string{"deepseek-r1", "deepseek-v3-0324", "deepseek-v3-base", "deepseek-r1-0528"}, key) {
		key = "deepseek-v3"
	}
	var names []string
	for _, m := range Known() {
		names = append(names, m.Name)
		if strings.ToLower(m.Name) != key {
			continue
		}
		if fp8 && m.Quantization.Method == "" {
			if !strings.HasPrefix(key, "qwen") {
				continue
			}
			m.Name += "-FP8"
			m.Quantization = blockFP8()
		}
		return m, nil
	}
	return Model{}, fmt.Errorf("the model %q is not known (known: %s); give its config.json instead", name,
		strings.Join(names, ", "))
}

// blockFP8 is quant_method fp8 with weight_block_size [128, 128].
func blockFP8() Quantization {
	return Quantization{Method: "fp8", WeightBits: 8, ScaleBits: 32.0 / (128 * 128), Block: 128, Compute: FP8}
}

func llama(name string, layers, hidden, heads, ffn int) Model {
	return Model{
		Name: name, Architecture: "LlamaForCausalLM",
		Layers: layers, Hidden: hidden, Heads: heads, KVHeads: 8, HeadDim: 128,
		FFN: ffn, FFNMatrices: 3, Vocab: 128256, Context: 131072, DType: "bfloat16", DTypeBytes: 2,
	}
}

// qwen is a dense Qwen3. Of those here, only 0.6B ties its embeddings.
func qwen(name string, layers, hidden, heads, kvHeads, ffn int) Model {
	return Model{
		Name: name, Architecture: "Qwen3ForCausalLM",
		Layers: layers, Hidden: hidden, Heads: heads, KVHeads: kvHeads, HeadDim: 128,
		FFN: ffn, FFNMatrices: 3, Vocab: 151936, Tied: hidden == 1024, Context: 40960, DType: "bfloat16", DTypeBytes: 2,
	}
}

// qwen235 is Qwen/Qwen3-235B-A22B. Its intermediate_size, 12288, is that of no
// layer: all 94 are mixtures.
func qwen235() Model {
	m := qwen("Qwen3-235B-A22B", 94, 4096, 64, 4, 12288)
	m.Architecture = "Qwen3MoeForCausalLM"
	m.Experts = Experts{Total: 128, PerToken: 8, FFN: 1536, Layers: 94}
	return m
}

// deepSeekV3 is deepseek-ai/DeepSeek-V3, published in FP8.
func deepSeekV3() Model {
	return Model{
		Name: "DeepSeek-V3", Architecture: "DeepseekV3ForCausalLM",
		Layers: 61, Hidden: 7168, Heads: 128, KVHeads: 128, HeadDim: 192,
		MLA: MLA{KVRank: 512, QRank: 1536, RopeDim: 64, NopeDim: 128, ValueDim: 128},
		FFN: 18432, FFNMatrices: 3,
		Experts: Experts{Total: 256, PerToken: 8, FFN: 2048, Shared: 1, SharedFFN: 2048, Layers: 58, FirstDense: 3},
		Vocab:   129280, Context: 163840, DType: "bfloat16", DTypeBytes: 2,
		Quantization: blockFP8(),
	}
}
