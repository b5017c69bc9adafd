package model

import (
	"errors"
	"fmt"
	"math"
)

// Setup is a model on GPUs of one kind under a mapping. Zero fields mean their
// defaults.
type Setup struct {
	Model   Model
	GPU     GPU
	Mapping Mapping
	// GPUsPerNode is where the network begins; default GPU.PerNode, else 8.
	GPUsPerNode int
	// MemoryFraction is the share of a GPU's memory that the engine may use;
	// default 0.9, vLLM's gpu-memory-utilization.
	MemoryFraction float64
	// KVElementBytes is the size of one value in the KV cache; default
	// Model.KVElementBytes. An FP8 cache is 1.
	KVElementBytes float64
	// SequenceTokens is the longest sequence that has to fit; default
	// Model.Context, and 1 when that is not known.
	SequenceTokens int
	// MaxBatchedTokens and MaxSequences bound one step of a rank and set what
	// is kept for activations; defaults 8192 and 256.
	MaxBatchedTokens, MaxSequences int
	// Efficiency is what of the peak rates is reached.
	Efficiency Efficiency
}

func (s Setup) withDefaults() Setup {
	set := func(v *int, to int) {
		if *v == 0 {
			*v = to
		}
	}
	set(&s.GPUsPerNode, s.GPU.PerNode)
	set(&s.GPUsPerNode, 8)
	set(&s.SequenceTokens, s.Model.Context)
	set(&s.SequenceTokens, 1)
	set(&s.MaxBatchedTokens, 8192)
	set(&s.MaxSequences, 256)
	if s.MemoryFraction == 0 {
		s.MemoryFraction = 0.9
	}
	if s.KVElementBytes == 0 {
		s.KVElementBytes = s.Model.KVElementBytes()
	}
	s.Efficiency = s.Efficiency.withDefaults()
	return s
}

// validate expects defaults to be filled in and lists every fault.
func (s Setup) validate() error {
	faults := s.faults()
	if len(faults) == 0 {
		faults = s.mappingFaults()
	}
	return s.setupError(faults)
}

func (s Setup) setupError(faults []error) error {
	if len(faults) == 0 {
		return nil
	}
	return fmt.Errorf("setting up %s on %s: %w", named(s.Model.Name, "the model"), named(s.GPU.Name, "the GPU"),
		errors.Join(faults...))
}

// faults are those of everything but the mapping.
func (s Setup) faults() []error {
	var faults []error
	check := func(ok bool, name string, got any, allowed string) {
		if !ok {
			faults = append(faults, fmt.Errorf("%s %v: must be %s", name, got, allowed))
		}
	}
	check(s.Model.Layers > 0, "model", "without layers", "one from Parse or Lookup")
	check(s.GPU.MemoryBytes > 0 && s.GPU.BytesPerSecond > 0 && s.GPU.FLOPS[BF16] > 0, "GPU", s.GPU.Name,
		"one from LookupGPU, or have memory, bandwidth and a BF16 rate")
	check(s.GPUsPerNode >= 1, "GPUs per node", s.GPUsPerNode, "at least 1")
	check(s.MemoryFraction > 0 && s.MemoryFraction <= 1, "memory fraction", s.MemoryFraction, "above 0 and up to 1")
	check(s.KVElementBytes > 0 && s.KVElementBytes <= 8, "KV element bytes", s.KVElementBytes, "above 0 and up to 8")
	check(s.SequenceTokens >= 1, "sequence tokens", s.SequenceTokens, "at least 1")
	check(s.MaxBatchedTokens >= 1, "max batched tokens", s.MaxBatchedTokens, "at least 1")
	check(s.MaxSequences >= 1, "max sequences", s.MaxSequences, "at least 1")
	return append(faults, s.Efficiency.validate()...)
}

func (s Setup) mappingFaults() []error {
	var faults []error
	for _, r := range s.Mapping.Check(s.Model) {
		faults = append(faults, fmt.Errorf("mapping %s: %s", s.Mapping, r.Reason))
	}
	size := min(s.Mapping.GPUs(), s.GPUsPerNode)
	if size > 1 && s.GPU.Node.BytesPerSecond <= 0 || s.Mapping.GPUs() > s.GPUsPerNode &&
		s.GPU.Network.BytesPerSecond <= 0 {
		faults = append(faults, fmt.Errorf("GPU %s: must have its links, since %s "+
			"takes %d GPUs", s.GPU.Name, s.Mapping, s.Mapping.GPUs()))
	}
	return faults
}

