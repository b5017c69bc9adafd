package metric

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"headway/record"
)

// sweepCase is a case of testdata/sweep.json.
type sweepCase struct {
	Name     string
	Requests []struct {
		Start, End record.Time
		At         []record.Time
		ISL, OSL   int
	}
	Want, Wide map[string]map[string]float64
}

func (c sweepCase) records() []*record.Record {
	var list []*record.Record
	for _, q := range c.Requests {
		r := &record.Record{Start: q.Start, Done: q.End, Streamed: true, TokensIn: q.ISL, TokensOut: q.OSL,
			TokensReasoning: -1}
		for _, at := range q.At {
			r.Arrivals = append(r.Arrivals, record.Arrival{At: at, Kind: record.Content})
		}
		r.Outcome = record.OK
		if q.At == nil {
			r.Outcome, r.TokensIn, r.TokensOut = record.Failed, -1, -1
		}
		list = append(list, r)
	}
	return list
}

// The curves against aiperf's own, as it does them with all gaps and with the
// backend that keeps none.
func TestSweepAgreesWithAiperf(t *testing.T) {
	for _, c := range readGolden[[]sweepCase](t, "testdata/sweep.json") {
		for name, want := range map[string]map[string]map[string]float64{"": c.Want, ", gaps counted": c.Wide} {
			collector := NewCollector(Options{Streaming: true})
			if name != "" {
				collector.times.limit = 0
			}
			for _, r := range c.records() {
				if err := collector.Take(r); err != nil {
					t.Fatal(err)
				}
			}
			if len(want) != len(overTime()) {
				t.Fatalf("aiperf has %d curves, we %d", len(want), len(overTime()))
			}
			// Before the result, which hides what says nothing of the pace.
			got := collector.times.sweep()
			for tag, stats := range want {
				s, ok := got[tag]
				for stat, v := range stats {
					have, known := s.Stat(stat)
					if !ok && v == 0 { // nothing of the kind was there
						continue
					}
					if !known || math.Abs(have-v) > 1e-9*math.Max(1, math.Abs(stats["max"])) {
						t.Errorf("%s%s: %s %s is %v, want %v", c.Name, name, tag, stat, have, v)
					}
				}
			}
		}
	}
}

func TestCurvesOfRepliesThatDoNotStream(t *testing.T) {
	a, b := reply(100, 200), reply(150, 400)
	a.Streamed, b.Streamed = false, false
	r := collect(Options{Streaming: true}, a, b)
	for _, m := range overTime() {
		s, ok := r.Summary(m.Tag)
		if ok != (m.Tag == "effective_concurrency") {
			t.Errorf("%s exists: %v", m.Tag, ok)
		}
		// 100 to 150 one, to 200 two, to 400 one.
		if ok && (!within(s.Mean, 350./300, 1e-12) || s.Min != 1 || s.Max != 2) {
			t.Errorf("%s: %+v", m.Tag, s)
		}
		if _, has := s.Stat("count"); ok && has {
			t.Errorf("%s has a count", m.Tag)
		}
	}
}

// The area under a curve is what it is of: a request's time, or its tokens.
func TestCurvesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOfN(rapid.Custom(drawRecord), 1, 30).Draw(t, "records")
		collector := NewCollector(Options{Streaming: true})
		collector.times.limit = rapid.SampledFrom([]int{0, 5, GapLimit}).Draw(t, "limit")
		var flying, prompt float64
		for _, r := range records {
			if err := collector.Take(r); err != nil {
				t.Fatal(err)
			}
			if r.Outcome == record.Dropped || r.Warmup || !r.Start.Known() || r.Done < r.Start {
				continue
			}
			flying += seconds(r.Done - r.Start)
			if isl, ok := ISL(r); ok && r.Streamed {
				if d, ok := TTFT(r); ok && d > 0 {
					prompt += isl
				}
			}
		}
		begin, end, ok := collector.times.window()
		if !ok {
			return
		}
		got := collector.Result()
		area := func(tag string) float64 {
			s, ok := got.Summary(tag)
			if !ok {
				return 0
			}
			if s.Min < 0 {
				t.Fatalf("%s is %v at its least", tag, s.Min)
			}
			return s.Mean * seconds(end-begin)
		}
		if v := area("effective_concurrency"); !within(v, flying, 1e-9) {
			t.Fatalf("concurrency adds up to %v s, want %v", v, flying)
		}
		if v := area("effective_prefill_throughput"); !within(v, prompt, 1e-9) {
			t.Fatalf("prefill adds up to %v tokens, want %v", v, prompt)
		}
	})
}

func TestColumnKeepsValues(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		n := rapid.IntRange(0, 3*blockLen).Draw(t, "n")
		draw := rapid.SampledFrom([]func() float64{
			func() float64 { return 0 },
			func() float64 { return math.Copysign(0, -1) },
			func() float64 { return float64(random.IntN(5000)) },
			func() float64 { return seconds(record.Time(random.Int64N(1e9))) },
			func() float64 { return seconds(record.Time(random.Int64N(9e15) - 4e15)) },
			func() float64 { return -seconds(record.Time(random.Int64N(1e6))) },
			random.NormFloat64,
			func() float64 { return math.Inf(1) },
			func() float64 { return random.NormFloat64() * 1e300 },
		}).Draw(t, "kind")
		var c column
		var want, placed []float64
		for range n {
			for rapid.IntRange(0, 5).Draw(t, "hole") == 0 {
				placed = append(placed, math.NaN())
			}
			v := draw()
			c.add(len(placed), v)
			want, placed = append(want, v), append(placed, v)
		}
		got := c.values(nil)
		if c.len() != n || len(got) != n {
			t.Fatalf("%d and %d values of %d", c.len(), len(got), n)
		}
		for i := range want {
			if math.Float64bits(got[i]) != math.Float64bits(want[i]) {
				t.Fatalf("value %d is %v, was %v", i, got[i], want[i])
			}
		}
		spread := slices.Repeat([]float64{math.NaN()}, len(placed))
		c.spread(got, spread)
		for i := range placed {
			if math.IsNaN(placed[i]) != math.IsNaN(spread[i]) || !math.IsNaN(placed[i]) && placed[i] != spread[i] {
				t.Fatalf("place %d has %v, want %v", i, spread[i], placed[i])
			}
		}
	})
}

// A nanosecond latency takes four bytes and a constant none.
func TestColumnIsSmall(t *testing.T) {
	var latency, constant column
	for i := range blockLen {
		latency.add(i, seconds(record.Time(20e6+i*1000)))
		constant.add(i, 1024)
	}
	if w := latency.full[0].Width(); w != 3 {
		t.Errorf("4 ms of nanoseconds take %d bytes each", w)
	}
	if w := constant.full[0].Width(); w != 0 {
		t.Errorf("a constant takes %d bytes each", w)
	}
}
