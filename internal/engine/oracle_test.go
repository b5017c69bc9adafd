package engine

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// oracle is vLLM's schedule written down as plainly as it can be: every block
// is a name in a list, every sequence is looked at in every step. It knows
// Polynomial and StepFunc times, and no other types, roles or options than the
// defaults but the sizes and the order of preemption.
type oracle struct {
	cfg     Config
	in      []arrival // still to come
	waiting []*oracleSeq
	running []*oracleSeq
	idle    []uint64 // names nobody holds, from the oldest
	events  []Event
	budget  int  // tokens that the step can still compute
	patient bool // evict later
}

type oracleSeq struct {
	r                          Request
	generated, computed, chunk int
	private                    int
	held                       []uint64
	decoding                   bool
}

func (s *oracleSeq) context() int { return s.r.PromptTokens + s.generated }

// active is how many blocks are in use.
func (o *oracle) active() int {
	n, names := 0, map[uint64]bool{}
	for _, s := range o.running {
		n += s.private
		for _, h := range s.held {
			names[h] = true
		}
	}
	return n + len(names)
}

func (o *oracle) holder(h uint64) bool {
	return slices.ContainsFunc(o.running, func(s *oracleSeq) bool { return slices.Contains(s.held, h) })
}

// grow gives s blocks for so many tokens, or does nothing.
func (o *oracle) grow(s *oracleSeq, tokens int) bool {
	need := o.cfg.blocksFor(tokens) - len(s.held) - s.private
	full := max(min(len(s.r.Blocks), tokens/o.cfg.BlockSize), len(s.held))
	for _, h := range s.r.Blocks[len(s.held):full] {
		if o.holder(h) {
			need--
		}
	}
	if need > o.cfg.NumGPUBlocks-o.active() {
		return false
	}
	for _, h := range s.r.Blocks[len(s.held):full] {
		if s.private > 0 {
			s.private--
		}
		if i := slices.Index(o.idle, h); i >= 0 {
			o.idle = slices.Delete(o.idle, i, i+1)
		}
		s.held = append(s.held, h)
		o.evict()
	}
	s.private = o.cfg.blocksFor(tokens) - len(s.held)
	o.evict()
	return true
}

func (o *oracle) evict() {
	for !o.patient && o.active()+len(o.idle) > o.cfg.NumGPUBlocks {
		o.idle = o.idle[1:]
	}
}

func (o *oracle) leave(s *oracleSeq) {
	o.running = slices.DeleteFunc(o.running, func(r *oracleSeq) bool { return r == s })
	for _, h := range slices.Backward(s.held) {
		if !o.holder(h) {
			o.idle = append(o.idle, h)
		}
	}
	s.held = nil
	s.private = 0
	s.computed = 0
	s.chunk = 0
	s.decoding = false
}

func (o *oracle) note(at time.Duration, s *oracleSeq, k Kind, cached int) {
	o.events = append(o.events, Event{At: at, ID: s.r.ID, Kind: k, Token: s.generated, Cached: cached})
}

func (o *oracle) enqueue(s *oracleSeq, front bool) {
	i := 0
	for i < len(o.waiting) &&
		(o.waiting[i].r.Priority > s.r.Priority || (!front && o.waiting[i].r.Priority == s.r.Priority)) {
		i++
	}
	o.waiting = slices.Insert(o.waiting, i, s)
}

// makeRoom is the loop of the engine of the same name.
func (o *oracle) makeRoom(s *oracleSeq, tokens int, at time.Duration) bool {
	for !o.grow(s, tokens) {
		v := o.running[len(o.running)-1]
		if o.cfg.Preemption == FIFO {
			v = o.running[0]
		}
		if o.patient {
			o.budget += v.chunk
		}
		o.leave(v)
		o.enqueue(v, true)
		o.note(at, v, Preempted, 0)
		if v == s {
			return false
		}
	}
	return true
}

// admit is the head of the queue, if it may run.
func (o *oracle) admit(at time.Duration) *oracleSeq {
	if len(o.waiting) == 0 || len(o.running) >= o.cfg.MaxNumSeqs {
		return nil
	}
	s := o.waiting[0]
	cached, shared := 0, 0
	for cached < min(len(s.r.Blocks), (s.context()-1)/o.cfg.BlockSize) {
		h := s.r.Blocks[cached]
		if o.holder(h) {
			shared++
		} else if !slices.Contains(o.idle, h) {
			break
		}
		cached++
	}
	if o.active()+o.cfg.blocksFor(s.context())-shared > o.cfg.usableBlocks() {
		return nil
	}
	o.waiting = o.waiting[1:]
	o.running = append(o.running, s)
	s.computed = cached * o.cfg.BlockSize
	o.grow(s, s.computed)
	o.note(at, s, Admitted, s.computed)
	return s
}

