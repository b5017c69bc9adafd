package metric

import (
	"cmp"
	"slices"

	"headway/record"
)

// occupancy keeps of every request what the steady part needs: when it was in
// flight and, for replies, when its tokens came. Twelve bytes an arrival.
type occupancy struct {
	level int
	spans []span
	times []record.Time // arrivals with text of all replies, one reply after another
	parts []uint32      // their tokens; all 1 in a reply whose chunks were not counted
}

// span is a request in flight from start to end. A reply has the arrivals
// from its offset on.
type span struct {
	start, end   record.Time
	first, count int
	tokens       float64
	valid        bool
}

func (o *occupancy) add(r *record.Record) {
	if !r.Start.Known() || r.Done < r.Start {
		return
	}
	s := span{start: r.Start, end: r.Done, first: len(o.times), valid: Valid(r)}
	if s.valid {
		s.tokens, _ = OSL(r)
		o.arrivals(r)
		s.count = len(o.times) - s.first
	}
	o.spans = append(o.spans, s)
}

func (o *occupancy) arrivals(r *record.Record) {
	counted := slices.ContainsFunc(r.Arrivals, func(a record.Arrival) bool { return a.Kind.Text() && a.Tokens > 0 })
	for i := range r.Arrivals {
		a := &r.Arrivals[i]
		if !a.Kind.Text() {
			continue
		}
		part := uint32(1)
		if counted {
			part = uint32(max(0, a.Tokens))
		}
		o.times = append(o.times, a.At)
		o.parts = append(o.parts, part)
	}
}

// steady finds the part of the run at the asked level and what was served in
// it.
//
// The part is one piece, from the first instant at which nine tenths of the
// level were in flight to the last. Leaving out the dips between would be
// wrong: in a closed loop every reply is followed by one while the next
// request starts, and a server that answers in rounds has them by nature. They
// are time in which less was served.
func (o *occupancy) steady() *Steady {
	s := &Steady{Level: o.level}
	if len(o.spans) == 0 {
		return s
	}
	begin, end := o.bounds()
	if end <= begin {
		return s
	}
	s.Begin, s.Duration = seconds(begin), seconds(end-begin)
	var replies int
	var tokens []float64
	first, last := o.spans[0].start, o.spans[0].end
	for _, p := range o.spans {
		first, last = min(first, p.start), max(last, p.end)
		if !p.valid {
			continue
		}
		if p.end > begin && p.end <= end {
			replies++
		}
		tokens = append(tokens, o.inside(p, begin, end))
	}
	slices.Sort(tokens)
	s.RequestThroughput = float64(replies) / s.Duration
	s.OutputTokenThroughput = sum(tokens) / s.Duration
	s.Share = s.Duration / seconds(last-first)
	return s
}

// inside is how many of a reply's tokens came after begin and not after end.
func (o *occupancy) inside(p span, begin, end record.Time) float64 {
	var in, all uint64
	for i := p.first; i < p.first+p.count; i++ {
		all += uint64(o.parts[i])
		if o.times[i] > begin && o.times[i] <= end {
			in += uint64(o.parts[i])
		}
	}
	if all == 0 {
		return 0
	}
	return p.tokens * (float64(in) / float64(all))
}

// bounds is the first instant at which the threshold was reached and the last
// at which it was left; equal where it never was.
func (o *occupancy) bounds() (begin, end record.Time) {
	type change struct {
		at record.Time
		by int
	}
	changes := make([]change, 0, 2*len(o.spans))
	for _, p := range o.spans {
		changes = append(changes, change{p.start, 1}, change{p.end, -1})
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	threshold := (9*o.level + 9) / 10 // rounded up
	flying, before := 0, 0
	for i, c := range changes {
		flying += c.by
		// Changes at one instant count together: a slot that is handed on at
		// once is neither free nor taken twice.
		if i+1 < len(changes) && changes[i+1].at == c.at {
			continue
		}
		if flying >= threshold && begin == 0 {
			begin = c.at
		}
		if before >= threshold && flying < threshold {
			end = c.at
		}
		before = flying
	}
	return begin, end
}
