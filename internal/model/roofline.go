package model

import (
	"fmt"
	"math"
	"time"
)

// Efficiency is what of a GPU's peak rates a real engine reaches, and what a
// step costs beside its work. Zero fields mean their defaults.
//
// The defaults are assumptions, chosen so that a large dense model comes out
// near what engines are commonly reported to do, and not measurements of any
// one machine; [Setup.Fit] finds the factors of a machine that was measured.
type Efficiency struct {
	// Compute is the share of the peak dense rate, above 0 and up to 1; default
	// 0.6. Large matrix products alone reach 0.7 to 0.8 of the data sheet, whose
	// clock is not held at full power; norms, rotations, activations and the
	// gaps between kernels, which are not counted here, take the rest.
	Compute float64
	// Memory is the share of the peak memory bandwidth, above 0 and up to 1;
	// default 0.8. A plain copy reaches about 0.9 of the data sheet; the weights
	// of small layers and paged caches are read less well.
	Memory float64
	// Overhead is added to every step for scheduling, launching and sampling;
	// default 1 ms. Negative means none.
	Overhead time.Duration
}

func (e Efficiency) withDefaults() Efficiency {
	if e.Compute == 0 {
		e.Compute = 0.6
	}
	if e.Memory == 0 {
		e.Memory = 0.8
	}
	if e.Overhead == 0 {
		e.Overhead = time.Millisecond
	}
	return e
}

func (e Efficiency) validate() []error {
	var faults []error
	if !(e.Compute > 0 && e.Compute <= 1) {
		faults = append(faults, fmt.Errorf("compute efficiency %v: must be above 0 and up to 1", e.Compute))
	}
	if !(e.Memory > 0 && e.Memory <= 1) {
		faults = append(faults, fmt.Errorf("memory efficiency %v: must be above 0 and up to 1", e.Memory))
	}
	return faults
}

// queryTile is how many query tokens of a prefill share one reading of their
// keys and values, as in FlashAttention's blocks of 128 rows.
const queryTile = 128

// Roofline times the steps of one setup. It is made once and then only read,
// by any number of goroutines.
//
// A step's time is the sum over its components (projections, attention of the
// prefill, attention of the decode, dense networks, experts, output head) of
// the larger of computing and reading memory, over all layers, plus
// communication and the fixed overhead (the roofline of Williams, Waterman and
// Patterson, CACM 52(4), 2009, per component rather than for the whole step: a
// whole-step maximum would let a decode's attention hide behind a prefill's
// products, though they run one after the other).
//
// Not counted: activations written and read between kernels, embedding lookups,
// uneven expert popularity (only the chance unevenness of uniform routing), and
// overlap of communication with work.
type Roofline struct {
	invCompute, invMemory float64 // 1 / efficiency
	overhead              float64 // seconds
	stages, ranks         int

	// Seconds at the peak, over all layers, on one GPU.
	projection, dense, shared matmul
	head                      matmul
	prefillPair, decodePair   float64 // computing one query-key pair, per layer
	kvToken                   float64 // reading or writing one token's cache, per layer
	fullLayers, windowLayers  float64
	window                    float64 // tokens
	experts                   expertCost
	comm                      collective // per token of a rank, and per step
}

// matmul is the time of a weight matrix: per token multiplied, and for reading
// it once.
type matmul struct{ perToken, read float64 }

func (m matmul) of(tokens float64) part { return part{m.perToken * tokens, m.read} }

// part is a component's time at the peak rates: seconds of computing and of
// reading memory.
type part struct{ compute, memory float64 }

// parts are the components in the order of [Breakdown].
type parts struct {
	projection, prefill, decode, dense, experts, head part
	comm                                              float64
}

// Roofline precomputes the coefficients. It asks only whether the mapping can
// be laid out; whether the memory suffices is [Setup.Memory]'s.
func (s Setup) Roofline() (*Roofline, error) {
	s = s.withDefaults()
	if err := s.validate(); err != nil {
		return nil, err
	}
	m, shape := s.Model, s.Model.shape()
	split := float64(s.Mapping.KVSplit())
	layers, mixtures := float64(m.Layers), float64(m.Experts.Layers)
	linear := func(parameters float64) matmul {
		return matmul{2 * parameters / s.GPU.rate(m.linearFormat()),
			parameters * m.linearBytes() / s.GPU.BytesPerSecond}
	}
	r := &Roofline{
		invCompute: 1 / s.Efficiency.Compute, invMemory: 1 / s.Efficiency.Memory,
		overhead: max(s.Efficiency.Overhead.Seconds(), 0),
		stages:   s.Mapping.stages(), ranks: s.Mapping.AttentionDP(),
		projection:   linear(layers * (shape.attnSplit/split + shape.attnWhole)),
		dense:        linear(float64(m.DenseLayers()) * shape.dense / split),
		shared:       linear(mixtures * shape.shared / split),
		windowLayers: float64(m.SlidingLayers), fullLayers: layers - float64(m.SlidingLayers),
		window:  float64(m.SlidingWindow),
		experts: s.expertCost(), comm: s.communication(),
	}
	r.head = matmul{2 * shape.head / split / s.GPU.rate(BF16), shape.head / split * m.DTypeBytes / s.GPU.BytesPerSecond}
	r.kvToken = m.kvPerLayer(s.KVElementBytes) / s.GPU.BytesPerSecond
	if !m.HasMLA() {
		r.kvToken /= split
	}
	prefill, decode := m.pairFLOPs()
	r.prefillPair = prefill / split / s.GPU.rate(BF16)
	r.decodePair = decode / split / s.GPU.rate(BF16)
	return r, nil
}

