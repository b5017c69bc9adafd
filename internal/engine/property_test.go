package engine

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// arrival is a request or, when cancel is set, the end of one.
type arrival struct {
	At     time.Duration
	R      Request
	Cancel bool
}

// drawCase draws a small worker under pressure and what is asked of it.
func drawCase(t *rapid.T) (Config, []arrival) {
	cfg := Config{
		MaxNumSeqs:          rapid.IntRange(1, 6).Draw(t, "seqs"),
		MaxNumBatchedTokens: rapid.IntRange(6, 80).Draw(t, "budget"),
		NumGPUBlocks:        rapid.IntRange(20, 60).Draw(t, "blocks"),
		BlockSize:           rapid.IntRange(2, 8).Draw(t, "block size"),
		Watermark:           rapid.SampledFrom([]float64{-1, 0.01, 0.2}).Draw(t, "watermark"),
		SpeedupRatio:        rapid.SampledFrom([]float64{0, 0.5, 10}).Draw(t, "speed-up"),
		StartupTime:         rapid.SampledFrom([]time.Duration{0, 50 * time.Millisecond}).Draw(t, "start-up"),
		Seed:                rapid.Uint64().Draw(t, "seed"),
	}
	cfg.Timing = rapid.SampledFrom([]Timing{
		Polynomial{}, Fixed{}, Fixed{TTFT: 20 * time.Millisecond, ITL: 5 * time.Millisecond},
		Fixed{TTFT: 20 * time.Millisecond, ITL: 5 * time.Millisecond, TTFTJitterCV: 0.5, ITLJitterCV: 1},
	}).Draw(t, "timing")
	capacity := cfg.Capacity()
	var in []arrival
	var at time.Duration
	for id := range uint64(rapid.IntRange(1, 20).Draw(t, "requests")) {
		at += time.Duration(rapid.IntRange(0, 30_000_000).Draw(t, "gap"))
		prompt := rapid.IntRange(1, capacity-1).Draw(t, "prompt")
		r := Request{ID: id, PromptTokens: prompt, MaxTokens: rapid.IntRange(1, min(20, capacity-prompt)).Draw(t, "output")}
		in = append(in, arrival{At: at, R: r})
		if rapid.IntRange(0, 4).Draw(t, "cancel") == 0 {
			after := time.Duration(rapid.IntRange(0, 200_000_000).Draw(t, "after"))
			in = append(in, arrival{At: at + after, R: r, Cancel: true})
		}
	}
	slices.SortStableFunc(in, func(a, b arrival) int { return int(a.At - b.At) })
	return cfg, in
}

// feed gives the engine what happens up to now.
func feed(t *rapid.T, e *Engine, in []arrival, now time.Duration) []arrival {
	for len(in) > 0 && in[0].At <= now {
		if in[0].Cancel {
			e.Cancel(in[0].At, in[0].R.ID)
		} else if err := e.Submit(in[0].At, in[0].R); err != nil {
			t.Fatal(err)
		}
		in = in[1:]
	}
	return in
}

func mustNew(t *rapid.T, cfg Config) *Engine {
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// One long step and any number of short ones give the same events.
func TestStepsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg, in := drawCase(t)
		whole := mustNew(t, cfg)
		feed(t, whole, in, forever)
		events, _, _ := whole.Step(forever)
		want := slices.Clone(events)

		pieces := mustNew(t, cfg)
		var got []Event
		var now time.Duration
		for left, busy := in, true; busy || len(left) > 0; {
			left = feed(t, pieces, left, now)
			events, next, b := pieces.Step(now)
			got = append(got, events...)
			checkState(t, pieces)
			busy = b
			if busy && next <= now {
				t.Fatalf("at %v the next event is said to be at %v", now, next)
			}
			now += time.Duration(rapid.IntRange(1, 40_000_000).Draw(t, "step"))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("one step (-) and many (+):\n%s", diff)
		}
	})
}

// Waking exactly when the engine says so misses nothing: every event is handed
// out at its own time.
func TestNextIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg, in := drawCase(t)
		e := mustNew(t, cfg)
		feed(t, e, in, forever)
		var now time.Duration
		for {
			events, next, busy := e.Step(now)
			for _, ev := range events {
				if ev.At != now {
					t.Fatalf("an event of %v was handed out at %v", ev.At, now)
				}
			}
			if !busy {
				return
			}
			now = next
		}
	})
}

