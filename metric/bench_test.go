package metric

import (
	"fmt"
	"testing"

	"headway/record"
)

// What the result of a run takes, curves included.
func BenchmarkResult(b *testing.B) {
	for _, size := range []struct{ records, arrivals int }{{100_000, 2}, {10_000, 200}} {
		b.Run(fmt.Sprintf("%dx%d", size.records, size.arrivals), func(b *testing.B) {
			c := NewCollector(Options{Streaming: true, Concurrency: 100})
			for i := range size.records {
				r := &record.Record{Start: record.Time(1 + i*1_000_000 + i*7919%1000), Streamed: true,
					Outcome:  record.OK,
					TokensIn: 1000, TokensOut: size.arrivals, TokensReasoning: -1}
				at := r.Start
				for k := range size.arrivals {
					at += record.Time(10_000_000 + (i*31+k*7907)%5_000_000)
					r.Arrivals = append(r.Arrivals, record.Arrival{At: at, Kind: record.Content, Tokens: 1})
				}
				r.Done = at + 1000
				if err := c.Take(r); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				c.Result()
			}
		})
	}
}
