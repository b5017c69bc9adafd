package model

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"headway/internal/bound"
)

// Bounds on single facts, far beyond any model, so that their products stay
// finite and a typing error is found.
const (
	largestLayers  = 1 << 12
	largestWidth   = 1 << 20
	largestExperts = 1 << 14
)

// ReadFile reads a config.json, or the one in a folder.
func ReadFile(path string) (Model, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "config.json")
	}
	data, err := bound.ReadFile(path, bound.Document, "the model configuration")
	if err != nil {
		return Model{}, fmt.Errorf("reading a model's configuration: %w", err)
	}
	m, err := Parse(data)
	if err != nil {
		return Model{}, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// Parse reads the facts of a Hugging Face config.json. Facts of a language
// model nested in text_config (or llm_config, language_config, thinker_config)
// win over those beside it. The error names every key that is missing or does
// not make sense.
func Parse(data []byte) (Model, error) {
	top, err := decodeFields(data)
	if err == nil && top.values == nil {
		err = errors.New("not a JSON object, but nothing or null")
	}
	if err != nil {
		return Model{}, fmt.Errorf("reading a model's configuration: %w", err)
	}
	c, err := flatten(top, 0)
	if err != nil {
		return Model{}, fmt.Errorf("reading a model's configuration: %w", err)
	}
	m, err := parse(c)
	if err != nil {
		return Model{}, fmt.Errorf("reading a model's configuration: %w", err)
	}
	return m, nil
}

// flatten puts the fields of a nested language model over those beside it.
func flatten(top fields, depth int) (*fields, error) {
	_, raw := top.find("text_config", "llm_config", "language_config", "thinker_config")
	if raw == nil || depth == 3 {
		return &top, nil
	}
	inner, err := decodeFields(raw)
	if err != nil {
		return nil, fmt.Errorf("the nested language model: %w", err)
	}
	// The architecture that engines know is the outer one.
	architectures, named := top.values["architectures"]
	for k, v := range inner.values {
		if string(v) != "null" {
			top.values[k] = v
		}
	}
	if named {
		top.values["architectures"] = architectures
	}
	for _, name := range []string{"text_config", "llm_config", "language_config", "thinker_config"} {
		if _, deeper := inner.values[name]; !deeper {
			delete(top.values, name)
		}
	}
	return flatten(top, depth+1)
}

func parse(c *fields) (Model, error) {
	m := Model{
		Layers: c.positive("decoder layers", "num_hidden_layers", "n_layer", "n_layers", "num_layers"),
		Hidden: c.positive("hidden size", "hidden_size", "n_embd", "d_model"),
		Heads:  c.positive("attention heads", "num_attention_heads", "n_head", "n_heads"),
		Vocab:  c.positive("vocabulary", "vocab_size", "padded_vocab_size"),
		Context: c.count("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length",
			"model_max_length", "sliding_window"),
	}
	if a := c.texts("architectures"); len(a) > 0 {
		m.Architecture = a[0]
	}
	m.readType(c)
	m.readTied(c)
	m.readAttention(c)
	m.readWindow(c)
	m.readExperts(c)
	m.readFFN(c)
	if _, raw := c.find("quantization_config", "compression_config"); raw != nil {
		q, err := parseQuantization(raw)
		if err != nil {
			c.faults = append(c.faults, err)
		}
		m.Quantization = q
	}
	if m.Quantization.KVBits == 0 {
		if err := m.Quantization.readKV(c); err != nil {
			c.faults = append(c.faults, err)
		}
	}
	refuse(c)
	if err := c.err(); err != nil {
		return Model{}, err
	}
	return m, m.check()
}

// refuse names what this package cannot count.
func refuse(c *fields) {
	if c.flag("is_encoder_decoder") {
		c.fault("is_encoder_decoder is true: only decoder-only models are known")
	}
	for _, kind := range c.texts("layer_types", "layers_block_type") {
		if !slices.Contains([]string{"full_attention", "sliding_attention", "chunked_attention", "attention"}, kind) {
			c.fault("layer_types has %q: only layers with attention are known", kind)
			return
		}
	}
	for _, key := range []string{"hybrid_override_pattern", "linear_attn_config", "ssm_cfg",
		"full_attention_interval"} {
		if c.has(key) {
			c.fault("%s is set: only models with attention in every layer are known", key)
			return
		}
	}
}

// check finds facts that contradict each other.
func (m Model) check() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(m.Layers <= largestLayers, "%d layers: more than %d", m.Layers, largestLayers)
	for _, w := range []struct {
		name  string
		width int
	}{
		{"hidden size", m.Hidden}, {"heads", m.Heads}, {"head dim", m.HeadDim}, {"ffn size", m.FFN},
		{"expert ffn size", m.Experts.FFN}, {"shared expert ffn size", m.Experts.SharedFFN},
		{"kv_lora_rank", m.MLA.KVRank}, {"q_lora_rank", m.MLA.QRank}, {"qk_rope_head_dim", m.MLA.RopeDim},
		{"qk_nope_head_dim", m.MLA.NopeDim}, {"v_head_dim", m.MLA.ValueDim},
	} {
		check(w.width <= largestWidth, "%s %d: more than %d", w.name, w.width, largestWidth)
	}
	check(m.Vocab <= 1<<24, "vocabulary %d: more than %d", m.Vocab, 1<<24)
	check(m.KVHeads >= 1 && m.KVHeads <= m.Heads, "%d KV heads with %d attention heads: must be from 1 to as many",
		m.KVHeads, m.Heads)
	check(m.HeadDim >= 1, "head dim is 0: %d hidden over %d heads", m.Hidden, m.Heads)
	e := m.Experts
	check(e.Total <= largestExperts, "%d experts: more than %d", e.Total, largestExperts)
	check(e.PerToken <= e.Total, "%d experts per token of %d", e.PerToken, e.Total)
	return errors.Join(faults...)
}

