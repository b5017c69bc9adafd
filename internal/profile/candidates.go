package profile

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"headway/internal/model"
)

// PrefillMaxTokens is how many tokens a rank of a prefill worker computes in
// one step, so that no usual prompt is cut (Dynamo's PREFILL_MAX_NUM_TOKENS).
const PrefillMaxTokens = 32768

// MaxConcurrency is the largest concurrency at which a decode worker is
// measured (Dynamo's DECODE_MAX_CONCURRENCY).
const MaxConcurrency = 2000

// stepTokens and stepSequences bound a step of workers that decode.
const stepTokens, stepSequences = 8192, 2048

// Space is what is searched: a model, the GPUs, and the lengths of a request.
type Space struct {
	Model model.Model
	GPU   model.GPU
	// GPUsPerNode is where the network begins; 0 is the GPU's usual.
	GPUsPerNode int
	// MinGPUs and MaxGPUs bound the GPUs of one engine; 0 is 1, and as many as
	// a node has.
	MinGPUs, MaxGPUs int
	// ISL and OSL are the tokens of a prompt and of its reply.
	ISL, OSL int
	// Context is the longest sequence that engines are set up for, in tokens;
	// 0 is the model's.
	Context int
	// MemoryFraction, KVElementBytes and Efficiency are those of model.Setup.
	MemoryFraction, KVElementBytes float64
	Efficiency                     model.Efficiency
	// Kinds are the kinds of mapping to try; none means those of the model.
	Kinds []model.Kind
}

// Rejected is a mapping that is not tried, and why.
type Rejected struct {
	Candidate Candidate
	Reasons   []model.Rejection
}

// Sequence is the longest sequence in tokens: the bound that was asked for, but
// never more than the model takes.
func (s Space) Sequence() int {
	if s.Context == 0 || s.Model.Context > 0 && s.Context > s.Model.Context {
		return s.Model.Context
	}
	return s.Context
}

// Validate lists every fault, by the names of the options.
func (s Space) Validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	check(s.ISL >= 1, "--isl %d: must be at least 1", s.ISL)
	check(s.OSL >= 2, "--osl %d: must be at least 2, since an ITL needs two tokens", s.OSL)
	check(s.Context >= 0, "--max-context-length %d: must be above 0, or 0 for the model's", s.Context)
	if n := s.Sequence(); n > 0 && s.ISL+s.OSL > n {
		check(false, "--isl %d with --osl %d: %d tokens are more than the context of %d (--max-context-length %d, the model's %d)",
			s.ISL, s.OSL, s.ISL+s.OSL, n, s.Context, s.Model.Context)
	}
	check(s.Sequence() > 0 || s.Model.Layers == 0, "--max-context-length: the model's configuration does not say its context, so it must be given")
	check(s.MinGPUs >= 0, "--min-num-gpus-per-engine %d: must be at least 1", s.MinGPUs)
	check(s.MaxGPUs >= 0, "--max-num-gpus-per-engine %d: must be at least 1", s.MaxGPUs)
	check(s.GPUsPerNode >= 0, "--num-gpus-per-node %d: must be at least 1", s.GPUsPerNode)
	lo, hi := s.bounds()
	check(lo <= hi, "--min-num-gpus-per-engine %d: more than --max-num-gpus-per-engine %d", lo, hi)
	check(lo > hi || len(powers(lo, hi)) > 0, "--min-num-gpus-per-engine %d and --max-num-gpus-per-engine %d: no power of two lies between them", lo, hi)
	return errors.Join(faults...)
}

// bounds are the GPU counts, defaults filled in.
func (s Space) bounds() (lo, hi int) {
	lo, hi = max(s.MinGPUs, 1), s.MaxGPUs
	if hi == 0 {
		hi = max(s.perNode(), lo)
	}
	return lo, hi
}

func (s Space) perNode() int {
	switch {
	case s.GPUsPerNode > 0:
		return s.GPUsPerNode
	case s.GPU.PerNode > 0:
		return s.GPU.PerNode
	}
	return 8
}

// powers are the powers of two from lo to hi.
func powers(lo, hi int) []int {
	var list []int
	for n := 1; n <= hi; n *= 2 {
		if n >= lo {
			list = append(list, n)
		}
	}
	return list
}

// Setup is how a candidate's worker is set up: workers that prefill take one
// prompt a rank and step and compute it whole, others are bounded as engines
// usually are.
func (s Space) Setup(c Candidate) model.Setup {
	m := model.Setup{
		Model: s.Model, GPU: s.GPU, Mapping: c.Mapping, GPUsPerNode: s.perNode(), MemoryFraction: s.MemoryFraction,
		KVElementBytes: s.KVElementBytes, SequenceTokens: s.Sequence(), Efficiency: s.Efficiency,
		MaxBatchedTokens: stepTokens, MaxSequences: stepSequences,
	}
	if c.Phase == Prefill {
		m.MaxBatchedTokens, m.MaxSequences = PrefillMaxTokens, 1
	}
	return m
}

// Candidates are the mappings for a phase, fewest GPUs first, and those that
// were looked at and are not tried. The error is a fault of the model or the
// GPU.
func (s Space) Candidates(p Phase) ([]Candidate, []Rejected, error) {
	lo, hi := s.bounds()
	list, err := s.Setup(Candidate{Phase: p}).Candidates(hi, s.Kinds...)
	if err != nil {
		return nil, nil, err
	}
	var usable []Candidate
	var rejected []Rejected
	for _, m := range list {
		c := Candidate{Phase: p, Mapping: m.Mapping}
		switch n := m.Mapping.GPUs(); {
		case n < lo || bits.OnesCount(uint(n)) != 1:
		case m.Usable():
			usable = append(usable, c)
		default:
			rejected = append(rejected, Rejected{c, m.Rejections})
		}
	}
	slices.SortStableFunc(usable, func(a, b Candidate) int { return a.Mapping.GPUs() - b.Mapping.GPUs() })
	return usable, rejected, nil
}

// NoCandidateError says that nothing is left to try.
type NoCandidateError struct {
	Phase      Phase
	Rejections []Rejected
	Lo, Hi     int // the GPU counts that were allowed
}

// Error gives every rejection.
func (e *NoCandidateError) Error() string {
	text := fmt.Sprintf("no mapping on %d to %d GPUs can run the model for %s; allow more GPUs (--max-num-gpus-per-engine), another --gpu or a shorter --max-context-length",
		e.Lo, e.Hi, e.Phase)
	for _, r := range e.Rejections {
		for _, why := range r.Reasons {
			text += fmt.Sprintf("\n  %s: %s", r.Candidate.Mapping, why.Reason)
		}
	}
	return text
}
