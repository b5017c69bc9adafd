package engine

import (
	"testing"
	"time"
)

// slowSteps are steps of a millisecond for each token of a prompt.
func slowSteps(prefill, _, _, _ int) time.Duration {
	return time.Duration(prefill)*time.Millisecond + time.Millisecond
}

// found is how many tokens a worker finds of a prompt of 60 that comes at a time.
func found(t *testing.T, e *Engine, at time.Duration, id uint64) int {
	t.Helper()
	submit(t, e, at, numbered(id, 61, 1, 1, 2, 3, 4, 5, 6))
	return stepTo(t, e, at)[0].Cached
}

// A worker does not find in a shared tier what another one has not computed yet, or
// what another tier still brings.
func TestTiersHoldWhatIsThere(t *testing.T) {
	slow := TierConfig{Name: "disk", Blocks: 100, Bandwidth: 1e5} // a block in 10 ms
	tiers := tiersOf(t, 1000, TierConfig{Name: "host", Blocks: 100, Bandwidth: 1e9}, slow)
	worker := func(all ...*Tier) *Engine {
		return newEngine(t, Config{BlockSize: 10, NumGPUBlocks: 10, Watermark: -1, KVBytesPerToken: 100,
			Timing: StepFunc(slowSteps), Tiers: all})
	}
	first := worker(tiers...)
	if n := found(t, first, 0, 1); n != 0 { // until 62 ms
		t.Errorf("%d tokens of an empty cache", n)
	}
	if n := found(t, worker(tiers...), 30*time.Millisecond, 2); n != 0 {
		t.Errorf("%d tokens that are still being computed", n)
	}
	stepTo(t, first, time.Second)
	if n := found(t, worker(tiers...), time.Second, 3); n != 60 {
		t.Errorf("%d tokens that were computed, want 60", n)
	}
	// Another host's memory has none of it yet, and gets it from the disk until 2.06 s.
	other := freshTiers(t, tiers[:1], 1000, 1)[0]
	other.next = tiers[1]
	reader := worker(other, tiers[1])
	if n := found(t, reader, 2*time.Second, 4); n != 60 {
		t.Errorf("%d tokens on disk, want 60", n)
	}
	if n := found(t, worker(other), 2030*time.Millisecond, 5); n != 0 {
		t.Errorf("%d tokens that are still on their way", n)
	}
	stepTo(t, reader, 2070*time.Millisecond)
	if n := found(t, worker(other), 2070*time.Millisecond, 6); n != 60 {
		t.Errorf("%d tokens that have come, want 60", n)
	}
}
