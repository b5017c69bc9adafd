package engine

import (
	"slices"
	"testing"
	"time"
)

// first steps last 10 ms on the GPU; launches take 5 ms with prompt tokens and 2
// without.
func pipelined(serial bool) Config {
	pass := func(_, _, _, _ int) time.Duration { return 10 * time.Millisecond }
	return Config{Timing: Pipelined{Pass: pass, Launch: Launch{
		Decode: 2 * time.Millisecond, Prompt: 5 * time.Millisecond, Tail: 500 * time.Microsecond,
		Collect: time.Millisecond, Serial: serial}}}
}

// tokensOf are the times in milliseconds at which a request's tokens come.
func tokensOf(t *testing.T, c Config, arrivals map[uint64]time.Duration, output int) map[uint64][]float64 {
	t.Helper()
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	var ids []uint64
	for id := range arrivals {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	got := map[uint64][]float64{}
	note := func(events []Event) {
		for _, x := range events {
			if x.Kind == Token {
				got[x.ID] = append(got[x.ID], float64(x.At)/1e6)
			}
		}
	}
	for _, id := range ids {
		events, _, _ := e.Step(arrivals[id] - 1)
		note(events)
		if err := e.Submit(arrivals[id], Request{ID: id, PromptTokens: 100, MaxTokens: output}); err != nil {
			t.Fatal(err)
		}
	}
	events, _, _ := e.Step(time.Second)
	note(events)
	return got
}

// The GPU is never idle, and what comes after a step was planned waits for the
// step after it.
func TestPipelined(t *testing.T) {
	for _, c := range []struct {
		arrives time.Duration
		second  float64
	}{{10500 * time.Microsecond, 30}, {12 * time.Millisecond, 40}} {
		got := tokensOf(t, pipelined(false), map[uint64]time.Duration{1: 0, 2: c.arrives}, 3)
		if want := []float64{10, 20, 30}; !slices.Equal(got[1], want) {
			t.Errorf("the first has its tokens at %v, want %v", got[1], want)
		}
		if got[2][0] != c.second {
			t.Errorf("who comes at %v has the first token at %v, want %v", c.arrives, got[2][0], c.second)
		}
	}
}

// A serial engine waits for each step, and for what is left after its launch.
func TestSerial(t *testing.T) {
	got := tokensOf(t, pipelined(true), map[uint64]time.Duration{1: 0}, 3)
	if want := []float64{10.5, 21, 31.5}; !slices.Equal(got[1], want) {
		t.Errorf("tokens at %v, want %v", got[1], want)
	}
}

func TestPipelinedFaults(t *testing.T) {
	for _, p := range []Pipelined{
		{},
		{Pass: func(_, _, _, _ int) time.Duration { return 1 }, Launch: Launch{Decode: -1}},
		{Pass: func(_, _, _, _ int) time.Duration { return 1 }, Launch: Launch{Jitter: 3}},
	} {
		if _, err := New(Config{Timing: p}); err == nil {
			t.Errorf("no fault of %+v", p.Launch)
		}
	}
}