// Everything that is submitted ends, with exactly its tokens and in order, and
// gives back what it held.
func TestConservation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg, in := drawCase(t)
		e := mustNew(t, cfg)
		feed(t, e, in, forever)
		events, _, busy := e.Step(forever)
		if busy {
			t.Fatal("work is left")
		}
		tokens, ended := map[uint64]int{}, map[uint64]Kind{}
		var last time.Duration
		for _, ev := range events {
			if ev.At < last {
				t.Fatalf("events run backwards: %v after %v", ev, last)
			}
			last = ev.At
			if _, over := ended[ev.ID]; over {
				t.Fatalf("%v after the request had ended", ev)
			}
			switch ev.Kind {
			case Token:
				tokens[ev.ID]++
				if ev.Token != tokens[ev.ID] {
					t.Fatalf("%v should be token %d", ev, tokens[ev.ID])
				}
			case Finished, Cancelled:
				ended[ev.ID] = ev.Kind
			}
		}
		checkEnds(t, in, tokens, ended)
		if s := e.Stats(); s.Running+s.Waiting != 0 || e.used != 0 || s.Finished+s.Cancelled != s.Submitted {
			t.Fatalf("left behind: %+v", s)
		}
	})
}

func checkEnds(t *rapid.T, in []arrival, tokens map[uint64]int, ended map[uint64]Kind) {
	mayCancel := map[uint64]bool{}
	for _, a := range in {
		mayCancel[a.R.ID] = mayCancel[a.R.ID] || a.Cancel
	}
	for _, a := range in {
		end, over := ended[a.R.ID]
		switch {
		case !over:
			t.Fatalf("request %d never ended", a.R.ID)
		case end == Finished && tokens[a.R.ID] != a.R.MaxTokens:
			t.Fatalf("request %d got %d tokens, want %d", a.R.ID, tokens[a.R.ID], a.R.MaxTokens)
		case end == Cancelled && !mayCancel[a.R.ID]:
			t.Fatalf("request %d was cancelled by nobody", a.R.ID)
		}
	}
}

// checkState compares what the engine counts with what its sequences hold.
func checkState(t *rapid.T, e *Engine) {
	used := 0
	for _, s := range e.running {
		used += s.blocks
		if s.blocks*e.cfg.BlockSize < s.computed {
			t.Fatalf("request %d has %d tokens in %d blocks", s.req.ID, s.computed, s.blocks)
		}
	}
	for _, s := range e.waiting.all() {
		if s.blocks != 0 {
			t.Fatalf("request %d waits and holds %d blocks", s.req.ID, s.blocks)
		}
	}
	if used != e.used || used > e.cfg.NumGPUBlocks || len(e.running) > e.cfg.MaxNumSeqs {
		t.Fatalf("%d blocks held, %d counted, %d there are; %d running", used, e.used, e.cfg.NumGPUBlocks, len(e.running))
	}
}

// The queue behaves as a plain slice does.
func TestFIFO(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q fifo[int]
		var want []int
		for i := range rapid.IntRange(1, 200).Draw(t, "operations") {
			switch op := rapid.IntRange(0, 4).Draw(t, "operation"); {
			case op <= 1:
				q.push(i)
				want = append(want, i)
			case op == 2:
				q.pushFront(i)
				want = slices.Insert(want, 0, i)
			case op == 3 && len(want) > 0:
				if got := q.first(); got != want[0] {
					t.Fatalf("head %d, want %d", got, want[0])
				}
				q.pop()
				want = want[1:]
			case op == 4 && len(want) > 0:
				k := rapid.IntRange(0, len(want)-1).Draw(t, "victim")
				if !q.remove(want[k]) || q.remove(-1) {
					t.Fatalf("removing %d", want[k])
				}
				want = slices.Delete(slices.Clone(want), k, k+1)
			}
			if !slices.Equal(q.all(), want) || q.len() != len(want) {
				t.Fatalf("queue %v, want %v", q.all(), want)
			}
		}
	})
}

// BenchmarkStep measures the engine's own work in virtual time, 250 sequences
// at a time, and reports steps and tokens per second of real time.
func BenchmarkStep(b *testing.B) {
	for _, timing := range []Timing{Polynomial{}, Fixed{TTFT: 20 * time.Millisecond, ITL: 5 * time.Millisecond}} {
		b.Run(fmt.Sprintf("%T", timing), func(b *testing.B) {
			e := newEngine(b, Config{Timing: timing})
			var id uint64
			var now time.Duration
			b.ReportAllocs()
			for b.Loop() {
				for s := e.Stats(); s.Running+s.Waiting < 250; s.Waiting++ {
					id++
					if err := e.Submit(now, Request{id, 512, 64}); err != nil {
						b.Fatal(err)
					}
				}
				_, now, _ = e.Step(now)
			}
			seconds := b.Elapsed().Seconds()
			b.ReportMetric(float64(e.Stats().Steps)/seconds, "steps/s")
			b.ReportMetric(float64(e.Stats().GeneratedTokens)/seconds, "tokens/s")
		})
	}
}
