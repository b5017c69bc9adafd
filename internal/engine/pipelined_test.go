package engine

import (
	"testing"
	"time"
)

// A captured graph begins when its launch has ended; kernels that are launched one
// by one begin with it.
func TestLaunchBeforeThePass(t *testing.T) {
	pass := func(_, _, _, _ int) time.Duration { return 20 * time.Millisecond }
	for before, want := range map[bool]time.Duration{false: 20 * time.Millisecond, true: 30 * time.Millisecond} {
		e, err := New(Config{Type: SGLang, Timing: Pipelined{Pass: pass,
			Launch: Launch{Prompt: 10 * time.Millisecond, Before: before}}})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Submit(0, Request{ID: 1, PromptTokens: 600, MaxTokens: 1}); err != nil {
			t.Fatal(err)
		}
		events, _, _ := e.Step(time.Second)
		for _, ev := range events {
			if ev.Kind == Token && ev.At != want {
				t.Errorf("before %v: the token came after %v, want %v", before, ev.At, want)
			}
		}
	}
}
