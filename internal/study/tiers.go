package study

import (
	"time"

	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// Tiers sort requests by priority: each request's tier follows from the seed and
// its place, so that it is the same in every run.
type Tiers struct {
	// Shares of the requests sum to 1; Values are the tiers' hints, lowest first.
	Shares, Values []float64
	key            workload.Key
	counted        *metric.Counted[*tierSink]
}

// NewTiers makes the tiers of a run with that seed.
func NewTiers(shares, values []float64, seed uint64) *Tiers {
	return &Tiers{Shares: shares, Values: values, key: workload.Seed(seed).Named("tiers")}
}

// Of is the tier of the request at a place, an index of Values.
func (t *Tiers) Of(index int) int {
	x, sum := t.key.Index(index).Rand().Float64(), 0.0
	for i, share := range t.Shares {
		if sum += share; x < sum {
			return i
		}
	}
	return len(t.Shares) - 1
}

// tierSink has a Collector for each tier.
type tierSink struct {
	tiers      *Tiers
	collectors []*metric.Collector
}

// Take adds a Record to its tier.
func (s *tierSink) Take(r *record.Record) error { return s.collectors[s.tiers.Of(r.Index)].Take(r) }

// Begin makes the sink of one run, [Tiers.End] its tiers. Whose tokens count is one
// answer for all tiers.
func (t *Tiers) Begin(o metric.Options) record.Sink {
	t.counted = metric.NewCounted(o.Tokens, func(s metric.TokenSource) *tierSink {
		sink := &tierSink{tiers: t}
		o.Tokens = s
		for range t.Shares {
			sink.collectors = append(sink.collectors, metric.NewCollector(o))
		}
		return sink
	})
	return t.counted
}

// End gives what the requests of each tier met in the run that was begun.
func (t *Tiers) End() []report.Tier {
	var all []report.Tier
	sink, _ := t.counted.Chosen()
	for i, c := range sink.collectors {
		all = append(all, report.Tier{Priority: t.Values[i], Result: c.Result()})
	}
	return all
}

// TierOptions are the metrics of a tier, whose Records count tokens by source.
func TierOptions(source metric.TokenSource) metric.Options {
	return metric.Options{Streaming: true, Clock: record.ClockAt(time.Unix(0, 0)), Tokens: source}
}

// tiers are those of a run that was read again; nil where it has none, or where
// its records do not tell which they were.
func (r *Remade) tiers() ([]report.Tier, error) {
	c := r.kept
	if len(c.Shares) == 0 || len(c.Shares) != len(c.Hints) {
		return nil, nil
	}
	t := NewTiers(c.Shares, c.Hints, r.Report.Run.Seed)
	if err := r.take(t.Begin(TierOptions(r.tokens))); err != nil {
		return nil, err
	}
	return t.End(), nil
}
