package metric_test

import (
	"fmt"
	"log"

	"headway/metric"
	"headway/record"
)

// reply is a request with its first token after some milliseconds.
func reply(i, milliseconds int) *record.Record {
	start := record.Time(1 + i*1_000_000_000)
	first := start + record.Time(milliseconds)*1_000_000
	r := &record.Record{Index: i, Planned: start, Start: start, Sent: start, Ack: first, Done: first + 10_000_000}
	r.Outcome = record.OK
	r.Streamed = true
	r.TokensIn = 100
	r.TokensOut = 2
	r.Arrivals = []record.Arrival{{At: first, Kind: record.Content, Tokens: 1},
		{At: r.Done, Kind: record.Content, Tokens: 1}}
	return r
}

// A Collector takes Records in any order, from wherever they come, and gives every
// metric. Values are in base units: seconds, tokens, bytes.
func ExampleCollector() {
	goal, err := metric.ParseObjective("time_to_first_token p99 < 500ms")
	if err != nil {
		log.Fatal(err)
	}
	c := metric.NewCollector(metric.Options{Streaming: true, Objectives: []metric.Objective{goal}})
	for i := range 1000 {
		if err := c.Take(reply(i, 100+i%100)); err != nil {
			log.Fatal(err)
		}
	}
	result := c.Result()
	ttft, _ := result.Summary("time_to_first_token")
	p99, _ := ttft.Quantile(99)
	fmt.Printf("%d replies, TTFT mean %.4f s, p99 %.3f s\n", result.OK, ttft.Mean, p99.Value)
	for _, v := range result.Verdicts {
		fmt.Println(v.Objective, "met:", v.Decision == metric.Met)
	}
	// Output:
	// 1000 replies, TTFT mean 0.1495 s, p99 0.198 s
	// time_to_first_token p99 < 500ms met: true
}
