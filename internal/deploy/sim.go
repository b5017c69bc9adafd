package deploy

import (
	"context"
	"errors"
	"fmt"
	"time"

	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/internal/model"
	"headway/internal/profile"
	"headway/record"
)

// DefaultLoadRate is how fast a node reads weights, in bytes per second: an
// assumption of the size that network storage reaches, not a measurement.
const DefaultLoadRate = 2e9

// simBlock is the length of a KV block in tokens.
const simBlock = 64

// Sim is a bench whose engines are simulated in virtual time, their steps timed
// by the roofline of the model, the GPU and the mapping, or by a twin of a server.
//
// Attention-DP is simulated as so many ranks, each a worker with a cache of its
// own that gets every n-th request. A step of a rank lasts as if all others had
// as much to do, which is so as long as concurrency is a multiple of the ranks;
// a rank does not wait for one that is busier, as real ranks in lockstep would.
type Sim struct {
	// Setup is how a candidate's worker is set up.
	Setup func(profile.Candidate) model.Setup
	// Engine is whose scheduler is simulated; "" is vLLM's.
	Engine engine.Type
	// LoadRate is how fast a node reads weights, in bytes per second; 0 is
	// DefaultLoadRate. Startup is how long an engine takes beside that, until
	// it answers.
	LoadRate float64
	Startup  time.Duration
	// Fitted is a calibrated server, which candidates of its mapping are simulated as;
	// nil where the roofline times all.
	Fitted *Fitted

	// warp, for tests, makes the truth another than the roofline: it changes
	// the steps of run i of a candidate, those that compute prompts and those
	// that only decode.
	warp func(c profile.Candidate, i int) func(prefills bool, t time.Duration) time.Duration
}

// Open never waits: Facts.Load says how long a real engine would have taken.
func (s *Sim) Open(_ context.Context, c profile.Candidate) (profile.Subject, error) {
	setup := s.Setup(c)
	memory, err := setup.Memory()
	var fit *model.FitError
	switch {
	case errors.As(err, &fit):
		return nil, &profile.DeadError{Reason: profile.ReasonMemory, Message: fit.Error()}
	case err != nil:
		return nil, err
	}
	line, err := setup.Roofline()
	if err != nil {
		return nil, err
	}
	e := &simEngine{sim: s, candidate: c, facts: profile.Facts{
		GPUs: c.Mapping.GPUs(), AttentionDP: c.Mapping.AttentionDP(), KVTokens: memory.Tokens(), Load: s.load(setup),
		Simulated: true,
	}}
	step := func(prefill, pairs, seqs, context int) time.Duration {
		t := line.StepTime(prefill, pairs, seqs, context)
		if e.warp != nil {
			t = e.warp(prefill > 0, t)
		}
		return t
	}
	e.config = s.config(c, setup, memory, step)
	if s.Fitted.is(c.Mapping) {
		s.Fitted.apply(&e.config)
		e.fitted, e.facts.KVTokens, e.facts.Sequences = s.Fitted, s.Fitted.KVTokens, s.Fitted.Sequences
	}
	if e.cluster, err = cluster.Start(e.config); err != nil {
		return nil, fmt.Errorf("simulating %s: %w", c.Tag(), err)
	}
	return e, nil
}

// config is the candidate as a cluster: a worker for each attention rank.
func (s *Sim) config(c profile.Candidate, setup model.Setup, memory model.Memory, step engine.StepFunc) cluster.Config {
	cfg := cluster.Defaults()
	cfg.TokenArrivals, cfg.Workers = false, c.Mapping.AttentionDP()
	cfg.Engine = engine.Config{
		Type: s.Engine, Timing: step, BlockSize: simBlock, NumGPUBlocks: max(memory.TokensPerRank/simBlock, 1),
		MaxNumSeqs: setup.MaxSequences, MaxNumBatchedTokens: setup.MaxBatchedTokens,
		NoPrefixCaching: c.Phase == profile.Prefill,
	}
	if c.Phase == profile.Prefill {
		cfg.Frontend = 0 // prompts come one at a time, or all at once: there is no lock-step to end
	}
	if s.Engine == engine.SGLang && c.Phase == profile.Prefill {
		cfg.Engine.SGLang = engine.SGLangConfig{MaxPrefillTokens: setup.MaxBatchedTokens,
			ChunkedPrefillSize: setup.MaxBatchedTokens}
	}
	return cfg
}

// load is how long a real engine would take until it answers: its start, and
// every node reading what its GPUs hold, at most the whole model.
func (s *Sim) load(setup model.Setup) time.Duration {
	rate := s.LoadRate
	if rate == 0 {
		rate = DefaultLoadRate
	}
	onNode := min(setup.Mapping.GPUs(), max(setup.GPUsPerNode, 1))
	bytes := min(setup.Model.WeightBytesPerGPU(setup.Mapping)*float64(onNode), setup.Model.WeightBytes())
	return s.Startup + time.Duration(bytes/rate*1e9)
}

// simEngine is a simulated candidate.
type simEngine struct {
	sim       *Sim
	candidate profile.Candidate
	facts     profile.Facts
	config    cluster.Config
	cluster   *cluster.Standing
	fitted    *Fitted // nil where the roofline times the steps
	runs      int
	warp      func(prefills bool, t time.Duration) time.Duration
}

func (e *simEngine) Facts() profile.Facts { return e.facts }

// Run simulates the plan on workers that still hold what earlier plans left in
// their caches.
func (e *simEngine) Run(ctx context.Context, p profile.Part, sink record.Sink) (profile.Ran, error) {
	if e.sim.warp != nil {
		e.warp = e.sim.warp(e.candidate, e.runs)
	}
	e.runs++
	_, o, err := e.cluster.Replay(ctx, p.Plan, sink)
	span := profile.Ran{Span: time.Duration(o.End - o.Begin)}
	switch {
	case err != nil:
		return span, fmt.Errorf("simulating %s: %w", e.candidate.Tag(), err)
	case o.Cancelled:
		return span, context.Cause(ctx)
	case o.Aborted != "":
		return span, fmt.Errorf("simulating %s: %s", e.candidate.Tag(), o.Aborted)
	case o.TooLong > 0:
		return span, fmt.Errorf("simulating %s: %d requests do not fit: the longest has %d tokens, prompt and "+
			"output together, and a rank holds %d",
			e.candidate.Tag(), o.TooLong, o.TooLongTokens, o.Capacity)
	}
	return span, nil
}

// Close has nothing to stop.
func (e *simEngine) Close(context.Context) error { return nil }
