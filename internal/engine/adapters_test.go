package engine

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A request for whose adapter there is no slot waits, others go before it, and the step
// that an adapter is loaded for takes longer for everybody.
func TestAdaptersWaitForSlots(t *testing.T) {
	c := Config{Timing: tenEach, MaxLoras: 1, LoraLoadTime: 5 * time.Millisecond}
	request := func(id, adapter uint64) Request {
		return Request{ID: id, Adapter: adapter, PromptTokens: 10, MaxTokens: 2}
	}
	events, e := played(t, c, 0, request(1, 7), request(2, 8), request(3, 0), request(4, 7))
	at := map[string]time.Duration{}
	for _, ev := range events {
		at[fmt.Sprint(ev.ID, " ", ev.Kind, " ", ev.Token)] = ev.At
	}
	for what, ms := range map[string]int{
		"1 token 1": 15, "3 token 1": 15, "4 token 1": 15, "1 finished 2": 25,
		"2 admitted 0": 25, "2 token 1": 40, "2 finished 2": 50,
	} {
		if got, ok := at[what]; !ok || got != time.Duration(ms)*time.Millisecond {
			t.Errorf("%s at %v, want %d ms", what, got, ms)
		}
	}
	if s := e.Stats(); s.AdapterLoads != 2 || s.AdapterLoadTime != 10*time.Millisecond || s.AdapterSlots != 1 ||
		s.AdaptersInUse != 0 {
		t.Errorf("%+v", s)
	}
}

// Without slots an adapter changes nothing, and with enough of them only the loading.
func TestAdaptersWithRoom(t *testing.T) {
	var plain, named []Request
	for i := range 20 {
		r := Request{ID: uint64(i), PromptTokens: 10 + i, MaxTokens: 5}
		plain = append(plain, r)
		r.Adapter = uint64(1 + i%4)
		named = append(named, r)
	}
	want, _ := played(t, Config{}, 0, plain...)
	for _, slots := range []int{0, 4} {
		if got, _ := played(t, Config{MaxLoras: slots}, 0, named...); !slices.Equal(got, want) {
			t.Errorf("%d slots and no time of loading: other events", slots)
		}
	}
}

// The idle adapter that was used longest ago gives way: as many loads as a cache of
// that policy has misses.
func TestAdaptersLeastRecentlyUsed(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	e, err := New(Config{Timing: tenEach, MaxLoras: 3, LoraLoadTime: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	var cached []uint64
	misses := int64(0)
	at := time.Duration(0)
	for i := range 300 {
		adapter := 1 + random.Uint64N(6)
		if k := slices.Index(cached, adapter); k >= 0 {
			cached = slices.Delete(cached, k, k+1)
		} else if misses++; len(cached) == 3 {
			cached = cached[1:]
		}
		cached = append(cached, adapter)
		if err := e.Submit(at, Request{ID: uint64(i), Adapter: adapter, PromptTokens: 1, MaxTokens: 1}); err != nil {
			t.Fatal(err)
		}
		at += time.Second
		e.Step(at)
	}
	if s := e.Stats(); s.AdapterLoads != misses || s.Finished != 300 {
		t.Errorf("%d loads, want %d", s.AdapterLoads, misses)
	}
}

// No step has more adapters than slots, whatever the scheduler, and everybody is served.
func TestNoMoreAdaptersThanSlots(t *testing.T) {
	timings := map[string]Timing{"steps": tenEach, "fixed": Fixed{TTFT: time.Second, ITL: time.Second}}
	for name, timing := range timings {
		for _, kind := range Types() {
			if name == "fixed" && kind != VLLM {
				continue
			}
			e, err := New(Config{Timing: timing, Type: kind, MaxLoras: 2, MaxNumSeqs: 6,
				LoraLoadTime: time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 60 {
				r := Request{ID: uint64(i), Adapter: uint64(i*i) % 7, PromptTokens: 5, MaxTokens: 1 + i%9,
					Priority: i % 2}
				if err := e.Submit(0, r); err != nil {
					t.Fatal(err)
				}
			}
			e.Cancel(30*time.Millisecond, 3)
			for at, busy := time.Duration(0), true; busy; {
				_, at, busy = e.Step(at)
				running := map[uint64]bool{}
				for s := e.running.first; s != nil; s = s.next {
					running[s.req.Adapter] = true
				}
				delete(running, 0)
				if len(running) > 2 || e.Stats().AdaptersInUse != len(running) {
					t.Fatalf("%s %s: %d adapters run, %d are in use, of 2 slots", name, kind, len(running),
						e.Stats().AdaptersInUse)
				}
			}
			if s := e.Stats(); s.Finished+s.Cancelled != 60 {
				t.Errorf("%s %s: %+v", name, kind, s)
			}
		}
	}
}
