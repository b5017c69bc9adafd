package tail

import (
	"math"
	"slices"
	"time"

	"headway/internal/engine"
)

// asked is a request of a scenario. Its times are seconds.
type asked struct {
	planned  float64
	sent     float64 // later than planned where the client was late
	in, out  int
	blocks   []uint64
	session  string
	turn     int
	seen     int // tokens of the prompt that an earlier turn had sent, in whole blocks
	events   []engine.Event
	cached   int
	waitsFor *asked // the turn before, after whose reply it is sent
	pause    float64
}

// truthStep is a step of the engine, with what it computed of whose prompt.
type truthStep struct {
	start, end      float64
	prefill, decode int // tokens of prompts, sum of contexts that decode
	seqs            int
	own             map[uint64]int
}

// simulated is one worker that runs requests and keeps what it really did.
type simulated struct {
	cfg      engine.Config
	requests []*asked
	steps    []truthStep
	log      []truthStep // of the step that was begun
}

// stepTime is Dynamo's polynomial.
func (s *simulated) stepTime(prefill, _, seqs, context int) time.Duration {
	var p engine.Polynomial
	d := p.Prefill(prefill)
	if seqs > 0 {
		capacity := float64(s.cfg.NumGPUBlocks * s.cfg.BlockSize)
		d += p.Decode(min(1, float64(context)/capacity))
	}
	return d
}

// run drives the engine event by event, so that a step that begins does so at a time
// that is known.
func (s *simulated) run() {
	s.cfg.Timing = engine.StepFunc(func(prefill, sum, seqs, context int) time.Duration {
		s.log = append(s.log, truthStep{prefill: prefill, decode: context, seqs: seqs, own: map[uint64]int{}})
		return s.stepTime(prefill, sum, seqs, context)
	})
	e, err := engine.New(s.cfg)
	if err != nil {
		panic(err)
	}
	var left []*asked
	for _, q := range s.requests {
		if q.waitsFor == nil {
			left = append(left, q)
		} else {
			q.sent = math.Inf(1)
			left = append(left, q)
		}
	}
	ids := map[uint64]*asked{}
	for i, q := range s.requests {
		ids[uint64(i+1)] = q
	}
	idOf := map[*asked]uint64{}
	for id, q := range ids {
		idOf[q] = id
	}
	now := time.Duration(0)
	for {
		slices.SortStableFunc(left, func(a, b *asked) int {
			switch {
			case a.sent < b.sent:
				return -1
			case a.sent > b.sent:
				return 1
			}
			return 0
		})
		_, next, busy := e.Step(now)
		at := time.Duration(math.MaxInt64)
		if busy {
			at = next
		}
		if len(left) > 0 && !math.IsInf(left[0].sent, 1) {
			at = min(at, toTime(left[0].sent))
		}
		if at == math.MaxInt64 {
			return
		}
		now = max(at, now)
		for len(left) > 0 && !math.IsInf(left[0].sent, 1) && toTime(left[0].sent) <= now {
			q := left[0]
			left = left[1:]
			err := e.Submit(now, engine.Request{ID: idOf[q], PromptTokens: q.in, MaxTokens: q.out, Blocks: q.blocks})
			if err != nil {
				panic(err)
			}
		}
		s.log = s.log[:0]
		events, _, _ := e.Step(now)
		for _, ev := range events {
			q := ids[ev.ID]
			q.events = append(q.events, ev)
			if ev.Kind == engine.Admitted && len(q.events) == 1 {
				q.cached = ev.Cached
			}
			if ev.Kind == engine.Finished {
				for _, later := range left {
					if later.waitsFor == q {
						later.sent = ev.At.Seconds() + later.pause
						later.planned = later.sent
					}
				}
			}
		}
		for _, x := range s.log {
			x.start = now.Seconds()
			x.end = x.start + s.stepTime(x.prefill, 0, x.seqs, x.decode).Seconds()
			s.steps = append(s.steps, x)
		}
	}
}

