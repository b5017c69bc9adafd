package metric

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"headway/record"
)

// told is what a part says of its rates, and of how many requests its latencies
// are.
type told struct {
	Begin, Duration, Share float64
	Started                int
	Requests, Tokens       float64
}

func tell(p *Part) told {
	requests, _ := p.Rate("request_throughput")
	tokens, _ := p.Rate("output_token_throughput")
	return told{p.Begin, p.Duration, p.Share, p.Requests, requests.Value, tokens.Value}
}

func counted(r *record.Record, n ...int) *record.Record {
	for i := range n {
		r.Arrivals[i].Tokens = n[i]
	}
	return r
}

func TestSteady(t *testing.T) {
	// Two slots. The level is reached at 200 ms; b and c, which were in flight
	// then, are over at 600 ms; it is left at 1,200 ms, when f is alone.
	a := reply(100, 150, 190)
	b := reply(190, 250, 500)
	c := reply(200, 300, 600)
	d := reply(500, 650, 900) // both tokens inside, 300 of its 400 ms
	e := reply(600, 700, 1200)
	f := reply(900, 1000, 1300, 1400) // one token inside, 300 of its 500 ms
	two := []*record.Record{a, b, c, d, e, f}
	broken := cancelled(reply(900, 1000, 1300, 1400))
	for _, test := range []struct {
		name    string
		level   int
		records []*record.Record
		want    told
	}{
		{"two slots", 2, two, told{0.6, 0.6, 0.6 / 1.3, 1, (0.75 + 1 + 0.6) / 0.6, 5 / 0.6}},
		{"never", 3, two, told{}},
		{"nothing after the first", 2, []*record.Record{a, b, c}, told{}},
		{"tokens of what was cut off count", 2, []*record.Record{a, b, c, d, e, broken},
			told{0.6, 0.6, 0.6 / 1.3, 1, (0.75 + 1) / 0.6, 5 / 0.6}},
		{"a failure holds a slot and serves nothing", 2,
			[]*record.Record{a, b, c, failed(500, 900, record.Failure{}), e, f},
			told{0.6, 0.6, 0.6 / 1.3, 1, 1.6 / 0.6, 3 / 0.6}},
		{"a dip between counts", 1, []*record.Record{reply(100, 200), reply(300, 400), reply(600, 700)},
			told{0.2, 0.5, 0.5 / 0.6, 2, 4, 4}},
		{"an open loop ends with its last start", 0, []*record.Record{reply(100, 300), reply(200, 500)},
			told{0.1, 0.1, 0.25, 2, 5, 5}},
	} {
		got := collect(Options{Streaming: true, Concurrency: test.level}, test.records...)
		if diff := cmp.Diff(test.want, tell(&got.Steady.Part), near); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	if got := collect(Options{Streaming: true, Concurrency: 1}); got.Steady != nil || got.Whole != nil {
		t.Errorf("a run in which nothing was sent has parts: %+v %+v", got.Steady, got.Whole)
	}
}

func TestPartsSplitTokensAtTheirBounds(t *testing.T) {
	// One slot: the part begins when the first is over. What the warm-up still
	// brought then counts: 3 of its 4 counted tokens, of 8, come after 300 ms.
	first := reply(200, 250, 300)
	warm := counted(reply(100, 250, 400), 1, 3)
	warm.TokensOut, warm.Warmup = 8, true
	second := reply(300, 350, 600)
	second.TokensOut = 6 // no counts of chunks: 3 each
	got := collect(Options{Streaming: true, Concurrency: 2}, warm, first, second)
	if diff := cmp.Diff(told{0.2, 0.4, 1, 2, (1 + 1 + 2./3) / 0.4, (8 + 2 + 6) / 0.4}, tell(got.Whole),
		near); diff != "" {
		t.Errorf("whole (-want +got):\n%s", diff)
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
		got := tell(&collect(Options{Streaming: pieces > 1, Concurrency: 2}, records...).Steady.Part)
		if math.Abs(got.Requests-20) > 1e-9 || math.Abs(got.Tokens-200) > 1e-9 {
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
		if got.Reached != test.reached {
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
		{"a queue that grows", func(i int, start float64) *record.Record { return reply(start, start+100*float64(i)) },
			5},
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
