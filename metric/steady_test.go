package metric

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headway/record"
)

func TestSteady(t *testing.T) {
	// Two slots: the second opens at 200 ms and the first closes at 900 ms.
	a := reply(100, 250, 400)      // 2 tokens, both inside
	b := reply(400, 500, 700, 900) // on a's slot at once
	c := reply(200, 300, 600, 850) // the second slot
	d := reply(850, 950, 1400)     // after c: its tokens come in the tail
	counted := func(r *record.Record, n ...int) *record.Record {
		for i := range n {
			r.Arrivals[i].Tokens = n[i]
		}
		return r
	}
	tests := []struct {
		name    string
		level   int
		records []*record.Record
		want    Steady
	}{
		{"two slots", 2, []*record.Record{a, b, c, d}, Steady{
			Level: 2, Begin: 0.2, Duration: 0.7, Share: 0.7 / 1.3,
			RequestThroughput:     (2./3 + 1 + 1 + 1./11) / 0.7,
			OutputTokenThroughput: 8 / 0.7,
		}},
		{"never", 3, []*record.Record{a, b, c, d}, Steady{Level: 3}},
		{"nothing", 3, nil, Steady{Level: 3}},
		{"tokens by their chunks", 1, []*record.Record{
			// In flight alone from 100 to 300 ms: 9 of 10 tokens, of 20 as encoded together.
			counted(func() *record.Record { r := reply(100, 200, 300); r.TokensOut = 20; return r }(), 9, 1),
		}, Steady{Level: 1, Begin: 0.1, Duration: 0.2, Share: 1, RequestThroughput: 5, OutputTokenThroughput: 100}},
		{"a failure holds a slot and serves nothing", 2, []*record.Record{
			reply(100, 200, 500), failed(300, 600, record.Failure{}),
		}, Steady{Level: 2, Begin: 0.3, Duration: 0.2, Share: 0.4, RequestThroughput: 2.5, OutputTokenThroughput: 5}},
		{"a dip between counts", 1, []*record.Record{
			reply(100, 200), reply(400, 500),
		}, Steady{Level: 1, Begin: 0.1, Duration: 0.4, Share: 1, RequestThroughput: 5, OutputTokenThroughput: 5}},
	}
	for _, test := range tests {
		got := collect(Options{Streaming: true, Concurrency: test.level}, test.records...)
		if diff := cmp.Diff(&test.want, got.Steady, near); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	if got := collect(Options{Streaming: true}, a).Steady; got != nil {
		t.Errorf("an open loop has a steady part: %+v", got)
	}
}

func TestSteadySplitsTokensAtItsBounds(t *testing.T) {
	// The level of two is reached at 300 ms: 3 of a's 4 counted tokens, of 8,
	// came before.
	a := reply(100, 200, 400)
	a.TokensOut, a.Arrivals[0].Tokens, a.Arrivals[1].Tokens = 8, 3, 1
	// b's chunks are not counted: half of its 6 tokens come before 400 ms.
	b := reply(300, 350, 600)
	b.TokensOut = 6
	got := collect(Options{Streaming: true, Concurrency: 2}, a, b).Steady
	want := &Steady{Level: 2, Begin: 0.3, Duration: 0.1, Share: 0.2, RequestThroughput: (1./3 + 1./3) / 0.1, OutputTokenThroughput: 50}
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Two slots that each serve a request of ten tokens in 100 ms, one after
// another: twenty requests and 200 tokens a second, in one piece or in chunks,
// although the part begins with both new and ends with one half done.
func TestSteadyIsTheRate(t *testing.T) {
	for _, pieces := range []int{1, 10} {
		var records []*record.Record
		for slot := range 2 {
			for i := range 5 {
				start := float64(100*i + 50*slot)
				var texts []float64
				for p := range pieces {
					texts = append(texts, start+float64(100*(p+1)/pieces))
				}
				r := reply(start, texts...)
				r.TokensOut = 10
				records = append(records, r)
			}
		}
		got := collect(Options{Streaming: pieces > 1, Concurrency: 2}, records...).Steady
		if math.Abs(got.RequestThroughput-20) > 1e-9 || math.Abs(got.OutputTokenThroughput-200) > 1e-9 {
			t.Errorf("%d pieces: %+v", pieces, got)
		}
	}
}

func TestNineTenthsOfTheLevel(t *testing.T) {
	for _, test := range []struct {
		level, flying int
		reached       bool
	}{{10, 9, true}, {10, 8, false}, {5, 4, false}, {5, 5, true}, {1, 1, true}, {100, 90, true}, {100, 89, false}} {
		var records []*record.Record
		for range test.flying {
			records = append(records, reply(1, 2))
		}
		got := collect(Options{Streaming: true, Concurrency: test.level}, records...).Steady
		if (got.Duration > 0) != test.reached {
			t.Errorf("%d of %d in flight: %+v", test.flying, test.level, got)
		}
	}
}

// Ten requests a second for ten seconds: a constant latency is kept up with,
// however long, a queue that grows is not, and neither is a load of which a
// fifth is refused.
func TestDelivered(t *testing.T) {
	for _, v := range []struct {
		name string
		of   func(i int, start float64) *record.Record
		want float64
	}{
		{"a long latency", func(_ int, start float64) *record.Record { return reply(start, start+5000) }, 10},
		{"a queue that grows", func(i int, start float64) *record.Record { return reply(start, start+100*float64(i)) }, 5},
		{"some refused", func(i int, start float64) *record.Record {
			if i%5 == 2 {
				return failed(start, start+1, record.Failure{})
			}
			return reply(start, start+50)
		}, 8},
	} {
		var records []*record.Record
		for i := range 101 {
			records = append(records, v.of(i, 100*float64(i)))
		}
		got := collect(Options{Streaming: true}, records...)
		if math.Abs(got.Offered-10) > 1e-9 || math.Abs(got.Completed-v.want) > 0.1 {
			t.Errorf("%s: %g of %g", v.name, got.Completed, got.Offered)
		}
	}
}
