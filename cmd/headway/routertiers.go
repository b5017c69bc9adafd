package main

import (
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// tiers sorts requests by priority: each request's tier follows from the seed
// and its place, so that it is the same in every run.
type tiers struct {
	shares, values []float64
	key            workload.Key
	counted        *metric.Counted[*tierSink]
}

// tierSink has a Collector for each tier.
type tierSink struct {
	tiers      *tiers
	collectors []*metric.Collector
}

// Take adds a Record to its tier.
func (s *tierSink) Take(r *record.Record) error { return s.collectors[s.tiers.of(r.Index)].Take(r) }

// of is the tier of the request at a place.
func (t *tiers) of(index int) int {
	x, sum := t.key.Index(index).Rand().Float64(), 0.0
	for i, share := range t.shares {
		if sum += share; x < sum {
			return i
		}
	}
	return len(t.shares) - 1
}

// tag gives requests the hint of their tier; without hints they stay as they
// are.
func (t *tiers) tag(src workload.Source, hints bool) workload.Source {
	if !hints {
		return src
	}
	return func(yield func(workload.Request, error) bool) {
		for r, err := range src {
			if err == nil {
				r.Extra, err = withHint(r.Extra, "priority", t.values[t.of(r.Index)])
			}
			if !yield(r, err) {
				return
			}
		}
	}
}

// begin makes the sink of one run, end its tiers. Whose tokens count is one
// answer for all tiers.
func (t *tiers) begin(o metric.Options) record.Sink {
	t.counted = metric.NewCounted(o.Tokens, func(s metric.TokenSource) *tierSink {
		sink := &tierSink{tiers: t}
		o.Tokens = s
		for range t.shares {
			sink.collectors = append(sink.collectors, metric.NewCollector(o))
		}
		return sink
	})
	return t.counted
}

func (t *tiers) end() []report.Tier {
	var all []report.Tier
	sink, _ := t.counted.Chosen()
	for i, c := range sink.collectors {
		all = append(all, report.Tier{Priority: t.values[i], Result: c.Result()})
	}
	return all
}
