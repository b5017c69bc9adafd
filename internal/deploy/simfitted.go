package deploy

import (
	"fmt"
	"slices"
	"strings"

	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/internal/fault"
	"headway/internal/model"
	"headway/internal/profile"
	"headway/internal/twin"
)

// Fitted is a calibrated server among the candidates of a search: workers of its
// mapping have its step times, its launches and its API server. A twin knows neither
// its GPUs nor how many they are, so the mapping is the caller's word.
//
// Other mappings stay with the roofline as it is. To scale it by how far it is off here
// would carry the error of one mapping over to another, where the waiting of GPUs for
// each other, which the twin has never seen, is what matters.
type Fitted struct {
	File    *twin.File
	Mapping model.Mapping
	// Limits are those to simulate; where they are not those of the file's server,
	// another setting of it is priced.
	profile.Limits
	// Unsized says that the file's cache is more than the GPUs hold beside the weights,
	// so that it is what the memory leaves.
	Unsized bool
}

// NewFitted is a twin as candidates of a space, which then has its limits. Of asked what
// is 0 is as on its server. The error says, by the names of options, why it can be none.
func NewFitted(f *twin.File, m model.Mapping, backend string, asked profile.Limits, s *profile.Space) (*Fitted, error) {
	switch {
	case f.Engine.Type != engine.Type(backend):
		return nil, fault.New("%s: a twin of %s, and %s is %s; give %s %s", fault.Field("twin"), f.Engine.Type,
			fault.Field("backend"), backend, fault.Field("backend"), f.Engine.Type)
	case m.AttentionDP() > 1:
		return nil, fault.New("%s %s: a twin is of one scheduler, and this mapping has %d attention ranks",
			fault.Field("twin-mapping"), m, m.AttentionDP())
	}
	if err := tried(m, *s); err != nil {
		return nil, err
	}
	setup := s.Setup(profile.Candidate{Phase: profile.Decode, Mapping: m})
	memory, err := setup.Memory()
	if err != nil {
		return nil, fmt.Errorf("finding room for the twin's cache: %w", err)
	}
	fitted := &Fitted{File: f, Mapping: m, Limits: asked}
	fill := func(v *int, to int) {
		if *v == 0 {
			*v = to
		}
	}
	fill(&fitted.Sequences, f.Engine.MaxNumSeqs)
	fill(&fitted.Tokens, f.Engine.MaxNumBatchedTokens)
	own := f.Engine.Blocks * f.Engine.BlockSize
	if float64(own)*memory.KVPerToken > setup.GPU.MemoryBytes-memory.Weights {
		fitted.size(memory.Tokens())
	} else {
		fill(&fitted.KVTokens, own)
	}
	if fitted.Tokens < fitted.Sequences {
		return nil, fault.New("%s %d with %s %d: a step has to hold a token of each sequence",
			fault.Field("max-num-batched-tokens"), fitted.Tokens, fault.Field("max-num-seqs"), fitted.Sequences)
	}
	s.Limits = map[model.Mapping]profile.Limits{m: fitted.Limits}
	if _, err := s.Setup(profile.Candidate{Phase: profile.Decode, Mapping: m}).Memory(); err != nil {
		return nil, fault.New("%s %d and %s %d: %w", fault.Field("max-num-seqs"), fitted.Sequences,
			fault.Field("max-num-batched-tokens"), fitted.Tokens, err)
	}
	return fitted, nil
}

// size is for a file whose cache the GPUs of the mapping cannot hold: a calibration takes
// one that no load fills where the server does not tell. What the memory leaves is then
// no other setting.
func (f *Fitted) size(tokens int) {
	if f.KVTokens == 0 {
		f.KVTokens, f.Unsized = tokens, true
	}
	sized := *f.File
	sized.Engine.Blocks = max(f.KVTokens/max(sized.Engine.BlockSize, 1), 1)
	f.File = &sized
}

// tried refuses a mapping that the search does not try.
func tried(m model.Mapping, s profile.Space) error {
	list, rejected, err := s.Candidates(profile.Decode)
	if err != nil {
		return fmt.Errorf("looking for the twin's mapping: %w", err)
	}
	if slices.ContainsFunc(list, func(c profile.Candidate) bool { return c.Mapping == m }) {
		return nil
	}
	for _, r := range rejected {
		if r.Candidate.Mapping == m {
			return fault.New("%s %s: is no candidate: %s", fault.Field("twin-mapping"), m, r.Reasons[0].Reason)
		}
	}
	var names []string
	for _, c := range list {
		names = append(names, c.Mapping.String())
	}
	return fault.New("%s %s: is not among the mappings that are tried: %s", fault.Field("twin-mapping"), m,
		strings.Join(names, ", "))
}

// is says whether a mapping is simulated by the twin.
func (f *Fitted) is(m model.Mapping) bool { return f != nil && f.Mapping == m }

// apply has a cluster be the twin's server with the limits.
func (f *Fitted) apply(c *cluster.Config) {
	e, own := &c.Engine, f.File.Engine.Coarse()
	e.Type, e.BlockSize = own.Type, own.BlockSize
	e.NumGPUBlocks = max(f.KVTokens/own.BlockSize, 1)
	e.MaxNumSeqs, e.MaxNumBatchedTokens = f.Sequences, f.Tokens
	e.SGLang = engine.SGLangConfig{}
	if e.Type == engine.SGLang {
		e.SGLang.ChunkedPrefillSize = f.Tokens
	}
	f.File.Apply(c)
}
