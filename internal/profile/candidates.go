package profile

import (
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"headway/internal/fault"
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
	// Limits are those of the engines that are known, by mapping; others have the usual
	// ones of their phase.
	Limits map[model.Mapping]Limits
}

// Limits are what bounds an engine, in all phases.
type Limits struct {
	// Sequences and Tokens are the most in a step, KVTokens is how many tokens the
	// cache of the worker holds. All are above 0.
	Sequences, Tokens, KVTokens int
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
	var bad fault.List
	bad.Check(s.ISL >= 1, "isl", s.ISL, "at least 1")
	bad.Check(s.OSL >= 2, "osl", s.OSL, "at least 2, since an ITL needs two tokens")
	bad.Check(s.Context >= 0, "max-context-length", s.Context, "above 0, or 0 for the model's")
	if n := s.Sequence(); n > 0 && s.ISL+s.OSL > n {
		bad.Add("%s %d with %s %d: %d tokens are more than the context of %d (%s %d, the model's %d)",
			fault.Field("isl"),
			s.ISL, fault.Field("osl"), s.OSL, s.ISL+s.OSL, n, fault.Field("max-context-length"), s.Context,
			s.Model.Context)
	}
	bad.When(s.Sequence() <= 0 && s.Model.Layers != 0, "%s: the model's configuration does not say its context, so "+
		"it must be given",
		fault.Field("max-context-length"))
	bad.Check(s.MinGPUs >= 0, "min-num-gpus-per-engine", s.MinGPUs, "at least 1")
	bad.Check(s.MaxGPUs >= 0, "max-num-gpus-per-engine", s.MaxGPUs, "at least 1")
	bad.Check(s.GPUsPerNode >= 0, "num-gpus-per-node", s.GPUsPerNode, "at least 1")
	lo, hi := s.bounds()
	bad.When(lo > hi, "%s %d: more than %s %d", fault.Field("min-num-gpus-per-engine"), lo,
		fault.Field("max-num-gpus-per-engine"), hi)
	bad.When(lo <= hi && len(powers(lo, hi)) == 0, "%s %d and %s %d: no power of two lies between them",
		fault.Field("min-num-gpus-per-engine"), lo, fault.Field("max-num-gpus-per-engine"), hi)
	return bad.Err()
}

// bounds are the GPU counts, defaults filled in.
func (s Space) bounds() (lo, hi int) {
	lo, hi = max(s.MinGPUs, 1), s.MaxGPUs
	if hi == 0 {
		hi = max(s.PerNode(), lo)
	}
	return lo, hi
}

// PerNode is how many GPUs a node has, defaults filled in.
func (s Space) PerNode() int {
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
		Model: s.Model, GPU: s.GPU, Mapping: c.Mapping, GPUsPerNode: s.PerNode(), MemoryFraction: s.MemoryFraction,
		KVElementBytes: s.KVElementBytes, SequenceTokens: s.Sequence(), Efficiency: s.Efficiency,
		MaxBatchedTokens: stepTokens, MaxSequences: stepSequences,
	}
	if c.Phase == Prefill {
		m.MaxBatchedTokens, m.MaxSequences = PrefillMaxTokens, 1
	}
	if l, known := s.Limits[c.Mapping]; known {
		m.MaxBatchedTokens, m.MaxSequences = l.Tokens, l.Sequences
	}
	return m
}

// Facts are what is known of a candidate's engine before it runs: the cache is the one
// that is known, else what the memory leaves. The error is that of [model.Setup.Memory].
func (s Space) Facts(c Candidate) (Facts, error) {
	f := Facts{GPUs: c.Mapping.GPUs(), AttentionDP: c.Mapping.AttentionDP()}
	memory, err := s.Setup(c).Memory()
	if f.KVTokens = memory.Tokens(); err != nil {
		return f, err
	}
	if l, known := s.Limits[c.Mapping]; known {
		f.KVTokens, f.Sequences = l.KVTokens, l.Sequences
	}
	return f, nil
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

// Feasible says before anything starts whether both phases have candidates. What
// cannot be laid out for one phase should be known before hours are spent on the
// other.
func (s Space) Feasible() error {
	var faults []error
	for _, p := range []Phase{Prefill, Decode} {
		_, _, err := s.some(p)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

// some are the candidates of a phase, of which there have to be some.
func (s Space) some(p Phase) ([]Candidate, []Rejected, error) {
	list, rejected, err := s.Candidates(p)
	if err == nil && len(list) == 0 {
		lo, hi := s.bounds()
		err = &NoCandidateError{Phase: p, Rejections: rejected, Lo: lo, Hi: hi}
	}
	return list, rejected, err
}

// NoCandidateError says that nothing is left to try.
type NoCandidateError struct {
	Phase      Phase
	Rejections []Rejected
	Lo, Hi     int // the GPU counts that were allowed
}

// Unwrap is what to change.
func (e *NoCandidateError) Unwrap() error {
	return fault.New("no mapping on %d to %d GPUs can run the model for %s; allow more GPUs (%s), another %s or a "+
		"shorter %s",
		e.Lo, e.Hi, e.Phase, fault.Field("max-num-gpus-per-engine"), fault.Field("gpu"),
		fault.Field("max-context-length"))
}

// Error gives every rejection.
func (e *NoCandidateError) Error() string {
	text := e.Unwrap().Error()
	for _, r := range e.Rejections {
		for _, why := range r.Reasons {
			text += fmt.Sprintf("\n  %s: %s", r.Candidate.Mapping, why.Reason)
		}
	}
	return text
}