func (m *Model) assume(format string, args ...any) {
	m.Assumed = append(m.Assumed, fmt.Sprintf(format, args...))
}

func (m *Model) readType(c *fields) {
	m.DType = c.text("torch_dtype", "dtype")
	if m.DType == "" || m.DType == "auto" {
		m.DType = "bfloat16"
		m.assume("torch_dtype is not stated: taken as bfloat16")
	}
	switch m.DType {
	case "bfloat16", "float16", "half", "torch.bfloat16", "torch.float16":
		m.DTypeBytes = 2
	case "float32", "float", "torch.float32":
		m.DTypeBytes = 4
	case "float8_e4m3fn", "float8_e5m2":
		m.DTypeBytes = 1
	default:
		c.fault("torch_dtype is %q: must be bfloat16, float16, float32 or a float8", m.DType)
	}
}

// readTied falls back on what a family does where the file is silent: files are
// written without what is a family's default.
func (m *Model) readTied(c *fields) {
	if c.has("tie_word_embeddings") {
		m.Tied = c.flag("tie_word_embeddings")
		return
	}
	kind := c.text("model_type")
	for _, family := range []string{"gemma", "cohere", "gpt2", "opt", "bloom", "falcon"} {
		m.Tied = m.Tied || strings.HasPrefix(kind, family)
	}
	how := map[bool]string{true: "tied", false: "not tied"}[m.Tied]
	m.assume("tie_word_embeddings is not stated: the output head is taken as %s to the embedding", how)
}

func (m *Model) readAttention(c *fields) {
	m.KVHeads = m.Heads
	switch {
	case c.has("num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num"):
		m.KVHeads = c.positive("KV heads", "num_key_value_heads", "num_kv_heads", "n_head_kv", "multi_query_group_num")
	case c.flag("multi_query"):
		m.KVHeads = 1
	}
	if c.has("head_dim", "kv_channels", "attention_head_dim") {
		m.HeadDim = c.positive("head dim", "head_dim", "kv_channels", "attention_head_dim")
	} else if m.Heads > 0 {
		m.HeadDim = m.Hidden / m.Heads
	}
	if !c.has("kv_lora_rank") {
		return
	}
	m.MLA = MLA{
		KVRank:   c.positive("MLA's latent", "kv_lora_rank"),
		QRank:    c.count("q_lora_rank"),
		RopeDim:  c.positive("MLA's rotary key", "qk_rope_head_dim"),
		NopeDim:  c.positive("MLA's key", "qk_nope_head_dim"),
		ValueDim: c.positive("MLA's value", "v_head_dim"),
	}
	m.HeadDim = m.MLA.NopeDim + m.MLA.RopeDim
}