// step plans and does one step, and returns its end.
func (o *oracle) step(at time.Duration) time.Duration {
	var l load
	before := len(o.events)
	o.budget = o.cfg.MaxNumBatchedTokens
	add := func(s *oracleSeq) {
		n := min(s.context()-s.computed, o.budget)
		if !o.makeRoom(s, s.computed+n, at) {
			return
		}
		s.chunk = n
		o.budget -= n
	}
	for _, s := range slices.Clone(o.running) {
		// Those that decode settle who gives way before anything is evicted.
		o.patient = s.decoding
		if !o.patient {
			o.evict()
		}
		if slices.Contains(o.running, s) {
			add(s)
		}
	}
	o.patient = false
	o.evict()
	for o.budget > 0 && !slices.ContainsFunc(o.events[before:], func(e Event) bool { return e.Kind == Preempted }) {
		s := o.admit(at)
		if s == nil {
			break
		}
		add(s)
	}
	for _, s := range o.running {
		if s.decoding {
			l.decodeSeqs++
			l.decodeContext += s.context()
		} else {
			l.addPrompt(s.computed, s.chunk)
		}
	}
	l.usedBlocks = o.active()
	l.cache = o.cfg.cacheOf(l)
	return at + o.cfg.Timing.(stepModel).stepTime(l)
}

// finish ends a step.
func (o *oracle) finish(at time.Duration) {
	for _, s := range slices.Clone(o.running) {
		s.computed += s.chunk
		s.chunk = 0
		if s.computed < s.context() {
			continue
		}
		s.generated++
		s.decoding = true
		o.note(at, s, Token, 0)
		if s.generated == s.r.MaxTokens {
			o.leave(s)
			o.note(at, s, Finished, 0)
		}
	}
}

// apply takes in what comes up to a time.
func (o *oracle) apply(until time.Duration) {
	for len(o.in) > 0 && max(o.in[0].At, o.cfg.StartupTime) <= until {
		a := o.in[0]
		o.in = o.in[1:]
		is := func(s *oracleSeq) bool { return s.r.ID == a.R.ID }
		if !a.Cancel {
			o.enqueue(&oracleSeq{r: a.R}, false)
		} else if i := slices.IndexFunc(o.waiting, is); i >= 0 {
			o.note(max(a.At, o.cfg.StartupTime), o.waiting[i], Cancelled, 0)
			o.waiting = slices.Delete(o.waiting, i, i+1)
		} else if i := slices.IndexFunc(o.running, is); i >= 0 {
			s := o.running[i]
			o.leave(s)
			o.note(max(a.At, o.cfg.StartupTime), s, Cancelled, 0)
		}
	}
}

func (o *oracle) run() []Event {
	for at := o.cfg.StartupTime; ; {
		o.apply(at)
		if len(o.waiting)+len(o.running) == 0 {
			if len(o.in) == 0 {
				return o.events
			}
			at = max(at, o.in[0].At)
			continue
		}
		at = o.step(at)
		o.apply(at)
		o.finish(at)
	}
}

// The engine does what the plain schedule does.
func TestAgainstPlainSchedule(t *testing.T) {
	preempted, cached := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		cfg := Config{
			Timing:              rapid.SampledFrom([]Timing{Polynomial{}, StepFunc(ragged)}).Draw(t, "timing"),
			MaxNumSeqs:          rapid.IntRange(1, 6).Draw(t, "seqs"),
			MaxNumBatchedTokens: rapid.IntRange(6, 80).Draw(t, "budget"),
			NumGPUBlocks:        rapid.IntRange(20, 60).Draw(t, "blocks"),
			BlockSize:           rapid.IntRange(1, 8).Draw(t, "block size"),
			Watermark:           rapid.SampledFrom([]float64{-1, 0.01, 0.2}).Draw(t, "watermark"),
			Preemption:          rapid.SampledFrom([]Preemption{LIFO, FIFO}).Draw(t, "preemption"),
			StartupTime:         rapid.SampledFrom([]time.Duration{0, 50 * time.Millisecond}).Draw(t, "start-up"),
		}
		in := drawArrivals(t, cfg)
		want := (&oracle{cfg: cfg.withDefaults(), in: in}).run()
		e := mustNew(t, cfg)
		feed(t, e, in, forever)
		got, _, _ := e.Step(forever)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("plain schedule (-) and engine (+):\n%s", diff)
		}
		s := e.Stats()
		preempted += int(s.Preempted)
		cached += int(s.CachedTokens)
	})
	if preempted == 0 || cached == 0 {
		t.Errorf("%d preemptions, %d cached tokens: nothing was shown", preempted, cached)
	}
}
