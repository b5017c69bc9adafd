package metric

import (
	"cmp"
	"slices"

	"headway/record"
)

// sweep makes the curves of what was going on at each instant, out of what
// begins and ends, and describes them by their time: Effective metrics over
// the whole run, from the first start to the last end, Active ones over the
// time in which there was something to measure.
//
// The rules are those of aiperf 0.13.0. Prefill is the client's view of it,
// from the start to the first text, and decode what comes after, to the end of
// the reply. A prompt's tokens are spread evenly over the prefill. Of the
// output the first token is there with the first text; the others are shared
// out evenly to the gaps between chunks that are not zero, and each gap's
// tokens spread over it. Where the run has more gaps than are kept they are
// spread over the whole decode (aiperf does so with its bounded backend).
//
// One sort of an event a chunk, or three a request, and one of the steps
// between them for each curve; buffers are used again from one curve to the
// next. They are the most that a run's result takes: a million requests with
// four million gaps take some 250 MB for it.
type sweep struct {
	t          *timeline
	begin, end record.Time
	events     []event
	begins     []record.Time // of the requests that are in a phase
	ends       []record.Time
	steps      []step
	done       map[string]Summary
}

// event is a change at an instant, of a rate in units per nanosecond or of an
// amount.
type event struct {
	at record.Time
	by float64
}

// sweep computes the curves that exist, by tag; the Metric of each Summary is
// not set.
func (t *timeline) sweep() map[string]Summary {
	s := &sweep{t: t, done: map[string]Summary{}}
	var ok bool
	if s.begin, s.end, ok = t.window(); !ok {
		return nil
	}
	// Chunks of one reply follow on each other, so that one's end is the
	// next one's begin.
	n := 3 * t.spans.len()
	if s.byChunks() {
		n += t.kept
	}
	s.events = make([]event, 0, n)
	s.steps = make([]step, 0, n+2*t.spans.len()+2)
	s.whole()
	s.decode()
	s.prefill()
	s.inFlight()
	return s.done
}

// clear begins a phase.
func (s *sweep) clear() { s.events, s.begins, s.ends = s.events[:0], s.begins[:0], s.ends[:0] }

// in counts a request as in the phase.
func (s *sweep) in(from, to record.Time) {
	s.begins, s.ends = append(s.begins, from), append(s.ends, to)
}

// change adds an event, unless nothing changes.
func (s *sweep) change(at record.Time, by float64) {
	if by != 0 {
		s.events = append(s.events, event{at, by})
	}
}

// byChunks reports whether it is known when each chunk came.
func (s *sweep) byChunks() bool { return s.t.exact() && s.t.gaps > 0 }

// streamed reports whether the reply has a prefill and a decode.
func (p *span) streamed() bool { return p.is(spanValid) && p.is(spanStream) }

// input is the rate of a request's prefill in tokens per nanosecond, 0 where
// there is none.
func (p *span) input() float64 {
	if !p.streamed() || p.isl < 0 || p.first <= p.start {
		return 0
	}
	return float64(p.isl) / float64(p.first-p.start)
}

// output is the rate of a reply's decode as a whole, its first token left out;
// 0 where there is none.
func (p *span) output() float64 {
	if !p.streamed() || p.osl < 1 || p.end <= p.first {
		return 0
	}
	return float64(p.osl-1) / float64(p.end-p.first)
}

// whole is about requests, whatever they are at.
func (s *sweep) whole() {
	s.clear()
	streamed := false
	for p := range s.t.flown {
		s.in(p.start, p.end)
		input, output := p.input(), p.output()
		s.change(p.start, input)
		s.change(p.first, output-input)
		s.change(p.end, -output)
		streamed = streamed || p.streamed()
	}
	s.sort()
	s.over("effective_concurrency", "", 1, number)
	if streamed && s.t.lack.in() && s.t.lack.out() {
		s.over("effective_total_throughput", "active_total_throughput", 1e9, wholeRate)
	}
}