// readWindow finds how many layers look back only so far. Where a window is
// given and nothing says which layers have it, all do.
func (m *Model) readWindow(c *fields) {
	window := c.count("sliding_window", "sliding_window_size")
	if window == 0 || (c.has("use_sliding_window") && !c.flag("use_sliding_window")) {
		return
	}
	m.SlidingWindow, m.SlidingLayers = window, m.Layers
	kinds := c.texts("layer_types")
	pattern := c.count("sliding_window_pattern", "_sliding_window_pattern")
	switch {
	case len(kinds) > 0:
		full := 0
		for _, k := range kinds {
			if k == "full_attention" || k == "attention" {
				full++
			}
		}
		m.SlidingLayers = max(m.Layers-full, 0)
	case pattern > 0:
		// Every pattern-th layer sees everything.
		m.SlidingLayers = m.Layers - m.Layers/pattern
	case c.has("max_window_layers"):
		// The first max_window_layers see everything.
		m.SlidingLayers = max(m.Layers-c.count("max_window_layers"), 0)
	}
	if m.SlidingLayers == 0 {
		m.SlidingWindow = 0
	}
}

// readFFN finds the dense feed-forward network. Which activation a network has
// does not say whether it is gated, so the families without a gate are named.
func (m *Model) readFFN(c *fields) {
	kind := c.text("model_type")
	m.FFNMatrices = 3
	if slices.Contains([]string{"gpt2", "gptj", "gpt_neo", "gpt_neox", "gpt_bigcode", "opt", "bloom",
		"falcon", "mpt", "phi",
		"codegen", "starcoder2", "nemotron", "stablelm_epoch"}, kind) {
		m.FFNMatrices = 2
	}
	m.FFN = c.count("intermediate_size_mlp", "intermediate_size", "ffn_dim", "n_inner", "ffn_hidden_size")
	if m.FFN > 0 || m.Layers == 0 || m.DenseLayers() == 0 {
		return
	}
	if m.FFNMatrices == 2 {
		m.FFN = 4 * m.Hidden
		m.assume("intermediate_size is not stated: taken as 4 times the hidden size, as the %s family does", kind)
		return
	}
	c.fault("intermediate_size is missing (width of the feed-forward network)")
}

// readExperts tells a mixture of experts by more than one expert, whatever the
// architecture is called.
func (m *Model) readExperts(c *fields) {
	total := c.largest("n_routed_experts", "num_local_experts", "num_experts", "moe_num_experts")
	if total <= 1 {
		return
	}
	e := Experts{Total: total}
	e.PerToken = c.positive("experts per token", "num_experts_per_tok", "num_experts_per_token", "experts_per_token",
		"moe_topk", "moe_k")
	// Without a size of their own the experts have the dense one (Mixtral).
	e.FFN = c.largest("moe_intermediate_size", "expert_ffn_hidden_size", "intermediate_size", "ffn_dim")
	if e.FFN == 0 {
		c.fault("moe_intermediate_size is missing (width of an expert)")
	}
	e.Shared = c.largest("n_shared_experts", "num_shared_experts", "num_shared_expert", "moe_num_shared_experts")
	e.SharedFFN = e.Shared * e.FFN
	switch {
	case c.has("shared_expert_intermediate_size"):
		e.SharedFFN = c.count("shared_expert_intermediate_size")
		e.Shared = min(e.SharedFFN, 1)
	case c.has("intermediate_size_mlp"):
		// Llama 4: the experts have intermediate_size, and one is shared.
		e.Shared, e.SharedFFN = 1, e.FFN
	}
	e.Layers, e.FirstDense = mixtureLayers(c, min(m.Layers, largestLayers))
	if e.Layers > 0 {
		m.Experts = e
	}
}

// mixtureLayers counts the layers that are mixtures of experts, and those
// before the first of them. Families say it in five ways: a list of the dense
// layers, a list of the mixtures, one flag per layer, every n-th, all after the
// first k.
func mixtureLayers(c *fields, layers int) (mixtures, first int) {
	dense, chosen := c.indices("mlp_only_layers"), c.indices("moe_layers")
	every := max(c.largest("decoder_sparse_step", "interleave_moe_layer_step", "moe_layer_interval"), 1)
	lead := c.largest("first_k_dense_replace", "moe_layer_start_index")
	flags := c.numbers("moe_layer_freq")
	freq := 1
	if len(flags) == 1 {
		freq = max(flags[0], 1)
	}
	first = -1
	for i := range layers {
		moe := i >= lead && i%freq == 0 && (i+1)%every == 0 && !slices.Contains(dense, i)
		switch {
		case len(chosen) > 0:
			moe = slices.Contains(chosen, i)
		case len(flags) > 1:
			moe = i < len(flags) && flags[i] != 0
		}
		if moe {
			if first < 0 {
				first = i
			}
			mixtures++
		}
	}
	return mixtures, max(first, 0)
}
