package engine

import (
	"testing"
	"time"
)

// Admission leaves room for the output that is expected of those that run.
func TestExpectedOutput(t *testing.T) {
	// 100 tokens fit. Of request 1's 40 tokens 0.7 · 39 are expected once it
	// runs, so 70 − 27.3 are left for request 2's block, and its output.
	for output, want := range map[int]bool{32: true, 33: false} {
		cfg := small(SGLang, 10)
		e := newEngine(t, cfg)
		submit(t, e, 0, numbered(1, 25, 40))
		submit(t, e, time.Millisecond, numbered(2, 10, output))
		first := Polynomial{}.Prefill(25)
		events := stepTo(t, e, first)
		if got := events[len(events)-1].ID == 2; got != want {
			t.Errorf("with an output of %d admitted at once: %v, want %v", output, got, want)
		}
		if s := (stepTo(t, e, forever)); s[len(s)-1].Kind != Finished {
			t.Error("the requests did not end")
		}
	}
}

// The estimate falls with each decode step, however many are taken at once,
// rises with a retraction, and starts anew when there is nothing to do.
func TestEstimateOverTime(t *testing.T) {
	for _, skip := range []bool{false, true} {
		cfg := Config{Type: SGLang, NumGPUBlocks: 5, BlockSize: 10, SkipTokens: skip,
			SGLang: SGLangConfig{ClipMaxNewTokens: 1}}
		e := newEngine(t, cfg)
		l := e.pace.(*lockstep)
		submit(t, e, 0, numbered(1, 11, 12), numbered(2, 12, 12))
		const step = 0.7 * 0.86 / 600
		check := func(what string, want float64) {
			t.Helper()
			if d := l.ratio - want; d > 1e-9 || d < -1e-9 {
				t.Errorf("skipping %v: %s: ratio %v, want %v", skip, what, l.ratio, want)
			}
		}
		for e.dec.ticks < 5 {
			_, now, _ := e.Step(e.horizon)
			stepTo(t, e, now)
		}
		check("six steps started", 0.7-6*step)
		for e.stats.Preempted == 0 {
			_, now, _ := e.Step(e.horizon)
			stepTo(t, e, now)
		}
		check("after the retraction, 10 tokens of 12", 1)
		stepTo(t, e, forever)
		check("at the end", 0.7)
	}
	// In one go.
	e := newEngine(t, Config{Type: SGLang, SkipTokens: true})
	submit(t, e, 0, numbered(1, 11, 1000))
	first := Polynomial{}.Prefill(11)
	stepTo(t, e, first+300*Polynomial{}.Decode(1.0/16384))
	want := 0.7 - 0.7*0.86/600*float64(e.dec.started)
	if got := e.pace.(*lockstep).ratio; e.dec.started < 200 || got < want-1e-9 || got > want+1e-9 {
		t.Errorf("after %d steps in one go: %v, want %v", e.dec.started, got, want)
	}
}

func TestEstimate(t *testing.T) {
	x := newEstimate(1)
	for range 300 {
		x.fall()
	}
	if want := 0.7 - 0.7*0.86/2; x.ratio < want-1e-9 || x.ratio > want+1e-9 {
		t.Errorf("half way down: %v, want %v", x.ratio, want)
	}
	for range 1000 {
		x.fall()
	}
	if x.ratio != 0.14*0.7 {
		t.Errorf("at last: %v", x.ratio)
	}
	if x.raise(100, 400, 5); x.ratio != 0.5 {
		t.Errorf("after a retraction: %v, want 0.5", x.ratio)
	}
	if x.raise(390, 400, 5); x.ratio != 1 {
		t.Errorf("at most: %v, want 1", x.ratio)
	}
	if newEstimate(3).ratio != 1 {
		t.Error("more than all is expected")
	}
}