func named(name, otherwise string) string {
	if name == "" {
		return otherwise
	}
	return name
}

// runtimeBytes is kept on every GPU for the CUDA context, communication
// buffers and CUDA graphs. It is an assumption; engines differ by about half of
// it either way.
const runtimeBytes = 1.5e9

// Memory says what lies on each GPU. Bytes are per GPU, on the fullest one.
type Memory struct {
	// Budget is the GPU's memory times the fraction.
	Budget float64
	// Weights, Activations and Runtime are taken from it before the cache.
	Weights, Activations, Runtime float64
	// KVPerToken is what a token of a rank takes in the cache of a GPU.
	KVPerToken float64
	// TokensPerRank is how many tokens the cache of one attention rank holds,
	// and Ranks how many there are.
	TokensPerRank, Ranks int
}

// Tokens is how many tokens all ranks of the worker hold together, which is
// what a profiler calls max_kv_tokens.
func (m Memory) Tokens() int { return m.TokensPerRank * m.Ranks }

// Blocks is how many whole blocks of so many tokens all ranks hold together.
func (m Memory) Blocks(size int) int { return m.TokensPerRank / max(size, 1) * m.Ranks }

// FitError says that a model does not fit and by how much. Bytes are per GPU.
type FitError struct {
	Setup  Setup
	Memory Memory
	// MinGPUs is the least power of two of GPUs, in the same kind of mapping,
	// whose memory would hold the weights, activations and the sequence; 0 when
	// none up to 1024 does. It says nothing of whether the model divides.
	MinGPUs int
}

// Error gives the numbers and what to change.
func (e *FitError) Error() string {
	m, gb := e.Memory, 1e-9
	text := fmt.Sprintf("%s under %s on %s: %.1f GB of weights, %.1f GB of activations and %.1f GB for the runtime "+
		"in %.1f GB (%g of %.1f GB) per GPU",
		named(e.Setup.Model.Name, "the model"), e.Setup.Mapping, e.Setup.GPU.Name,
		m.Weights*gb, m.Activations*gb, m.Runtime*gb, m.Budget*gb, e.Setup.MemoryFraction, e.Setup.GPU.MemoryBytes*gb)
	if m.TokensPerRank <= 0 {
		text += " leave no room for the KV cache"
	} else {
		text += fmt.Sprintf(" leave room for %d tokens of KV cache (%.0f bytes each), fewer than one sequence of "+
			"%d; lower the context, or use an FP8 cache",
			m.TokensPerRank, m.KVPerToken, e.Setup.SequenceTokens)
	}
	if e.MinGPUs > 0 {
		text += fmt.Sprintf("; %d GPUs would hold it", e.MinGPUs)
	}
	return text
}

// Memory computes what lies where. The error is a [FitError] when the weights,
// the activations or one sequence do not fit; the Memory comes with it.
func (s Setup) Memory() (Memory, error) {
	s = s.withDefaults()
	if err := s.validate(); err != nil {
		return Memory{}, err
	}
	m := s.memory()
	if m.TokensPerRank < s.SequenceTokens {
		return m, &FitError{Setup: s, Memory: m, MinGPUs: s.minGPUs()}
	}
	return m, nil
}

func (s Setup) memory() Memory {
	m := Memory{
		Budget: s.GPU.MemoryBytes * s.MemoryFraction, Runtime: runtimeBytes,
		Weights: s.Model.WeightBytesPerGPU(s.Mapping), Activations: s.activationBytes(),
		KVPerToken: s.kvPerTokenPerGPU(), Ranks: s.Mapping.AttentionDP(),
	}
	if free := m.Budget - m.Weights - m.Activations - m.Runtime; free > 0 {
		m.TokensPerRank = int(free / m.KVPerToken)
	}
	return m
}

