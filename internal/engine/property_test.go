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
		BlockSize:           rapid.IntRange(1, 8).Draw(t, "block size"),
		Watermark:           rapid.SampledFrom([]float64{-1, 0.01, 0.2}).Draw(t, "watermark"),
		SpeedupRatio:        rapid.SampledFrom([]float64{0, 0.5, 10}).Draw(t, "speed-up"),
		StartupTime:         rapid.SampledFrom([]time.Duration{0, 50 * time.Millisecond}).Draw(t, "start-up"),
		Seed:                rapid.Uint64().Draw(t, "seed"),
		NoPrefixCaching:     rapid.IntRange(0, 9).Draw(t, "caching") == 0,
		Role:                rapid.SampledFrom([]Role{Aggregated, Aggregated, PrefillOnly, DecodeOnly}).Draw(t, "role"),
		KVBytesPerToken:     rapid.SampledFrom([]int{0, 64e6}).Draw(t, "kv bytes"),
		Transfer:            rapid.SampledFrom([]TransferMode{FullPrompt, DestinationMissing}).Draw(t, "transfer"),
	}
	cfg.Timing = rapid.SampledFrom([]Timing{
		Polynomial{}, Polynomial{}, StepFunc(ragged), StepFunc(even), Fixed{}, Fixed{TTFT: 20 * time.Millisecond, ITL: 5 * time.Millisecond},
		Fixed{TTFT: 20 * time.Millisecond, ITL: 5 * time.Millisecond, TTFTJitterCV: 0.5, ITLJitterCV: 1},
	}).Draw(t, "timing")
	if _, fixed := cfg.Timing.(Fixed); !fixed {
		cfg.Type = rapid.SampledFrom([]Type{VLLM, SGLang, TRTLLM, Mocker2025}).Draw(t, "type")
		cfg.NoChunkedPrefill = rapid.IntRange(0, 4).Draw(t, "chunked") == 0
		cfg.DecodeSpeedupRatio = rapid.SampledFrom([]float64{0, 3}).Draw(t, "decode speed-up")
		cfg.SGLang = SGLangConfig{
			Policy:             rapid.SampledFrom([]string{"fcfs", "lpm"}).Draw(t, "policy"),
			MaxPrefillTokens:   rapid.IntRange(1, 100).Draw(t, "prefill tokens"),
			ChunkedPrefillSize: rapid.IntRange(8, 80).Draw(t, "chunk"),
			ClipMaxNewTokens:   rapid.IntRange(1, 20).Draw(t, "clip"),
			Conservativeness:   rapid.SampledFrom([]float64{0.1, 1}).Draw(t, "conservativeness"),
		}
	}
	if cfg.Type != SGLang {
		cfg.Preemption = rapid.SampledFrom([]Preemption{"", LIFO, FIFO}).Draw(t, "preemption")
	}
	return cfg, drawArrivals(t, cfg)
}

// ragged is a step time in which every argument shows.
func ragged(prefill, prefillContext, decode, context int) time.Duration {
	return time.Duration(1_000_000 + 100_003*prefill + 1_009*prefillContext + 10_007*decode + 503*context)
}

// even is a step time that lets steps and arrivals coincide.
func even(int, int, int, int) time.Duration { return time.Millisecond }

func drawArrivals(t *rapid.T, cfg Config) []arrival {
	capacity := cfg.Capacity()
	var in []arrival
	var at time.Duration
	for id := range uint64(rapid.IntRange(1, 20).Draw(t, "requests")) {
		if rapid.Bool().Draw(t, "even gap") {
			at = at.Round(time.Millisecond) + time.Duration(rapid.IntRange(0, 30).Draw(t, "gap"))*time.Millisecond
		} else {
			at += time.Duration(rapid.IntRange(0, 30_000_000).Draw(t, "gap"))
		}
		prompt := rapid.IntRange(1, capacity-2).Draw(t, "prompt")
		r := Request{ID: id, PromptTokens: prompt, MaxTokens: rapid.IntRange(2, min(20, capacity-prompt)).Draw(t, "output")}
		if cfg.Role != DecodeOnly && rapid.IntRange(0, 4).Draw(t, "one token") == 0 {
			r.MaxTokens = 1
		}
		r.Priority = rapid.SampledFrom([]int{0, 0, 0, 1, -1}).Draw(t, "priority")
		r.Blocks = drawBlocks(t, id, prompt/cfg.BlockSize)
		in = append(in, arrival{At: at, R: r})
		if rapid.IntRange(0, 4).Draw(t, "cancel") == 0 {
			after := time.Duration(rapid.IntRange(0, 200_000_000).Draw(t, "after"))
			in = append(in, arrival{At: at + after, R: r, Cancel: true})
		}
	}
	slices.SortStableFunc(in, func(a, b arrival) int { return int(a.At - b.At) })
	return in
}

