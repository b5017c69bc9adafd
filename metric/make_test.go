package metric

import (
	"slices"
	"time"

	"headway/record"
)

// ms is an instant so many milliseconds after the clock's origin.
func ms(v float64) record.Time { return record.Time(v * 1e6) }

// chunk is an arrival of content at a time in milliseconds.
func chunk(at float64, kind record.Kind) record.Arrival {
	return record.Arrival{At: ms(at), Kind: kind, Bytes: 1}
}

// reply is a valid streamed record that was planned and started at start and
// has content at the times given, in milliseconds.
func reply(start float64, at ...float64) *record.Record {
	r := &record.Record{
		Planned: ms(start), Start: ms(start), Streamed: true, Outcome: record.OK,
		TokensIn: 100, TokensOut: len(at), TokensReasoning: -1,
	}
	for _, t := range at {
		r.Arrivals = append(r.Arrivals, chunk(t, record.Content))
	}
	r.Done = r.Arrivals[len(r.Arrivals)-1].At
	return r
}

// failed is a record without a reply.
func failed(start, done float64, f record.Failure) *record.Record {
	return &record.Record{
		Planned: ms(start), Start: ms(start), Done: ms(done), Outcome: record.Failed, Failure: &f,
		TokensIn: 100, TokensOut: -1, TokensReasoning: -1,
	}
}

// cancelled is a reply that we ended at its last chunk.
func cancelled(r *record.Record) *record.Record {
	r.Outcome = record.Cancelled
	r.Failure = &record.Failure{Class: record.ClassCancelled, Code: 499}
	return r
}

var wall = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func collect(o Options, records ...*record.Record) *Result {
	o.Clock = record.ClockAt(wall)
	c := NewCollector(o)
	for _, r := range records {
		if err := c.Take(r); err != nil {
			panic(err)
		}
	}
	return c.Result()
}

// shown are the values of one record by tag.
func shown(values []Value) map[string]float64 {
	m := map[string]float64{}
	for _, v := range values {
		if v.List == nil {
			m[v.Tag] = v.Value
		}
	}
	return m
}

// scalars are the single values of a result by tag, as they are shown.
func scalars(r *Result) map[string]float64 {
	m := map[string]float64{}
	for _, s := range r.Scalars {
		m[s.Metric.Tag] = s.Metric.Shown(s.Value)
	}
	return m
}

func codes(r *Result) []string {
	var list []string
	for _, w := range r.Warnings {
		list = append(list, w.Code)
	}
	slices.Sort(list)
	return list
}
