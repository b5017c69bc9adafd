package metric

import (
	"testing"

	"headway/record"
)

// Two slots that answer in 100 ms, half a period apart, hand over from a warm-up
// at 100 ms: the steady part begins there, and holds what of the warm-up was in
// flight. It ends when the first request that only kept the load up
// started.
func TestSteadyBeginsAtTheHandover(t *testing.T) {
	c := NewCollector(Options{Concurrency: 2, Streaming: true})
	reply := func(warm bool, start int) {
		at := func(x int) record.Time { return record.Time(x)*1e6 + 1 }
		r := &record.Record{Warmup: warm, Outcome: record.OK, Streamed: true, Start: at(start), Done: at(start + 100),
			TokensIn: 1, TokensOut: 10}
		for i := range 10 {
			r.Arrivals = append(r.Arrivals, record.Arrival{At: at(start + 10*(i+1)), Kind: record.Content, Tokens: 1})
		}
		if err := c.Take(r); err != nil {
			t.Fatal(err)
		}
	}
	for _, start := range []int{0, 50, 500, 550} {
		reply(true, start)
	}
	for _, start := range []int{100, 150, 200, 250, 300, 350, 400, 450} {
		reply(false, start)
	}
	s := tell(&c.Result().Steady.Part)
	if !within(s.Begin, 0.1, 1e-6) || !within(s.Duration, 0.4, 1e-6) || !within(s.Requests, 20, 1e-6) ||
		!within(s.Tokens, 200, 1e-6) {
		t.Errorf("%+v", s)
	}
}
