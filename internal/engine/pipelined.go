package engine

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"headway/internal/fault"
)

// Pipelined is the timing of an engine whose CPU plans and launches a step while
// the GPU computes the one before: the asynchronous scheduling of vLLM V1 and
// the overlap scheduler of SGLang. The tokens of a step leave when it has ended
// on the GPU and the next one is launched, and a request that comes after the
// next step was planned waits for the one after it.
type Pipelined struct {
	// Pass is the time of a step on the GPU.
	Pass StepFunc
	// Launch is the CPU's part.
	Launch Launch
}

// Launch is how long the CPU takes to launch a step. Times are of a process that
// runs Python, and so are of milliseconds.
type Launch struct {
	// Decode is for a step that only decodes, which is one captured graph.
	Decode time.Duration
	// Small is for a step with prompt tokens, of at most SmallTokens tokens
	// together.
	Small       time.Duration
	SmallTokens int
	// Prompt is the least, and Share the share of the pass, for a larger one.
	Prompt time.Duration
	Share  float64
	// Tail is what is left of a pass at least when its launch has ended.
	Tail time.Duration
	// Collect is from taking a step's tokens to planning the step after the next.
	Collect time.Duration
	// Jitter is the standard deviation of the logarithm of a factor with mean 1
	// on each launch; 0 is none.
	Jitter float64
	// Before has a pass begin when its launch has ended, as one captured graph
	// does. Without it the GPU follows the launch kernel by kernel.
	Before bool
	// Serial engines launch a step when the one before has ended.
	Serial bool
}

func (p Pipelined) validate() []error {
	if p.Pass == nil {
		return []error{errors.New("step time: the function is nil")}
	}
	var bad fault.List
	for _, d := range []struct {
		name string
		d    time.Duration
	}{
		{"decode", p.Launch.Decode}, {"small", p.Launch.Small}, {"prompt", p.Launch.Prompt},
		{"tail", p.Launch.Tail}, {"collect", p.Launch.Collect},
	} {
		bad.Check(d.d >= 0, fault.Field("launch."+d.name), d.d, "0 or more")
	}
	bad.Check(p.Launch.Share >= 0 && p.Launch.Share <= 100, "launch.share", p.Launch.Share, "from 0 to 100")
	bad.Check(p.Launch.Jitter >= 0 && p.Launch.Jitter <= 2, "launch.jitter", p.Launch.Jitter, "from 0 to 2")
	if err := bad.Err(); err != nil {
		return []error{fmt.Errorf("pipelined timing: %w", err)}
	}
	return nil
}

func (p Pipelined) pace(c Config) pace {
	l := newLockstep(p.Pass, c)
	l.pipe = &pipeline{launch: p.Launch, speedup: c.SpeedupRatio, width: c.perDecode(),
		random: rand.New(rand.NewPCG(c.Seed, 0x6c61756e6368))}
	return l
}

// pipeline is what a lockstep remembers of launches.
type pipeline struct {
	launch  Launch
	speedup float64
	width   int // tokens that a step computes of each sequence that decodes
	random  *rand.Rand

	gpuEnd  time.Duration // of the latest step launched
	planAt  time.Duration // when the next step is planned
	planned bool          // the next step's time of planning has passed
	cpu     time.Duration // of the launch of the step that is being planned
}

// time draws how long a step's launch takes.
func (p *pipeline) time(l load, pass time.Duration) time.Duration {
	d := p.launch.Decode
	switch {
	case l.prefillTokens == 0:
	case l.prefillTokens+l.decodeSeqs*p.width <= p.launch.SmallTokens:
		d = p.launch.Small
	default:
		d = max(p.launch.Prompt, time.Duration(p.launch.Share*float64(pass)*p.speedup))
	}
	if j := p.launch.Jitter; j > 0 {
		d = time.Duration(float64(d) * math.Exp(j*p.random.NormFloat64()-j*j/2))
	}
	return sped(d, p.speedup)
}

// cutoff is the last arrival that may share a step planned at that time.
func (l *lockstep) cutoff(at time.Duration) time.Duration {
	if l.pipe != nil && l.pipe.planned {
		return l.pipe.planAt
	}
	return at
}

// startPiped launches a step while the one before may still run on the GPU. It
// was planned before, unless the engine was idle.
func (l *lockstep) startPiped(e *Engine, step load, at time.Duration) {
	p := l.pipe
	pass := e.cfg.stepTime(l.model, step) + e.loaded()
	plan, cpu := p.planAt, p.cpu
	if !p.planned {
		plan, cpu = at, p.time(step, pass)
	}
	tail := sped(p.launch.Tail, p.speedup)
	if p.launch.Serial {
		p.gpuEnd = plan + max(cpu, pass) + tail
		l.end = p.gpuEnd
		return
	}
	ready := plan
	if p.launch.Before {
		ready += cpu
	}
	p.gpuEnd = max(max(p.gpuEnd, ready)+pass, plan+cpu+tail)
	next := plan + cpu
	if p.planned {
		next = max(next, at+sped(p.launch.Collect, p.speedup)) // the one before has just been collected
	}
	p.planAt, p.planned = next, false
	l.end = max(next, at)
}

// plan decides, at its time, how long the launch of the next step will take.
func (l *lockstep) plan(e *Engine, at time.Duration) {
	p := l.pipe
	p.planned, p.planAt = true, at
	next := load{decodeSeqs: e.dec.n, decodeContext: e.dec.context}
	tokens := 0
	for _, s := range l.prompts {
		tokens += s.context() - s.computed - s.chunk
	}
	e.waiting.each(func(s *sequence) { tokens += s.context() })
	next.prefillTokens = min(tokens, max(e.cfg.MaxNumBatchedTokens-e.dec.n*p.width, 0))
	if next.prefillTokens == 0 && next.decodeSeqs == 0 && len(l.prompts) == 0 {
		l.end = max(p.gpuEnd, at)
		return
	}
	if e.rules.phased && next.prefillTokens > 0 {
		next.decodeSeqs, next.decodeContext = 0, 0
	}
	p.cpu = p.time(next, e.cfg.stepTime(l.model, next))
	l.end = max(p.gpuEnd, at+p.cpu)
}