// pairFLOPs are the operations of one query-key pair in one layer, scores and
// values, in BF16. MLA expands keys and values for a prefill, and for a decode
// multiplies the latents themselves (the absorbed form): more work, less
// memory.
func (m Model) pairFLOPs() (prefill, decode float64) {
	heads := float64(m.Heads)
	if !m.HasMLA() {
		f := 4 * heads * float64(m.HeadDim)
		return f, f
	}
	a := m.MLA
	return 2 * heads * float64(a.NopeDim+a.RopeDim+a.ValueDim), 2 * heads * float64(2*a.KVRank+a.RopeDim)
}

// PrefillContext is the prefillContextSum of one chunk: tokens new prompt
// tokens after start that are in the cache already. Token i of the chunk sees
// start + i positions, itself among them.
func PrefillContext(start, tokens int) int { return start*tokens + tokens*(tokens+1)/2 }

// StepTime is how long one step takes on one attention rank. Its work:
//
//   - prefillTokens: prompt tokens computed, of all sequences together;
//   - prefillContextSum: the positions that these tokens see, summed over them,
//     which [PrefillContext] gives for a chunk;
//   - decodeSeqs: sequences that get one more token;
//   - decodeContextTokens: the tokens they have in the cache, summed over them.
//
// Without prefill and decode there is no step, and the time is 0; numbers below
// 0 count as 0. More work never takes less time.
//
// Under DEP the other ranks are taken to have as much to do, which is how they
// run: in lockstep, and the experts see the tokens of all. A worker under DEP=n
// is n ranks, each with its own sequences.
//
// With a pipeline the work is cut into as many micro-batches as there are
// stages. In the steady state each stage has one, and the step lasts as long as
// a micro-batch takes through all stages.
func (r *Roofline) StepTime(prefillTokens, prefillContextSum, decodeSeqs, decodeContextTokens int) time.Duration {
	if prefillTokens <= 0 && decodeSeqs <= 0 {
		return 0
	}
	p := r.parts(prefillTokens, prefillContextSum, decodeSeqs, decodeContextTokens)
	return seconds(p.seconds(r.invCompute, r.invMemory) + r.overhead)
}

// seconds rounds to whole nanoseconds.
func seconds(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }

func (p part) seconds(invCompute, invMemory float64) float64 {
	return max(p.compute*invCompute, p.memory*invMemory)
}

func (p *parts) seconds(c, m float64) float64 {
	return p.projection.seconds(c, m) + p.prefill.seconds(c, m) + p.decode.seconds(c, m) +
		p.dense.seconds(c, m) + p.experts.seconds(c, m) + p.head.seconds(c, m) + p.comm
}

func (r *Roofline) share(n int) float64 {
	if n <= 0 {
		return 0
	}
	if r.stages == 1 {
		return float64(n)
	}
	return float64((n + r.stages - 1) / r.stages)
}

func (r *Roofline) parts(prefillTokens, prefillContextSum, decodeSeqs, decodeContextTokens int) parts {
	prefill, seqs := r.share(prefillTokens), r.share(decodeSeqs)
	pairs, context := r.share(prefillContextSum), r.share(decodeContextTokens)
	tokens := prefill + seqs
	p := parts{
		projection: r.projection.of(tokens),
		dense:      r.dense.of(tokens),
		comm:       r.comm.step + r.comm.perToken*tokens,
	}
	if prefill > 0 {
		seen := r.seen(pairs, prefill)
		p.prefill = part{seen * r.prefillPair, (seen/queryTile + prefill*(r.fullLayers+r.windowLayers)) * r.kvToken}
	}
	if seqs > 0 {
		seen := r.seen(context, seqs)
		p.decode = part{seen * r.decodePair, (seen + seqs*(r.fullLayers+r.windowLayers)) * r.kvToken}
	}
	if r.experts.layers > 0 {
		shared := r.shared.of(tokens)
		p.experts = r.experts.of(tokens * float64(r.ranks))
		p.experts.compute += shared.compute
		p.experts.memory += shared.memory
	}
	// Logits are taken once per sequence: of the decoded ones, and of the last
	// token of a prefill.
	rows := seqs
	if prefill > 0 {
		rows++
	}
	p.head = r.head.of(rows)
	return p
}

// seen is how many positions are looked at over all layers: everything, or a
// window for each token where layers have one. The cut is by the mean.
func (r *Roofline) seen(positions, tokens float64) float64 {
	return positions*r.fullLayers + min(positions, tokens*r.window)*r.windowLayers
}

// Breakdown is where a step's time goes. Its fields add up to StepTime, but for
// rounding.
type Breakdown struct {
	Projection, PrefillAttention, DecodeAttention time.Duration
	FFN, Experts, Head                            time.Duration
	Communication, Overhead                       time.Duration
}

// Breakdown explains [Roofline.StepTime] of the same arguments.
func (r *Roofline) Breakdown(prefillTokens, prefillContextSum, decodeSeqs, decodeContextTokens int) Breakdown {
	if prefillTokens <= 0 && decodeSeqs <= 0 {
		return Breakdown{}
	}
	p := r.parts(prefillTokens, prefillContextSum, decodeSeqs, decodeContextTokens)
	of := func(c part) time.Duration { return seconds(c.seconds(r.invCompute, r.invMemory)) }
	return Breakdown{
		Projection: of(p.projection), PrefillAttention: of(p.prefill), DecodeAttention: of(p.decode),
		FFN: of(p.dense), Experts: of(p.experts), Head: of(p.head),
		Communication: seconds(p.comm), Overhead: seconds(r.overhead),
	}
}