func toTime(s float64) time.Duration { return time.Duration(math.Round(s * 1e9)) }

// computed is a prompt in the engine: from its admission until its next token or its
// preemption.
type computed struct {
	id       uint64
	from, to time.Duration
	tokens   int
}

// assign says whose prompts each step computed: an engine takes them in the order of
// their admission, as far as the step's tokens go.
func (s *simulated) assign() {
	var all []*computed
	for i, q := range s.requests {
		var open *computed
		tokens := 0
		for _, ev := range q.events {
			switch ev.Kind {
			case engine.Admitted:
				open = &computed{id: uint64(i + 1), from: ev.At, to: math.MaxInt64, tokens: q.in + tokens - ev.Cached}
				all = append(all, open)
			case engine.Token:
				tokens = ev.Token
				if open != nil {
					open.to, open = ev.At, nil
				}
			case engine.Preempted:
				if open != nil {
					open.to, open = ev.At, nil
				}
			}
		}
	}
	slices.SortStableFunc(all, func(a, b *computed) int { return int(a.from - b.from) })
	for j := range s.steps {
		x := &s.steps[j]
		rest := x.prefill
		for _, c := range all {
			start := toTime(x.start)
			if rest > 0 && c.tokens > 0 && c.from <= start && c.to > start {
				n := min(rest, c.tokens)
				x.own[c.id] += n
				rest, c.tokens = rest-n, c.tokens-n
			}
		}
	}
}

// seconds of a step without the prompts of others, and without any.
func (s *simulated) alone(x *truthStep, own int) float64 {
	return s.stepTime(own, 0, x.seqs, x.decode).Seconds()
}

// truth is where the time of the i-th request really went, up to its first and its
// last token at the server.
func (s *simulated) truth(i int) (first, whole Split) {
	q := s.requests[i]
	var sum Split
	sum[Client] += q.sent - q.planned
	at, place := q.sent, Queueing
	for _, ev := range q.events {
		until := ev.At.Seconds()
		switch place {
		case OwnPrefill:
			s.prompt(&sum, q, uint64(i+1), at, until)
		case Decoding:
			s.decoding(&sum, at, until)
		default:
			sum[place] += until - at
		}
		at = until
		switch {
		case ev.Kind == engine.Admitted && place == Queueing:
			place = OwnPrefill
		case ev.Kind == engine.Token:
			place = Decoding
		case ev.Kind == engine.Preempted:
			place = Preemption
		}
		if ev.Kind == engine.Token && ev.Token == 1 {
			first = sum
		}
	}
	return first, sum
}

func (s *simulated) during(from, until float64, see func(x *truthStep, span float64)) {
	j, _ := slices.BinarySearchFunc(s.steps, from, func(x truthStep, at float64) int {
		if x.end <= at {
			return -1
		}
		return 1
	})
	for ; j < len(s.steps) && s.steps[j].start < until; j++ {
		if span := min(until, s.steps[j].end) - max(from, s.steps[j].start); span > 0 {
			see(&s.steps[j], span)
		}
	}
}

func (s *simulated) prompt(sum *Split, q *asked, id uint64, from, until float64) {
	missed := max(0, q.seen-q.cached)
	s.during(from, until, func(x *truthStep, span float64) {
		own := 0.0
		if n := x.own[id]; n > 0 {
			own = span * s.alone(x, n) / (x.end - x.start)
		}
		missing := own * float64(missed) / float64(max(1, q.in-q.cached))
		sum[MissingCache] += missing
		sum[OwnPrefill] += own - missing
		sum[OthersPrefills] += span - own
	})
}

func (s *simulated) decoding(sum *Split, from, until float64) {
	s.during(from, until, func(x *truthStep, span float64) {
		alone := span * s.alone(x, 0) / (x.end - x.start)
		sum[Decoding] += alone
		sum[OthersPrefills] += span - alone
	})
}
