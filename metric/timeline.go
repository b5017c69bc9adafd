package metric

import (
	"encoding/binary"
	"math"

	"headway/record"
)

// timeline keeps of every request that was sent what is needed when all of
// them are known: when it was in flight, how many tokens it had, and, as long
// as they are few enough, when each of its chunks came. A request takes 64
// bytes and a chunk four to six.
type timeline struct {
	limit int // of gaps that are kept exactly
	spans pages[span]
	// chunks are the gaps and tokens of replies, one reply after another; nil
	// once there are more than the limit, when wide has the gaps instead.
	chunks []byte
	kept   int // gaps in chunks, those of replies without an ICL included
	gaps   int // gaps of inter_chunk_latency
	wide   *gapHistogram
	lack   lack
}

// span is a request in flight from start to end, planned for a time. One that
// got text, whatever became of it then, has the first and last arrivals with
// text and how many tokens came.
type span struct {
	planned, start, first, last, end record.Time
	isl, osl                         int32 // tokens, -1 where unknown
	at, count                        uint32
	index                            uint32 // the Record's own
	flags                            uint8
}

const (
	spanValid   = 1 << iota // a valid reply
	spanStream              // it came as a stream
	spanCounted             // its chunks have token counts of their own
	spanGaps                // its gaps are those of inter_chunk_latency
	spanGood                // it met every objective of goodput
	spanCut                 // it was ended by us: what it would have taken is not known
	spanText                // it got text, valid or not
	spanSparse              // its chunks are the first and the last alone
)

func (s *span) is(flag uint8) bool { return s.flags&flag != 0 }

// add keeps a Record that was sent. good says whether it met every objective
// of goodput.
func (t *timeline) add(r *record.Record, good bool) {
	s := span{planned: r.Planned, start: r.Start, end: max(r.Start, r.Done), isl: -1, osl: -1,
		index: uint32(max(0, r.Index))}
	first, text := firstOf(r, anyText)
	switch {
	case Valid(r):
		s.flags = spanValid
		if good {
			s.flags |= spanGood
		}
	case r.Outcome == record.Cancelled:
		s.flags = spanCut
	}
	if r.TokensIn >= 0 {
		s.isl = int32(min(r.TokensIn, math.MaxInt32))
	}
	if text && first >= r.Start {
		s.flags |= spanText
		s.first, s.last = first, lastText(r)
		if n := delivered(r); n > 0 {
			s.osl = int32(min(n, math.MaxInt32))
		}
		if r.Streamed {
			s.flags |= spanStream
		}
		if r.Sparse {
			s.flags |= spanSparse
		} else {
			t.reply(r, &s)
		}
		if s.is(spanValid) {
			t.lack.add(r)
		}
	}
	t.spans.add(s)
}

// reply keeps the chunks of a reply, whole or broken off: of each the time
// since the one before, then its tokens where chunks were counted.
func (t *timeline) reply(r *record.Record, s *span) {
	texts, orderly, counted := 0, true, false
	last := s.first
	for i := range r.Arrivals {
		a := &r.Arrivals[i]
		if a.Kind.Text() {
			texts++
			orderly = orderly && a.At >= last
			counted = counted || a.Tokens > 0
			last = a.At
		}
	}
	if r.Streamed && orderly && s.is(spanValid) {
		s.flags |= spanGaps
		t.gaps += texts - 1
	}
	s.count = uint32(texts)
	t.kept += texts - 1
	if t.wide == nil && t.kept > t.limit {
		t.widen()
	}
	if t.wide != nil {
		t.count(r, s)
		return
	}
	if counted {
		s.flags |= spanCounted
	}
	s.at = uint32(len(t.chunks))
	last = s.first
	for i := range r.Arrivals {
		a := &r.Arrivals[i]
		if !a.Kind.Text() {
			continue
		}
		t.chunks = binary.AppendVarint(t.chunks, int64(a.At-last))
		if counted {
			t.chunks = binary.AppendUvarint(t.chunks, uint64(max(0, a.Tokens)))
		}
		last = a.At
	}
}

// count adds a reply's gaps to the histogram.
func (t *timeline) count(r *record.Record, s *span) {
	if !s.is(spanGaps) {
		return
	}
	last := record.Time(0)
	for i := range r.Arrivals {
		a := &r.Arrivals[i]
		if !a.Kind.Text() {
			continue
		}
		if last.Known() {
			t.wide.add(a.At - last)
		}
		last = a.At
	}
}

// widen moves all gaps to a histogram and lets go of the chunks.
func (t *timeline) widen() {
	t.wide = newGapHistogram()
	for s := range t.spans.each {
		if s.is(spanGaps) {
			for i, c := range t.chunksOf(s) {
				if i > 0 {
					t.wide.add(c.gap)
				}
			}
		}
	}
	t.chunks = nil
}

// exact reports whether the chunks are known.
func (t *timeline) exact() bool { return t.wide == nil }

// arrived is a chunk with text: the time since the one before (0 for the
// first) and its tokens, 1 in a reply whose chunks were not counted.
type arrived struct {
	gap    record.Time
	tokens uint32
}

// chunksOf gives the chunks of a reply with their place in it.
func (t *timeline) chunksOf(s *span) func(yield func(int, arrived) bool) {
	return func(yield func(int, arrived) bool) {
		b := t.chunks[min(int(s.at), len(t.chunks)):]
		for i := range int(s.count) {
			gap, n := binary.Varint(b)
			b = b[n:]
			c := arrived{record.Time(gap), 1}
			if s.is(spanCounted) {
				tokens, n := binary.Uvarint(b)
				b = b[n:]
				c.tokens = uint32(tokens)
			}
			if !yield(i, c) {
				return
			}
		}
	}
}

// flown gives the requests whose start is known.
func (t *timeline) flown(yield func(*span) bool) {
	for s := range t.spans.each {
		if s.start.Known() && !yield(s) {
			return
		}
	}
}

// window is the time from the first start to the last end; false where no
// request was in flight.
func (t *timeline) window() (begin, end record.Time, ok bool) {
	for s := range t.flown {
		if !ok || s.start < begin {
			begin = s.start
		}
		end, ok = max(end, s.end), true
	}
	return begin, end, ok && end > begin
}
