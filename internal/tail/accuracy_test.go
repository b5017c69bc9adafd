package tail

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"headway/internal/engine"
	"headway/record"
)

// scenario is requests on one simulated worker, and a client that reads them.
type scenario struct {
	name   string
	cfg    engine.Config
	make   func(r *rand.Rand) []*asked
	stalls []stall
	// network is the mean of what a chunk takes to the client, in seconds, drawn anew
	// for each: what a client sees is not the engine's own time.
	network float64
}

// stall is a time in which the client's program did nothing, in seconds.
type stall struct{ from, to float64 }

const accuracyRequests = 1000

func engineOf(blocks, seqs int) engine.Config {
	return engine.Config{NumGPUBlocks: blocks, BlockSize: 64, MaxNumSeqs: seqs}
}

// poisson are arrivals at a rate (1/s).
func poisson(r *rand.Rand, rate float64, in, out func() int) []*asked {
	var all []*asked
	at := 1.0
	for range accuracyRequests {
		at += r.ExpFloat64() / rate
		all = append(all, &asked{planned: at, sent: at, in: in(), out: out()})
	}
	return all
}

func between(r *rand.Rand, low, high int) func() int {
	return func() int { return low + r.IntN(high-low+1) }
}

func scenarios() []scenario {
	return []scenario{
		{name: "bursts", cfg: engineOf(16384, 64), make: func(r *rand.Rand) []*asked {
			var all []*asked
			in, out := between(r, 200, 3000), between(r, 20, 200)
			for k := 0; len(all) < accuracyRequests; k++ {
				for range min(10+r.IntN(40), accuracyRequests-len(all)) {
					at := 1 + 12*float64(k) + 0.1*r.Float64()
					all = append(all, &asked{planned: at, sent: at, in: in(), out: out()})
				}
			}
			return all
		}},
		{name: "long among short", cfg: engineOf(16384, 256), make: func(r *rand.Rand) []*asked {
			long, short := between(r, 12000, 40000), between(r, 100, 800)
			return poisson(r, 3, func() int {
				if r.IntN(20) == 0 {
					return long()
				}
				return short()
			}, between(r, 50, 300))
		}},
		{name: "small cache", cfg: engineOf(1200, 256), make: conversations},
		{name: "preemption", cfg: preempting(), make: func(r *rand.Rand) []*asked {
			return poisson(r, 1.35, between(r, 100, 600), between(r, 200, 900))
		}},
		{name: "slow client", cfg: engineOf(16384, 256), make: func(r *rand.Rand) []*asked {
			return poisson(r, 4, between(r, 100, 2000), between(r, 20, 200))
		}, stalls: everyFew()},
	}
}

func preempting() engine.Config {
	c := engineOf(300, 256)
	c.Watermark = -1
	return c
}

// conversations have turns that send all of the turns before again, more than the
// cache keeps.
func conversations(r *rand.Rand) []*asked {
	var all []*asked
	for n := 0; len(all) < accuracyRequests; n++ {
		var before *asked
		at := 1 + 3.2*float64(n)*(0.8+0.4*r.Float64())
		in := 1000 + r.IntN(2000)
		for turn := range 5 {
			q := &asked{planned: at, sent: at, in: in, out: 50 + r.IntN(150), session: fmt.Sprint(n), turn: turn,
				waitsFor: before, pause: 4 + 8*r.Float64()}
			for k := range in / 64 {
				q.blocks = append(q.blocks, uint64(n)<<32|uint64(k))
			}
			if before != nil {
				q.seen = before.in / 64 * 64
			}
			all, before = append(all, q), q
			in += q.out + 300 + r.IntN(1500)
		}
	}
	return all[:accuracyRequests]
}

// everyFew are pauses of 0.3 to 1.2 s, in a fifth of the time.
func everyFew() (list []stall) {
	r := rand.New(rand.NewPCG(7, 7))
	for at := 2.0; at < 400; at += 2 + 3*r.Float64() {
		list = append(list, stall{at, at + 0.3 + 0.9*r.Float64()})
	}
	return list
}

// readAt is when a client reads what is there at a time.
func readAt(at float64, stalls []stall) (float64, bool) {
	for _, s := range stalls {
		if at >= s.from && at < s.to {
			return s.to, true
		}
	}
	return at, false
}

// seen makes the Record that the client has of a request, and what its own lateness
// cost at the first and the last chunk.
func seen(r *rand.Rand, i int, q *asked, sc *scenario) (rec *record.Record, firstLate, lastLate float64) {
	rec = &record.Record{Index: i, Session: q.session, Turn: q.turn, Outcome: record.OK, Streamed: true, TokensIn: q.in,
		TokensOut: q.out, URL: "http://a", Planned: stampOf(q.planned), Start: stampOf(q.sent), Sent: stampOf(q.sent),
		Usage: map[string]int{"prompt_tokens": q.in, "prompt_cache_read_tokens": q.cached}}
	if q.session == "" {
		rec.Session = fmt.Sprint(i)
	}
	before, came := 0.0, 0.0
	for _, ev := range q.events {
		if ev.Kind != engine.Token {
			continue
		}
		there := max(came, ev.At.Seconds()+sc.network*r.ExpFloat64())
		at, late := readAt(there, sc.stalls)
		together := len(rec.Arrivals) > 0 && at == before
		rec.Arrivals = append(rec.Arrivals, record.Arrival{At: stampOf(at), Kind: record.Content, Tokens: 1,
			Coalesced: late && together, UserspaceStamp: sc.stalls != nil})
		if ev.Token == 1 {
			firstLate = at - there
		}
		lastLate, before, came = at-there, at, there
	}
	rec.Done = rec.Arrivals[len(rec.Arrivals)-1].At
	return rec, firstLate, lastLate
}

