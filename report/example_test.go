package report_test

import (
	"fmt"
	"log"
	"math/rand/v2"
	"os"

	"headway/metric"
	"headway/record"
	"headway/report"
)

// replies is a run of a thousand requests, one a second, each with its first token after
// 100 to 199 milliseconds and the second 8 to 12 later.
func replies() *report.Report {
	c := metric.NewCollector(metric.Options{Streaming: true})
	draw := rand.New(rand.NewPCG(1, 1))
	for i := range 1000 {
		start := record.Time(1 + i*1_000_000_000)
		first := start + record.Time(100+draw.IntN(100))*1_000_000
		r := &record.Record{Index: i, Planned: start, Start: start, Sent: start, Ack: first, Done: first +
			record.Time(8+draw.IntN(5))*1_000_000}
		r.Outcome = record.OK
		r.Streamed = true
		r.TokensIn = 100
		r.TokensOut = 2
		r.Arrivals = []record.Arrival{{At: first, Kind: record.Content, Tokens: 1},
			{At: r.Done, Kind: record.Content, Tokens: 1}}
		if err := c.Take(r); err != nil {
			log.Fatal(err)
		}
	}
	return &report.Report{Run: record.Run{Header: record.Header{Model: "qwen3", Streaming: true, Concurrency: 1}},
		Result: c.Result()}
}

// A figure is a value with its 95 % interval, in the unit that people read.
func ExampleReport_Figure() {
	p99 := replies().Figure("time_to_first_token", "p99")
	fmt.Printf("TTFT p99: %.0f %s, interval from %.0f to %.0f\n", p99.Value, p99.Unit, p99.Low, p99.High)
	// Output:
	// TTFT p99: 198 ms, interval from 197 to 199
}

// A Document is a result as tables and sentences; here that of a sweep, for a README.
func ExampleOfLevels() {
	d := report.OfLevels([]report.Level{{Runs: []*report.Report{replies()}}}, "")
	if err := d.Write(os.Stdout, report.ConsoleOptions{Markdown: true}); err != nil {
		log.Fatal(err)
	}
	// Output:
	// ### headway \| Levels
	//
	// | Conc. | Requests ok/failed | TTFT ms avg | TTFT ms p50 | TTFT ms p99 | ITL ms avg | ITL ms p50 | E2E ms avg | Output tok/s | tok/s per user | req/s |
	// |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
	// | 1 | 1000/0 | 149 ±1.9 | 149 147–153 | 198 ±1.0 | 9.99 ±0.12 | 10.0 ±0.00 | 159 ±1.9 | 2.00 ±0.0043 | 100 ±1.2 | 0.999 ±0.0021 |
	//
	// - ± and low–high: 95 % intervals within the run, which count that its requests share batches and queues.
	// - Tokens: counted by this client
}
