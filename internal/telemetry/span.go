package telemetry

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"headway/record"
)

// Set is the sources of one measurement after another. One that gives nothing at
// the beginning of a span is not asked again: each time it could cost as long as a
// scrape may take. It is used by one goroutine at a time.
type Set struct {
	sources []Source
	notes   []string // why sources were given up
}

// NewSet makes a set of sources. What their pages mean is learned once for all that
// reads them.
func NewSet(sources ...Source) *Set {
	s := &Set{}
	for _, x := range sources {
		s.sources = append(s.sources, x.Often())
	}
	return s
}

// scraped is a source and what it said, or why it said nothing.
type scraped struct {
	source Source
	snap   Snapshot
	err    error
}

// scrape asks all sources at once.
func scrape(ctx context.Context, sources []Source) []scraped {
	all := make([]scraped, len(sources))
	var wait sync.WaitGroup
	for i, s := range sources {
		wait.Go(func() {
			all[i].source = s
			all[i].snap, all[i].err = s.Scrape(ctx)
		})
	}
	wait.Wait()
	return all
}

// begin asks all sources and gives those up that say nothing, unless ctx ended.
func (s *Set) begin(ctx context.Context) []scraped {
	all := slices.DeleteFunc(scrape(ctx, s.sources), func(x scraped) bool {
		if x.err != nil && ctx.Err() == nil {
			s.notes = append(s.notes, fmt.Sprintf("%s: %v", x.source.Name, x.err))
		}
		return x.err != nil
	})
	if ctx.Err() == nil {
		s.sources = s.sources[:0:0]
		for _, x := range all {
			s.sources = append(s.sources, x.source)
		}
	}
	return all
}

// Notes say why sources were given up, each once.
func (s *Set) Notes() []string {
	notes := s.notes
	s.notes = nil
	return notes
}

// Serves says whether a source is of an engine.
func (s *Set) Serves(ctx context.Context, engine string) bool {
	return slices.ContainsFunc(s.begin(ctx), func(x scraped) bool { return x.snap.Has(engine) })
}

// Speaking are the sources that tell something. Others are given up.
func (s *Set) Speaking(ctx context.Context) []Source {
	s.begin(ctx)
	return s.sources
}

// Sources are those that were not given up.
func (s *Set) Sources() []Source { return s.sources }

// Span is the time of a load.
type Span struct{ before []scraped }

// Begin reads all sources before a load.
func (s *Set) Begin(ctx context.Context) *Span { return &Span{before: s.begin(ctx)} }

// End reads them again and says by how much counters moved, and what of it is not
// known; nil where nothing was read.
func (p *Span) End(ctx context.Context) (*record.ServerCounters, []string) {
	sources := make([]Source, len(p.before))
	for i, b := range p.before {
		sources[i] = b.source
	}
	var moved record.ServerCounters
	var notes []string
	for i, after := range scrape(ctx, sources) {
		if after.err != nil {
			notes = append(notes, fmt.Sprintf("%s: %v", after.source.Name, after.err))
			continue
		}
		list, restarted := difference(p.before[i].snap, after.snap)
		for _, s := range list {
			s.URL = after.source.Name
			moved.Sources = append(moved.Sources, s)
		}
		if restarted {
			notes = append(notes, after.source.Name+": its counters went back, as after a restart")
		}
	}
	if moved.Sources == nil {
		return nil, notes
	}
	return &moved, notes
}

// difference is by how much the counters of each engine moved, in the order of the
// engines. A quantity of which a series went back or went away is not known.
func difference(before, after Snapshot) (list []record.ServerSource, restarted bool) {
	for _, e := range engines {
		if e.kind != KindServer {
			continue
		}
		s := record.ServerSource{Engine: e.name, Moved: map[string]float64{}}
		for _, r := range e.rules {
			for part, name := range r.quantity.counters() {
				by, known, back := movedBy(e.name, r.quantity, part, before, after)
				restarted = restarted || back
				if known {
					s.Moved[name] = by
				}
			}
		}
		if len(s.Moved) > 0 {
			list = append(list, s)
		}
	}
	return list, restarted
}

// spans are the histograms of times whose sum and count a span has, so that the mean
// of the span is known.
var spans = map[Quantity]string{ServerTTFT: "ttft", ServerITL: "itl", QueueTime: "queue"}

// counters are what a span has of a quantity: the names of what moved, by part.
func (q Quantity) counters() map[Part]string {
	if name, ok := spans[q]; ok {
		return map[Part]string{Sum: name + "_sum_s", Count: name + "_count"}
	}
	if q.rises() {
		return map[Part]string{"": string(q)}
	}
	return nil
}

// movedBy is by how much a counter, or a part of a histogram, moved. A series that is
// new began at 0.
func movedBy(engine string, q Quantity, part Part, before, after Snapshot) (by float64, known, back bool) {
	was, is := before.of(engine, q, part), after.of(engine, q, part)
	for series, v := range is {
		by, known = by+v-was[series], true
		back = back || v < was[series]
	}
	for series := range was {
		if _, there := is[series]; !there {
			back = true
		}
	}
	return by, known && !back, back
}

// of are the series of a part of a quantity.
func (s Snapshot) of(engine string, q Quantity, part Part) map[string]float64 {
	all := map[string]float64{}
	for _, x := range s.Samples {
		if x.Engine == engine && x.Quantity == q && x.Part == part {
			all[x.Series] = x.Value
		}
	}
	return all
}
