package cluster

import (
	"testing"
	"time"

	"headway/internal/engine"
	"headway/internal/model"
	"headway/internal/router"
)

// What a request takes outside of the engine is part of its TTFT, once, and holds up
// nobody; with prefill workers it is not taken again.
func TestOutsideOfTheEngine(t *testing.T) {
	const outside = 15 * time.Millisecond
	for _, prefill := range []int{0, 1} {
		c := small(1, router.RoundRobin)
		c.PrefillWorkers, c.Frontend = prefill, 0
		c.Engine.Timing = engine.StepFunc(func(prompt, _, _, _ int) time.Duration {
			return time.Millisecond * time.Duration(1+prompt/100)
		})
		without, _, _ := replayed(t, c, loop(40, 4))
		c.Outside = outside
		with, facts, out := replayed(t, c, loop(40, 4))
		if facts.Outside != outside.Seconds() {
			t.Errorf("%v s outside by the account", facts.Outside)
		}
		a, b := without[0], with[0]
		if d := time.Duration((b.Arrivals[0].At - b.Start) - (a.Arrivals[0].At - a.Start)); d != outside {
			t.Errorf("the first token comes %v later, want %v", d, outside)
		}
		if d := time.Duration((b.Done - b.Start) - (a.Done - a.Start)); d != outside {
			t.Errorf("the reply ends %v later, want %v", d, outside)
		}
		want := Reached{Shortest: 500, Longest: 500, Context: 520, Requests: 4}
		if out.Reached != want {
			t.Errorf("%+v, want %+v", out.Reached, want)
		}
	}
}

// A request that is given up on its way is gone.
func TestOutsideAndCancelled(t *testing.T) {
	c := small(1, router.RoundRobin)
	c.Outside = time.Second
	p := loop(4, 2)
	p.Duration, p.Grace = 500*time.Millisecond, 0
	records, _, out := replayed(t, c, p)
	for _, r := range records {
		if len(r.Arrivals) > 0 {
			t.Errorf("request %d has a token after %v", r.Index, r.Arrivals[0].At)
		}
	}
	if len(records) != 4 || out.End > stamp(500*time.Millisecond) {
		t.Errorf("%d records, the end at %v", len(records), out.End)
	}
}

// Times that were fitted to no server say what they were found to be off.
func TestRestsOn(t *testing.T) {
	c := Defaults()
	if b := c.RestsOn(); b.Code != Uncalibrated || b.Text != mockerError {
		t.Errorf("the polynomial: %+v", b)
	}
	m, err := model.Lookup("llama-3.1-8b")
	if err != nil {
		t.Fatal(err)
	}
	g, err := model.LookupGPU("h200_sxm")
	if err != nil {
		t.Fatal(err)
	}
	s := model.Setup{Model: m, GPU: g, Mapping: model.Mapping{Kind: model.TP, Size: 1},
		MemoryFraction: 0.9,
		SequenceTokens: 1, MaxBatchedTokens: 8192, MaxSequences: 256}
	if err := c.UseRoofline(s); err != nil {
		t.Fatal(err)
	}
	if b := c.RestsOn(); b.Code != Uncalibrated || b.Text != rooflineError {
		t.Errorf("the roofline: %+v", b)
	}
	c = Defaults()
	c.Engine.Timing = engine.Fixed{}
	if b := c.RestsOn(); b.Code != "" {
		t.Errorf("times that somebody made up: %+v", b)
	}
}