// decode is about replies from their first text on.
func (s *sweep) decode() {
	s.clear()
	for p := range s.t.flown {
		if !p.streamed() {
			continue
		}
		s.in(p.first, p.end)
		if s.byChunks() {
			s.gaps(p)
		} else {
			s.change(p.first, p.output())
			s.change(p.end, -p.output())
		}
	}
	s.phase("decode", s.t.lack.out() && s.t.lack.chunks())
}

// gaps adds what a reply brought, gap by gap.
func (s *sweep) gaps(p *span) {
	if !p.is(spanGaps) || p.osl < 1 {
		return
	}
	n := 0
	for _, c := range s.t.chunksOf(p) {
		if c.gap > 0 {
			n++
		}
	}
	at, before := p.first, 0.
	for _, c := range s.t.chunksOf(p) {
		if c.gap > 0 {
			rate := float64(p.osl-1) / float64(n) / float64(c.gap)
			s.change(at, rate-before)
			at, before = at+c.gap, rate
		}
	}
	s.change(at, -before)
}

// prefill is about requests without a text so far. Those that failed are not
// known to have had a prefill.
func (s *sweep) prefill() {
	s.clear()
	for p := range s.t.flown {
		if p.streamed() {
			s.in(p.start, p.first)
			s.change(p.start, p.input())
			s.change(p.first, -p.input())
		}
	}
	s.phase("prefill", s.t.lack.in())
}

// phase describes the curves of decode or prefill; those of tokens where they
// are known.
func (s *sweep) phase(name string, tokens bool) {
	if len(s.begins) == 0 {
		return
	}
	s.sort()
	s.over("effective_"+name+"_concurrency", "", 1, number)
	if !tokens {
		return
	}
	s.over("effective_"+name+"_throughput", "active_"+name+"_throughput", 1e9, wholeRate)
	s.over("effective_"+name+"_throughput_per_user", "active_"+name+"_throughput_per_user", 1e9, perHead)
}

// inFlight is the number of tokens that a server has to remember: those of the
// prompt from the start, those of the output as they come, until the end.
func (s *sweep) inFlight() {
	if l := &s.t.lack; !l.in() || !l.out() || !l.chunks() {
		return
	}
	s.clear()
	for p := range s.t.flown {
		if !p.streamed() {
			continue
		}
		tokens := 0.
		if p.isl >= 0 && p.first > p.start {
			tokens = float64(p.isl)
			s.change(p.start, tokens)
		}
		if p.osl >= 1 && p.end > p.first {
			tokens += s.grow(p)
		}
		s.change(p.end, -tokens)
		s.in(p.start, p.end)
	}
	if len(s.events) == 0 {
		return
	}
	s.sort()
	s.over("tokens_in_flight", "", 1, wholeRate)
}

// grow adds a reply's tokens and returns how many: one with the first chunk,
// the others shared out evenly to those after it. A reply of one chunk has no
// gap and is left out, as in aiperf. Where chunks are not known all come with
// the first.
func (s *sweep) grow(p *span) float64 {
	if !s.byChunks() {
		s.change(p.first, float64(p.osl))
		return float64(p.osl)
	}
	if !p.is(spanGaps) || p.count < 2 {
		return 0
	}
	each := float64(p.osl-1) / float64(p.count-1)
	at := p.first
	for i, c := range s.t.chunksOf(p) {
		at += c.gap
		if i == 0 {
			s.change(at, 1)
		} else {
			s.change(min(at, p.end), each)
		}
	}
	return float64(p.osl)
}

// sort orders the events, those of one instant by what they change, so that
// sums do not depend on the order of requests.
func (s *sweep) sort() {
	slices.SortFunc(s.events, func(a, b event) int {
		if a.at != b.at {
			return cmp.Compare(a.at, b.at)
		}
		return cmp.Compare(a.by, b.by)
	})
	slices.Sort(s.begins)
	slices.Sort(s.ends)
}