func stampOf(s float64) record.Time { return record.Time(s*1e9 + 0.5) }

// judged is a request's split beside the truth.
type judged struct{ is, was Split }

// right is the share of the time that is in the right class.
func right(list []judged) float64 {
	agree, all := 0.0, 0.0
	for _, j := range list {
		for c := range j.is {
			if Class(c) != Unknown {
				agree += max(0, min(j.is[c], j.was[c]))
			}
			all += j.was[c]
		}
	}
	return agree / all
}

// slowest are the twentieth that took longest.
func slowest(list []judged) []judged {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b judged) int {
		if a.is.Total() > b.is.Total() {
			return -1
		}
		return 1
	})
	return list[:int(slowestShare*float64(len(list)))]
}

// played is a scenario's analysis beside the truth.
type played struct {
	first, whole []judged
	result       *Result
	truth        Excess // of the latency
}

// kept are the scenarios that were played.
var kept = map[string]played{}

// play runs a scenario and judges its analysis, once.
func play(sc *scenario) played {
	name := fmt.Sprint(sc.name, sc.network)
	p, known := kept[name]
	if !known {
		p = sc.play()
		kept[name] = p
	}
	return p
}

func (sc *scenario) play() played {
	rng := rand.New(rand.NewPCG(42, 1))
	s := &simulated{cfg: sc.cfg, requests: sc.make(rng)}
	for _, q := range s.requests {
		if q.waitsFor == nil {
			q.sent, _ = readAt(q.planned, sc.stalls)
		}
	}
	s.run()
	s.assign()
	var e Evidence
	late := make([][2]float64, len(s.requests))
	preempted := 0.0
	for i, q := range s.requests {
		var rec *record.Record
		rec, late[i][0], late[i][1] = seen(rng, i, q, sc)
		_ = e.Take(rec)
		for _, ev := range q.events {
			if ev.Kind == engine.Preempted {
				preempted++
			}
		}
	}
	p := played{result: Analyse(&e, Server{Preemptions: &preempted})}
	var truth []Request
	for i, got := range p.result.Requests {
		f, w := s.truth(got.Index)
		f[Client] += late[i][0]
		w[Client] += late[i][1]
		truth = append(truth, Request{Index: got.Index, First: f, Whole: w})
		p.first = append(p.first, judged{got.First, f})
		p.whole = append(p.whole, judged{got.Whole, w})
	}
	p.truth = excess(truth, func(r *Request) *Split { return &r.Whole })
	return p
}

// overlap is the share of two excesses that is in the same classes.
func overlap(is, was Split) float64 {
	agree, all := 0.0, 0.0
	for c := range is {
		if Class(c) != Unknown && is[c]*was[c] > 0 {
			agree += min(math.Abs(is[c]), math.Abs(was[c]))
		}
		all += math.Abs(was[c])
	}
	return agree / all
}

// The bar: nine tenths of the time in the right class, in every scenario, over all
// requests and over the slowest twentieth. docs/tail.md has the table.
func TestAccuracy(t *testing.T) {
	const least = 0.9
	for _, network := range []time.Duration{100 * time.Microsecond, time.Millisecond} {
		t.Logf("chunks take %v to the client", network)
		t.Log("| scenario | TTFT, all | TTFT, slowest | latency, all | latency, slowest | excess of the slowest |")
		t.Log("|---|---|---|---|---|---|")
		for _, sc := range scenarios() {
			sc.network = network.Seconds()
			p := play(&sc)
			if len(p.result.Requests) != accuracyRequests {
				t.Errorf("%s: %d requests", sc.name, len(p.result.Requests))
			}
			line := "| " + sc.name + " |"
			for _, x := range []float64{right(p.first), right(slowest(p.first)), right(p.whole),
				right(slowest(p.whole)), overlap(p.result.Whole.Over, p.truth.Over)} {
				line += fmt.Sprintf(" %.1f %% |", 100*x)
				if x < least {
					t.Errorf("%s: %.3f of the time is in the right class, want %g", sc.name, x, least)
				}
			}
			t.Log(line)
		}
	}
}

// The bar holds for other draws and shorter runs of the scenarios, too.
func TestAccuracyOfOtherDraws(t *testing.T) {
	for seed, requests := range map[uint64]int{1: 600, 4: 600, 5: 300} {
		for _, sc := range scenarios() {
			whole := sc.make
			sc.network = 1e-3
			sc.make = func(*rand.Rand) []*asked { return whole(rand.New(rand.NewPCG(seed, 9)))[:requests] }
			p := sc.play()
			if first, all := right(p.first), right(p.whole); first < 0.9 || all < 0.9 {
				t.Errorf("%s, draw %d: %.3f of TTFT and %.3f of latency are in the right class", sc.name, seed,
					first, all)
			}
		}
	}
}

// What each class says holds in the scenario that is made for it.
func TestScenariosHaveTheirCause(t *testing.T) {
	for _, sc := range scenarios() {
		sc.network = 100e-6
		over := play(&sc).truth
		want := map[string]Class{"bursts": Queueing, "long among short": OwnPrefill, "small cache": MissingCache,
			"preemption": Preemption, "slow client": Client}[sc.name]
		if over.Over[want] <= 0 {
			t.Errorf("%s: nothing of the excess is %s: %+v", sc.name, want, over.Over)
		}
	}
}