// drawBlocks hashes at most n blocks, the first of which some family shares.
func drawBlocks(t *rapid.T, id uint64, n int) []uint64 {
	blocks := make([]uint64, rapid.IntRange(0, n).Draw(t, "hashed"))
	family := rapid.Uint64Range(0, 2).Draw(t, "family")
	shared := rapid.IntRange(0, len(blocks)).Draw(t, "shared")
	for k := range blocks {
		blocks[k] = family<<8 | uint64(k)
		if k >= shared {
			blocks[k] |= (id + 1) << 16
		}
	}
	return blocks
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
		checkLife(t, cfg, in, events)
		if s := e.Stats(); s.Running+s.Waiting != 0 || e.pool.active+e.holding+e.reserved != 0 ||
			s.Finished+s.Cancelled+s.HandedOver != s.Submitted || (e.cfg.Type == TRTLLM && s.Preempted != 0) {
			t.Fatalf("left behind: %+v", s)
		}
	})
}

// checkLife follows every request through its events.
func checkLife(t *rapid.T, cfg Config, in []arrival, events []Event) {
	tokens, ended := map[uint64]int{}, map[uint64]Kind{}
	running := map[uint64]bool{}
	for _, a := range in {
		if cfg.Role == DecodeOnly {
			tokens[a.R.ID] = 1
		}
	}
	var last time.Duration
	for _, ev := range events {
		if ev.At < last {
			t.Fatalf("events run backwards: %v after %v", ev, last)
		}
		last = ev.At
		if _, over := ended[ev.ID]; over {
			t.Fatalf("%v after the request had ended", ev)
		}
		if ev.Kind == Token {
			tokens[ev.ID]++
		}
		if ev.Token != tokens[ev.ID] {
			t.Fatalf("%v: %d tokens came", ev, tokens[ev.ID])
		}
		if running[ev.ID] == (ev.Kind == Admitted) && ev.Kind != Cancelled {
			t.Fatalf("%v: running is %v", ev, running[ev.ID])
		}
		running[ev.ID] = ev.Kind == Admitted || ev.Kind == Token
		switch ev.Kind {
		case Finished, Cancelled, HandedOver:
			ended[ev.ID] = ev.Kind
		}
	}
	checkEnds(t, cfg, in, tokens, ended)
}

func checkEnds(t *rapid.T, cfg Config, in []arrival, tokens map[uint64]int, ended map[uint64]Kind) {
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
		case end == HandedOver && (cfg.Role != PrefillOnly || tokens[a.R.ID] != 1 || a.R.MaxTokens == 1):
			t.Fatalf("request %d was handed over with %d tokens of %d", a.R.ID, tokens[a.R.ID], a.R.MaxTokens)
		case end == Cancelled && !mayCancel[a.R.ID]:
			t.Fatalf("request %d was cancelled by nobody", a.R.ID)
		}
	}
}

// Leaving tokens out changes nothing else, and their times follow from the
// ticks.
func TestSkippedTokens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg, in := drawCase(t)
		var kvFull, kvQuick []string
		cfg.OnKV = func(ev KVEvent) { kvFull = append(kvFull, fmt.Sprint(ev)) }
		full := mustNew(t, cfg)
		feed(t, full, in, forever)
		events, _, _ := full.Step(forever)
		want := slices.Clone(events)
		_, fixed := cfg.Timing.(Fixed)

		cfg.SkipTokens, cfg.KeepTicks = true, !fixed
		cfg.OnKV = func(ev KVEvent) { kvQuick = append(kvQuick, fmt.Sprint(ev)) }
		quick := mustNew(t, cfg)
		var got []Event
		var now time.Duration
		for left, busy := in, true; busy || len(left) > 0; {
			left = feed(t, quick, left, now)
			events, _, busy = quick.Step(now)
			got = append(got, events...)
			checkState(t, quick)
			now += time.Duration(rapid.IntRange(1, 300_000_000).Draw(t, "step"))
		}
		if diff := cmp.Diff(kvFull, kvQuick); diff != "" {
			t.Fatalf("the cache, with all tokens (-) and without (+):\n%s", diff)
		}
		if a, b := full.Stats(), quick.Stats(); a != b {
			t.Fatalf("with all tokens %+v, without %+v", a, b)
		}
		if fixed {
			first := map[uint64]bool{}
			want = slices.DeleteFunc(want, func(ev Event) bool {
				skip := ev.Kind == Token && !first[ev.ID]
				first[ev.ID] = ev.Kind == Admitted
				return skip
			})
		} else {
			got = restore(got, quick.Ticks())
		}
		slices.SortStableFunc(want, byTimeAndID)
		slices.SortStableFunc(got, byTimeAndID)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("all tokens (-) and those restored (+):\n%s", diff)
		}
	})
}

