package model

// Model is what a config.json says about a decoder-only transformer. The zero
// value is no model; [Parse] and [Lookup] give whole ones.
type Model struct {
	// Name is what the model was looked up as; empty after Parse.
	Name string
	// Architecture is the first of the configuration's architectures, such as
	// LlamaForCausalLM.
	Architecture string
	// Layers is the number of decoder layers.
	Layers int
	// Hidden is the width of the residual stream.
	Hidden int
	// Heads and KVHeads are query heads and key-value heads per layer; HeadDim
	// is the width of one. Under MLA the cache does not depend on KVHeads.
	Heads, KVHeads, HeadDim int
	// MLA is set for multi-head latent attention.
	MLA MLA
	// FFN is the inner width of the dense layers' feed-forward network, and
	// FFNMatrices how many matrices it has: 3 when gated, else 2. FFN is 0 when
	// every layer is a mixture of experts and the configuration gives none.
	FFN, FFNMatrices int
	// Experts is set for a mixture of experts.
	Experts Experts
	// Vocab is the number of rows of the embedding table. Tied says that the
	// output head is the same table.
	Vocab int
	Tied  bool
	// Context is the longest sequence in tokens; 0 when the configuration does
	// not say.
	Context int
	// SlidingWindow is how many positions back the SlidingLayers layers look,
	// in tokens; both 0 when every layer sees everything.
	SlidingWindow, SlidingLayers int
	// DType is the type of what is not quantised, such as bfloat16, and
	// DTypeBytes its size. Unquantised KV caches have it too.
	DType      string
	DTypeBytes float64
	// Quantization says how the linear layers' weights are stored; its zero
	// value means as DType.
	Quantization Quantization
	// Assumed lists what the configuration left out and what was taken instead,
	// one sentence each.
	Assumed []string
}

// MLA are the sizes of DeepSeek's multi-head latent attention (DeepSeek-V2,
// arXiv 2405.04434, section 2.1). The cache holds one latent of KVRank and one
// rotary key of RopeDim per layer and token, whatever the number of heads.
type MLA struct {
	// KVRank is kv_lora_rank; 0 means that the model has no MLA.
	KVRank int
	// QRank is q_lora_rank; 0 means that queries are not compressed.
	QRank int
	// RopeDim, NopeDim and ValueDim are per head: qk_rope_head_dim,
	// qk_nope_head_dim and v_head_dim.
	RopeDim, NopeDim, ValueDim int
}

// Experts describes a mixture of experts.
type Experts struct {
	// Total is how many routed experts a layer has, PerToken how many of them a
	// token goes through. Total 0 means that the model is dense.
	Total, PerToken int
	// FFN is the inner width of one routed expert.
	FFN int
	// Shared is how many experts every token goes through beside the routed
	// ones, and SharedFFN the inner width of all of them together.
	Shared, SharedFFN int
	// Layers is how many layers are mixtures, and FirstDense how many layers
	// before the first of them are dense.
	Layers, FirstDense int
}

// IsMoE reports whether any layer is a mixture of experts, by what the
// configuration says and not by the architecture's name.
func (m Model) IsMoE() bool { return m.Experts.Total > 1 }

// HasMLA reports whether attention is multi-head latent attention.
func (m Model) HasMLA() bool { return m.MLA.KVRank > 0 }

// DenseLayers is how many layers have a dense feed-forward network.
func (m Model) DenseLayers() int { return m.Layers - m.Experts.Layers }

// Parameters are counts of weights.
type Parameters struct {
	// Total is everything that is loaded.
	Total float64
	// Active is what one token is multiplied with: attention, the dense
	// networks, PerToken routed and all shared experts, the router and the
	// output head.
	//
	// The embedding table is not in it, being looked up and not multiplied
	// (unless the head is tied to it). Publishers differ: DeepSeek-V3's 36.7 B,
	// usually quoted as 37 B, leaves it out; the 22 B of Qwen3-235B-A22B counts
	// it, which is Active + Embedding.
	Active float64
	// Embedding is the size of the embedding table.
	Embedding float64
}

// Parameters computes the counts from the facts.
func (m Model) Parameters() Parameters {
	s := m.shape()
	attention := float64(m.Layers) * (s.attnSplit + s.attnWhole + s.norm)
	dense := float64(m.DenseLayers()) * s.dense
	mixture := float64(m.Experts.Layers)
	table := s.embed
	p := Parameters{Embedding: table}
	p.Total = attention + dense + mixture*(s.router+s.shared+float64(m.Experts.Total)*s.expert) + table
	p.Active = attention + dense + mixture*(s.router+s.shared+float64(m.Experts.PerToken)*s.expert) + s.head
	if !m.Tied {
		p.Total += s.head
	}
	return p
}

// WeightBytes is what all weights take, in bytes: quantised layers at their
// bits and scales, the rest (embedding, head, norms, router) as DType.
func (m Model) WeightBytes() float64 {
	return m.stageBytes(Mapping{Kind: TP, Size: 1}, 0)
}

// KVBytesPerToken is what one token takes in the KV cache over all layers, in
// bytes: layers · 2 · KV heads · head dim · element, under MLA layers · (latent
// rank + rotary dim) · element. element is the size of one value in bytes; 0
// means [Model.KVElementBytes]. A sliding window does not lower it: it bounds how many
// tokens a layer needs, and engines that keep all of them are the rule.
func (m Model) KVBytesPerToken(element float64) float64 {
	return float64(m.Layers) * m.kvPerLayer(element)
}

func (m Model) kvPerLayer(element float64) float64 {
	if element == 0 {
		element = m.KVElementBytes()
	}
	if m.HasMLA() {
		return float64(m.MLA.KVRank+m.MLA.RopeDim) * element
	}
	return 2 * float64(m.KVHeads) * float64(m.HeadDim) * element
}

// shape counts parameters by how they are spread over GPUs.
type shape struct {
	// Per layer: what tensor parallelism splits, what every rank holds whole,
	// and the two norms.
	attnSplit, attnWhole, norm float64
	// Per dense layer.
	dense float64
	// Per mixture layer; expert is one of them.
	router, shared, expert float64
	// The output head and the embedding table, each counted whether tied or
	// not.
	embed, head float64
}

func (m Model) shape() shape {
	h := float64(m.Hidden)
	matrices := float64(m.FFNMatrices) * h
	s := shape{
		norm:  2 * h,
		dense: matrices * float64(m.FFN),
		embed: h * float64(m.Vocab), head: h * float64(m.Vocab),
	}
	if m.IsMoE() {
		s.expert = matrices * float64(m.Experts.FFN)
		s.shared = matrices * float64(m.Experts.SharedFFN)
		s.router = h * float64(m.Experts.Total)
	}
	heads, d := float64(m.Heads), float64(m.HeadDim)
	if !m.HasMLA() {
		s.attnSplit = h * d * (2*heads + 2*float64(m.KVHeads))
		return s
	}
	kv := float64(m.MLA.KVRank)
	rope := float64(m.MLA.RopeDim)
	nope := float64(m.MLA.NopeDim)
	value := float64(m.MLA.ValueDim)
	s.attnWhole = h * (kv + rope)
	s.attnSplit = kv*heads*(nope+value) + heads*value*h
	if q := float64(m.MLA.QRank); q > 0 {
		s.attnWhole += h * q
		s.attnSplit += q * heads * (nope + rope)
	} else {
		s.attnSplit += h * heads * (nope + rope)
	}
	return s
}
