package metric

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"headway/record"
)

func TestChunkRule(t *testing.T) {
	// together marks chunks as read with the one before.
	together := func(r *record.Record, at ...int) *record.Record {
		for _, i := range at {
			r.Arrivals[i].Coalesced = true
		}
		return r
	}
	mark := func(r *record.Record, at ...int) *record.Record {
		for _, i := range at {
			r.Arrivals[i].Kind = 0
		}
		return r
	}
	for _, tt := range []struct {
		name  string
		r     *record.Record
		want  []float64 // ms
		moved int
	}{
		{"each its own read", reply(1, 10, 20, 30), []float64{10, 20, 30}, 0},
		{"a read of three", together(reply(1, 10, 40, 40, 40), 2, 3), []float64{10, 20, 30, 40}, 2},
		{"stamped one by one", together(reply(1, 10, 36, 38, 40), 2, 3), []float64{10, 20, 30, 40}, 2},
		{"the first read stays", together(reply(1, 10, 10, 40, 40), 1, 3), []float64{10, 10, 25, 40}, 1},
		{"role and first text", mark(together(reply(1, 10, 10, 20, 20), 1, 3), 0), []float64{10, 10, 15, 20}, 1},
		{"the end mark takes no part", mark(together(reply(1, 10, 30, 30, 30), 2, 3), 3), []float64{10, 20, 30, 30}, 1},
		{"no text between", mark(together(reply(1, 10, 20, 40, 40), 3), 1), []float64{10, 20, 25, 40}, 1},
		{"a clock that went back", together(reply(1, 50, 40, 40), 2), []float64{50, 40, 40}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := slices.Clone(tt.r.Arrivals)
			g := reading{rule: ChunkSpread}
			var got []float64
			for _, a := range g.of(tt.r).Arrivals {
				got = append(got, float64(a.At)/1e6)
			}
			if !slices.Equal(got, tt.want) || g.moved != tt.moved {
				t.Errorf("%v, %d moved; want %v, %d", got, g.moved, tt.want, tt.moved)
			}
			if !slices.Equal(before, tt.r.Arrivals) {
				t.Error("the Record was changed")
			}
			if as := (&reading{}).of(tt.r); as != tt.r {
				t.Error("as it is, it is another")
			}
		})
	}
}

// Spreading moves no latency, and the gaps of a reply add up to the same.
func TestSpreadKeepsLatencies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := drawRecord(t)
		for i := range r.Arrivals {
			r.Arrivals[i].Coalesced = i > 0 && rapid.Bool().Draw(t, "together")
		}
		g := reading{rule: ChunkSpread}
		s := g.of(r)
		for name, f := range map[string]measure{"ttft": TTFT, "latency": RequestLatency, "itl": ITL} {
			a, aok := f(r)
			b, bok := f(s)
			if a != b || aok != bok {
				t.Fatalf("%s %v %v became %v %v", name, a, aok, b, bok)
			}
		}
		a, b := ICL(r, nil), ICL(s, nil)
		if len(a) > 0 && (len(a) != len(b) || !within(sum(b), sum(a), 1e-9)) {
			t.Fatalf("gaps %v became %v", a, b)
		}
	})
}

func TestChunkRuleInTheResult(t *testing.T) {
	r := reply(1, 10, 40, 40, 40)
	r.Arrivals[2].Coalesced, r.Arrivals[3].Coalesced = true, true
	rule, err := ParseChunkRule("spread")
	if err != nil || rule.String() != "spread" {
		t.Fatal(rule, err)
	}
	res := collect(Options{Streaming: true, ChunkRule: rule}, r)
	if want := (Chunks{Rule: ChunkSpread, Arrivals: 4, Coalesced: 3, Spread: 2, Gaps: 3}); res.Chunks != want {
		t.Errorf("%+v, want %+v", res.Chunks, want)
	}
	if s, _ := res.Summary("inter_chunk_latency"); s.Min != 0.01 || s.Max != 0.01 {
		t.Errorf("%+v", s)
	}
	for _, v := range (Options{Streaming: true, ChunkRule: rule}).Values(r) {
		if v.Tag == "inter_chunk_latency" && !slices.Equal(v.List, []float64{10, 10, 10}) {
			t.Errorf("a line has %v", v.List)
		}
	}
	if _, err := ParseChunkRule("even"); err == nil {
		t.Error("a rule that is none was taken")
	}
}