// minGPUs asks the same question of more and more GPUs.
func (s Setup) minGPUs() int {
	for n := s.Mapping.Size; n <= 1024; n *= 2 {
		s.Mapping.Size = n
		if s.memory().TokensPerRank >= s.SequenceTokens {
			return s.Mapping.GPUs()
		}
	}
	return 0
}

// kvPerTokenPerGPU is for the stage with the most layers. The latent of MLA has
// no heads to cut: every tensor-parallel rank keeps it whole.
func (s Setup) kvPerTokenPerGPU() float64 {
	layers := math.Ceil(float64(s.Model.Layers) / float64(s.Mapping.stages()))
	per := layers * s.Model.kvPerLayer(s.KVElementBytes)
	if s.Model.HasMLA() {
		return per
	}
	return per / float64(s.Mapping.KVSplit())
}

// activationBytes is the most that one step of MaxBatchedTokens needs at a
// time: the residual stream and its copies, one layer's attention input and
// the widest pair of feed-forward activations, in 2 bytes, and the logits of
// MaxSequences in 4 bytes, twice (before and after sampling's softmax).
func (s Setup) activationBytes() float64 {
	m, split := s.Model, float64(s.Mapping.KVSplit())
	wide := float64(m.FFN)
	if m.IsMoE() {
		routed := float64(m.Experts.PerToken*m.Experts.FFN + m.Experts.SharedFFN)
		if m.DenseLayers() == 0 {
			wide = 0
		}
		wide = max(wide, routed)
	}
	qkv := float64((m.Heads + 2*m.KVHeads) * m.HeadDim)
	perToken := 4*float64(m.Hidden) + (qkv+2*wide)/split
	logits := float64(s.MaxSequences) * float64(m.Vocab) / split
	return 2*float64(s.MaxBatchedTokens)*perToken + 8*logits
}

// WeightBytesPerGPU is what the fullest GPU holds of the weights, in bytes.
// Tensor parallelism cuts attention, networks, embedding and head, and repeats
// norms, routers and MLA's compressions; DEP repeats everything but routed
// experts.
func (m Model) WeightBytesPerGPU(mapping Mapping) float64 {
	most := 0.0
	for i := range mapping.stages() {
		most = max(most, m.stageBytes(mapping, i))
	}
	return most
}

// stageBytes is one GPU's share of one pipeline stage. The first stages are
// longer by one layer where layers do not divide.
func (m Model) stageBytes(mapping Mapping, stage int) float64 {
	s, split := m.shape(), float64(mapping.KVSplit())
	first, last := stageLayers(m.Layers, mapping.stages(), stage)
	layers := float64(last - first)
	mixtures := m.mixturesIn(first, last)
	linear := m.linearBytes()

	bytes := layers * (linear*(s.attnSplit/split+s.attnWhole) + m.DTypeBytes*s.norm)
	bytes += max(layers-mixtures, 0) * linear * s.dense / split
	bytes += mixtures * (linear*s.shared/split + m.DTypeBytes*s.router)
	// TP cuts each expert, TEP and DEP deal whole ones: the same bytes.
	bytes += mixtures * m.expertBytes() * s.expert * float64(m.Experts.Total) / float64(mapping.Size)
	if stage == 0 {
		bytes += m.DTypeBytes * s.embed / split
	}
	if stage == mapping.stages()-1 && !(m.Tied && stage == 0) {
		bytes += m.DTypeBytes * s.head / split
	}
	return bytes
}

func stageLayers(layers, stages, stage int) (first, last int) {
	base, extra := layers/stages, layers%stages
	first = stage*base + min(stage, extra)
	last = first + base
	if stage < extra {
		last++
	}
	return first, last
}

// mixturesIn counts the mixture layers from first up to but not last. Where
// dense layers lie between mixtures it takes an even spread, rounded up.
func (m Model) mixturesIn(first, last int) float64 {
	e := m.Experts
	if e.Layers == m.Layers-e.FirstDense {
		return float64(max(last-max(first, e.FirstDense), 0))
	}
	even := math.Ceil(float64(e.Layers) * float64(last-first) / float64(m.Layers))
	return min(even, float64(last-first))
}
