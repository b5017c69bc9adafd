package engine

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

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

// Whoever follows the events of the cache knows what is in it, and every
// stored block follows one that is there.
func TestKVEvents(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg, in := drawCase(t)
		known := map[uint64]bool{}
		var id uint64
		var last time.Duration
		cfg.OnKV = func(ev KVEvent) {
			if ev.ID != id || ev.At < last || len(ev.Blocks) == 0 ||
				(ev.Removed && (len(ev.Blocks) != 1 || ev.HasParent)) {
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
