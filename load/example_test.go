package load_test

import (
	"context"
	"fmt"
	"log"

	"headway/load"
	"headway/record"
	"headway/workload"
)

// greeter is a target that answers at once. A real one is in package endpoint.
type greeter struct{}

// Start stamps what happens to the request.
func (greeter) Start(_ context.Context, r workload.Request, tape *record.Tape, done func()) {
	tape.Start = tape.Clock.Now()
	tape.Arrive(record.Arrival{At: tape.Clock.Now()}, nil, nil, []byte("Hello, "+r.Session))
	tape.Outcome, tape.Done = record.OK, tape.Clock.Now()
	done()
}

// counter is a sink that counts.
type counter struct{ ok, all int }

// Take is called with one Record at a time.
func (c *counter) Take(r *record.Record) error {
	c.all++
	if r.Outcome == record.OK {
		c.ok++
	}
	return nil
}

// A Generator drives any Target, and hands the sink exactly one Record of every request
// that was planned.
func ExampleGenerator() {
	prompts := workload.Synthetic{Key: workload.Seed(1), Requests: 20, ISL: workload.Length{Mean: 10}}
	var sink counter
	g := load.Generator{Target: greeter{}, Sink: &sink, Clock: record.NewClock()}
	outcome, err := g.Run(context.Background(), workload.Plan{Source: prompts.Source(), Concurrency: 4})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(sink.ok, "of", sink.all, "answered; cancelled:", outcome.Cancelled)
	// Output:
	// 20 of 20 answered; cancelled: false
}
