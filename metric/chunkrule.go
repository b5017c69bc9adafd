package metric

import (
	"fmt"

	"headway/record"
)

// ChunkRule says what becomes of the times of chunks that were read together.
// Only the last chunk of a read has a time of its own; of those before it the
// time is known only to be no later.
type ChunkRule uint8

const (
	// ChunkAsIs leaves them: the chunks of a read have the time of the read,
	// and the gaps between them are 0 or what reading them took.
	ChunkAsIs ChunkRule = iota
	// ChunkSpread spreads the chunks with text of a read evenly from the
	// arrival with text before the read to the last chunk of it, which keeps
	// its time. A read that has a reply's first text is left as it is, so that
	// the time to first token, the latency and all sums of gaps stay what was
	// measured.
	ChunkSpread
)

var chunkRules = [...]string{"asis", "spread"}

// String is the rule's name in options and files: asis or spread.
func (c ChunkRule) String() string {
	if int(c) < len(chunkRules) {
		return chunkRules[c]
	}
	return "unknown"
}

// ParseChunkRule reads a rule's name.
func ParseChunkRule(name string) (ChunkRule, error) {
	for i, n := range chunkRules {
		if n == name {
			return ChunkRule(i), nil
		}
	}
	return 0, fmt.Errorf("chunk rule %q: want asis or spread", name)
}

// reading applies a rule to Records and counts what it moved.
type reading struct {
	rule  ChunkRule
	moved int
	spare []record.Arrival
}

// of is the Record as the rule reads it: itself where nothing moves, else a
// copy that is good until the next call. The Record is never changed, so that
// what is written to disk is what was measured.
func (g *reading) of(r *record.Record) *record.Record {
	if g.rule != ChunkSpread || !Valid(r) {
		return r
	}
	list, copied := r.Arrivals, false
	before := -1 // the last text of the reads before
	for i := 0; i < len(list); {
		end := i + 1
		for end < len(list) && list[end].Coalesced {
			end++
		}
		last, texts := lastTextOf(list[i:end])
		if texts > 1 && before >= 0 && list[i+last].At >= list[before].At {
			if !copied {
				g.spare = append(g.spare[:0], r.Arrivals...)
				list, copied = g.spare, true
			}
			g.spread(list[i:i+last+1], list[before].At, texts)
		}
		if texts > 0 {
			before = i + last
		}
		i = end
	}
	if !copied {
		return r
	}
	changed := *r
	changed.Arrivals = list
	return &changed
}

// lastTextOf is the place of the last arrival with text and how many there
// are.
func lastTextOf(list []record.Arrival) (last, texts int) {
	for i := range list {
		if list[i].Kind.Text() {
			last, texts = i, texts+1
		}
	}
	return last, texts
}

// spread gives the chunks with text of a read, n of them, times that are evenly
// apart from since to that of the last.
func (g *reading) spread(list []record.Arrival, since record.Time, n int) {
	whole := list[len(list)-1].At - since
	k := 0
	for i := range list[:len(list)-1] {
		if !list[i].Kind.Text() {
			continue
		}
		k++
		at := since + whole/record.Time(n)*record.Time(k) + whole%record.Time(n)*record.Time(k)/record.Time(n)
		if list[i].At != at {
			list[i].At = at
			g.moved++
		}
	}
}
