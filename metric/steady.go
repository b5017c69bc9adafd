package metric

import (
	"cmp"
	"slices"

	"headway/record"
)

// steady finds the part of the run at the asked level and what was served in
// it.
//
// The part is one piece, from the first instant at which nine tenths of the
// level were in flight to the last. Leaving out the dips between would be
// wrong: in a closed loop every reply is followed by one while the next
// request starts, and a server that answers in rounds has them by nature. They
// are time in which less was served.
//
// A request counts by the share of its time in flight that lies inside. To
// count those that ended inside would be too few: the part begins with all
// requests new and ends with all but one still running. Tokens that came at one
// instant, as those of a reply that is no stream, count like their request.
//
// Where the run has too many chunks to know when each came, a reply's tokens
// are spread evenly from its first to its last. Only requests that were in
// flight at one of the part's two ends are touched by that.
//
// Requests of a warm-up that handed its load over are in flight when the
// measurement begins, and count for what they had of it: the level is reached
// from its first instant on. before is the timeline of the warm-up, nil where
// there was none; one that was drained has nothing in flight by then.
func (t *timeline) steady(level int, before *timeline) *Steady {
	s := &Steady{Level: level}
	begin, end := t.bounds(level, before)
	if end <= begin {
		return s
	}
	s.Begin, s.Duration = seconds(begin), seconds(end-begin)
	var replies, tokens []float64
	first, last, _ := t.window()
	for t, p := range t.flying(before) {
		if p.is(spanValid) {
			replies = append(replies, share(p.start, p.end, begin, end))
			tokens = append(tokens, t.inside(p, begin, end))
		}
	}
	slices.Sort(replies)
	slices.Sort(tokens)
	s.RequestThroughput = sum(replies) / s.Duration
	s.OutputTokenThroughput = sum(tokens) / s.Duration
	s.Share = s.Duration / seconds(last-first)
	return s
}

// delivered compares the planned starts of what was sent with the ends of good
// replies (requests/s).
func (t *timeline) delivered() (offered, completed float64) {
	var planned, done []float64
	for p := range t.spans.each {
		planned = append(planned, seconds(p.planned))
		if p.is(spanValid) {
			done = append(done, seconds(p.end))
		}
	}
	offered, completed = record.MiddleRate(planned), record.MiddleRate(done)
	if len(done) < len(planned) {
		completed = min(completed, offered*float64(len(done))/float64(len(planned)))
	}
	return offered, completed
}

// inside is how many of a reply's tokens came after begin and not after end.
func (t *timeline) inside(p *span, begin, end record.Time) float64 {
	if p.osl <= 0 {
		return 0
	}
	if p.last <= p.first {
		return float64(p.osl) * share(p.start, p.end, begin, end)
	}
	if !t.exact() {
		return float64(p.osl) * share(p.first, p.last, begin, end)
	}
	var in, all uint64
	at := p.first
	for _, c := range t.chunksOf(p) {
		at += c.gap
		all += uint64(c.tokens)
		if at > begin && at <= end {
			in += uint64(c.tokens)
		}
	}
	if all == 0 {
		return 0
	}
	return float64(p.osl) * (float64(in) / float64(all))
}

// share is the part of the time from one instant to another that lies after
// begin and not after end, 0 to 1.
func share(from, to, begin, end record.Time) float64 {
	if to <= from {
		if from > begin && from <= end {
			return 1
		}
		return 0
	}
	inside := min(to, end) - max(from, begin)
	return seconds(max(0, inside)) / seconds(to-from)
}

// flying gives the requests of the timeline and those of the warm-up before it
// that were in flight at its first instant, with the timeline that holds their
// chunks. What was sent to keep the load up after the last of them is neither.
func (t *timeline) flying(before *timeline) func(yield func(*timeline, *span) bool) {
	return func(yield func(*timeline, *span) bool) {
		for p := range t.spans.each {
			if !yield(t, p) {
				return
			}
		}
		if before == nil {
			return
		}
		from, _, _ := t.window()
		for p := range before.spans.each {
			if p.start < from && p.end > from && !yield(before, p) {
				return
			}
		}
	}
}

// bounds is the first instant at which the threshold was reached and the last
// at which it was left; equal where it never was. It looks at no instant before
// the first request of t.
func (t *timeline) bounds(level int, before *timeline) (begin, end record.Time) {
	type change struct {
		at record.Time
		by int
	}
	changes := make([]change, 0, 2*t.spans.len())
	from, _, _ := t.window()
	for _, p := range t.flying(before) {
		changes = append(changes, change{max(p.start, from), 1}, change{p.end, -1})
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	threshold := (9*level + 9) / 10 // rounded up
	flying, was := 0, 0
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
		if was >= threshold && flying < threshold {
			end = c.at
		}
		was = flying
	}
	return begin, end
}
