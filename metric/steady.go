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
// Where the run has too many chunks to know when each came, a reply's tokens
// are spread evenly from its first to its last. Only requests that were in
// flight at one of the part's two ends are touched by that.
func (t *timeline) steady(level int) *Steady {
	s := &Steady{Level: level}
	begin, end := t.bounds(level)
	if end <= begin {
		return s
	}
	s.Begin, s.Duration = seconds(begin), seconds(end-begin)
	var replies int
	var tokens []float64
	first, last, _ := t.window()
	for p := range t.spans.each {
		if !p.is(spanValid) {
			continue
		}
		if p.end > begin && p.end <= end {
			replies++
		}
		tokens = append(tokens, t.inside(p, begin, end))
	}
	slices.Sort(tokens)
	s.RequestThroughput = float64(replies) / s.Duration
	s.OutputTokenThroughput = sum(tokens) / s.Duration
	s.Share = s.Duration / seconds(last-first)
	return s
}

// inside is how many of a reply's tokens came after begin and not after end.
func (t *timeline) inside(p *span, begin, end record.Time) float64 {
	if p.osl <= 0 {
		return 0
	}
	if !t.exact() {
		return float64(p.osl) * share(p, begin, end)
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

// share is the part of the time from a reply's first to its last text that
// lies after begin and not after end, 0 to 1.
func share(p *span, begin, end record.Time) float64 {
	if p.last <= p.first {
		if p.first > begin && p.first <= end {
			return 1
		}
		return 0
	}
	inside := min(p.last, end) - max(p.first, begin)
	return seconds(max(0, inside)) / seconds(p.last-p.first)
}

// bounds is the first instant at which the threshold was reached and the last
// at which it was left; equal where it never was.
func (t *timeline) bounds(level int) (begin, end record.Time) {
	type change struct {
		at record.Time
		by int
	}
	changes := make([]change, 0, 2*t.spans.len())
	for p := range t.spans.each {
		changes = append(changes, change{p.start, 1}, change{p.end, -1})
	}
	slices.SortFunc(changes, func(a, b change) int { return cmp.Compare(a.at, b.at) })
	threshold := (9*level + 9) / 10 // rounded up
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
