package engine

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// A cancellation that comes after its request has finished does not hit
// another request that took the id.
func TestCancelAfterReuse(t *testing.T) {
	e := newEngine(t, Config{Timing: Fixed{TTFT: 20 * time.Millisecond}})
	if err := e.Submit(0, Request{ID: 1, PromptTokens: 5, MaxTokens: 1}); err != nil {
		t.Fatal(err)
	}
	e.Cancel(50*time.Millisecond, 1)
	e.Step(30 * time.Millisecond)
	if err := e.Submit(50*time.Millisecond, Request{ID: 1, PromptTokens: 5, MaxTokens: 1}); err != nil {
		t.Fatal(err)
	}
	wantEvents(t, stepTo(t, e, forever), `
	50ms 1 admitted 0
	70ms 1 token 1
	70ms 1 finished 1
	`)
}

func TestCancel(t *testing.T) {
	fixed := Fixed{TTFT: 10 * time.Millisecond, ITL: time.Millisecond}
	e := newEngine(t, Config{Timing: fixed, MaxNumSeqs: 1})
	for id := range uint64(3) {
		if err := e.Submit(0, Request{ID: id + 1, PromptTokens: 5, MaxTokens: 3}); err != nil {
			t.Fatal(err)
		}
	}
	if !e.Cancel(2*time.Millisecond, 2) { // while it waits
		t.Error("request 2 is not there")
	}
	if !e.Cancel(11*time.Millisecond, 1) || e.Cancel(11*time.Millisecond, 1) { // while it runs
		t.Error("request 1 can be cancelled once")
	}
	wantEvents(t, stepTo(t, e, forever), `
	0s 1 admitted 0
	2ms 2 cancelled 0
	10ms 1 token 1
	11ms 1 cancelled 1
	11ms 3 admitted 0
	21ms 3 token 1
	22ms 3 token 2
	23ms 3 token 3
	23ms 3 finished 3
	`)
	if e.Cancel(forever, 3) {
		t.Error("a finished request can be cancelled")
	}
	if s := e.Stats(); s.Running != 0 || s.Waiting != 0 || s.KVShare != 0 || s.Cancelled != 2 || s.Finished != 1 {
		t.Errorf("after all: %+v", s)
	}
}

// A step in flight ends when it was planned to, and a cancelled sequence gets
// nothing from it.
func TestCancelInStep(t *testing.T) {
	e := newEngine(t, Config{})
	for id := range uint64(2) {
		if err := e.Submit(0, Request{ID: id + 1, PromptTokens: 500, MaxTokens: 1}); err != nil {
			t.Fatal(err)
		}
	}
	e.Cancel(time.Millisecond, 1)
	end := Polynomial{}.Prefill(1000)
	want := []Event{
		{At: 0, ID: 1, Kind: Admitted, Token: 0}, {At: 0, ID: 2, Kind: Admitted, Token: 0},
		{At: time.Millisecond, ID: 1, Kind: Cancelled, Token: 0},
		{At: end, ID: 2, Kind: Token, Token: 1}, {At: end, ID: 2, Kind: Finished, Token: 1},
	}
	if diff := cmp.Diff(want, stepTo(t, e, forever)); diff != "" {
		t.Error(diff)
	}
}

// A request that is submitted during a step waits for its end, however late
// Step is called.
func TestLateStep(t *testing.T) {
	e := newEngine(t, Config{})
	end := Polynomial{}.Prefill(1000)
	if err := e.Submit(0, Request{ID: 1, PromptTokens: 1000, MaxTokens: 1}); err != nil {
		t.Fatal(err)
	}
	if err := e.Submit(end/2, Request{ID: 2, PromptTokens: 1000, MaxTokens: 1}); err != nil {
		t.Fatal(err)
	}
	got := stepTo(t, e, forever)
	want := []Event{
		{At: 0, ID: 1, Kind: Admitted, Token: 0}, {At: end, ID: 1, Kind: Token, Token: 1},
		{At: end, ID: 1, Kind: Finished, Token: 1},
		{At: end, ID: 2, Kind: Admitted, Token: 0}, {At: 2 * end, ID: 2, Kind: Token, Token: 1},
		{At: 2 * end, ID: 2, Kind: Finished, Token: 1},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	// What was in the past by the time it was said happens now.
	if err := e.Submit(time.Millisecond, Request{ID: 3, PromptTokens: 1, MaxTokens: 1}); err != nil {
		t.Fatal(err)
	}
	if events, _, _ := e.Step(forever + time.Hour); len(events) == 0 || events[0].At != forever {
		t.Errorf("a submission in the past: %v", events)
	}
}

// What comes at the very end of a step comes before it, and takes part in the
// next one, also where many steps are taken at once.
func TestInputAtTheEndOfAStep(t *testing.T) {
	for _, skip := range []bool{false, true} {
		e := newEngine(t, Config{Timing: StepFunc(even), SkipTokens: skip})
		for id, at := range []time.Duration{0, 10 * time.Millisecond} {
			if err := e.Submit(at, Request{ID: uint64(id), PromptTokens: 5, MaxTokens: 20}); err != nil {
				t.Fatal(err)
			}
		}
		e.Cancel(15*time.Millisecond, 0)
		events := slices.DeleteFunc(stepTo(t, e, forever), func(ev Event) bool {
			return ev.Kind == Token && ev.Token > 1
		})
		wantEvents(t, events, `
		0s 0 admitted 0
		1ms 0 token 1
		10ms 1 admitted 0
		11ms 1 token 1
		15ms 0 cancelled 14
		30ms 1 finished 20
		`)
	}
}