// byTimeAndID keeps the order of each request's events.
func byTimeAndID(a, b Event) int {
	if a.At != b.At {
		return int(a.At - b.At)
	}
	return int(a.ID) - int(b.ID)
}

// restore puts in the tokens that were left out.
func restore(events []Event, ticks []time.Duration) []Event {
	var all []Event
	last := map[uint64]Event{} // the token that was told of, since the admission
	for _, ev := range events {
		if from, ok := last[ev.ID]; ok {
			for k := from.Token; k < ev.Token; k++ {
				all = append(all, Event{At: ticks[from.Tick+int64(k-from.Token)], ID: ev.ID, Kind: Token, Token: k + 1})
			}
		}
		delete(last, ev.ID)
		if ev.Kind == Token {
			last[ev.ID] = ev
		}
		ev.Tick = 0
		all = append(all, ev)
	}
	return all
}

// Whoever follows the events of the cache knows what is in it, and every
// stored block follows one that is there.
func TestKVEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg, in := drawCase(t)
		known := map[uint64]bool{}
		var id uint64
		var last time.Duration
		cfg.OnKV = func(ev KVEvent) {
			if ev.ID != id || ev.At < last || len(ev.Blocks) == 0 || (ev.Removed && (len(ev.Blocks) != 1 || ev.HasParent)) {
				t.Fatalf("event %d: %+v", id, ev)
			}
			id++
			last = ev.At
			if ev.HasParent && !known[ev.Parent] {
				t.Fatalf("%+v: the parent is not there", ev)
			}
			for _, h := range ev.Blocks {
				if known[h] != ev.Removed {
					t.Fatalf("%+v: block %d: there before: %v", ev, h, known[h])
				}
				known[h] = !ev.Removed
			}
		}
		e := mustNew(t, cfg)
		var now time.Duration
		for left, busy := in, true; busy || len(left) > 0; {
			left = feed(t, e, left, now)
			_, _, busy = e.Step(now)
			now += time.Duration(rapid.IntRange(1, 40_000_000).Draw(t, "step"))
			n := 0
			for h, there := range known {
				if there != (e.pool.find(h) != none) {
					t.Fatalf("block %d is there: %v by the events", h, there)
				}
				if there {
					n++
				}
			}
			if n != e.pool.named {
				t.Fatalf("%d blocks by the events, %d in the pool", n, e.pool.named)
			}
		}
	})
}

// checkState compares what the engine counts with what its sequences hold.
func checkState(t *rapid.T, e *Engine) {
	held, users, context, waiting := 0, map[int32]int32{}, 0, 0
	private := 0
	for s := e.running.first; s != nil; s = s.next {
		own := s.private
		if s.phase == decodes {
			context += s.req.PromptTokens + e.tokens(s)
			own = e.cfg.blocksFor(s.req.PromptTokens+s.base+int(e.dec.started)-1+e.rules.ahead) - len(s.held)
		}
		private += own
		held += own + len(s.held)
		for _, i := range s.held {
			users[i]++
		}
		if (own+len(s.held))*e.cfg.BlockSize < s.computed {
			t.Fatalf("request %d has %d tokens in %d blocks", s.req.ID, s.computed, own+len(s.held))
		}
	}
	e.waiting.each(func(s *sequence) {
		waiting++
		if len(s.held)+s.private != 0 || s.phase != inQueue {
			t.Fatalf("request %d waits and holds %d blocks", s.req.ID, len(s.held)+s.private)
		}
	})
	for i, n := range users {
		if e.pool.nodes[i].refs != n {
			t.Fatalf("block %d has %d users, %d counted", i, n, e.pool.nodes[i].refs)
		}
	}
	p := &e.pool
	if held != e.holding || private+len(users) != p.active || len(users)+p.inactive != p.named || waiting != e.waiting.len() {
		t.Fatalf("%d blocks held, %d counted; %d in use, %d counted; %d waiting, %d counted", held, e.holding,
			private+len(users), p.active, waiting, e.waiting.len())
	}
	if p.active+p.inactive > p.capacity || e.running.n > e.cfg.MaxNumSeqs || context != e.dec.context {
		t.Fatalf("%d+%d blocks of %d; %d running; context %d, counted %d", p.active, p.inactive, p.capacity, e.running.n, context, e.dec.context)
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
