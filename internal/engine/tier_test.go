package engine

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// fataler is a test of either kind.
type fataler interface {
	Helper()
	Fatal(...any)
}

// freshTiers are empty tiers like those given: engines that are compared must not share
// any.
func freshTiers(t fataler, like []*Tier, bytes int, speedup float64) []*Tier {
	t.Helper()
	fresh := make([]*Tier, len(like))
	for i := len(like) - 1; i >= 0; i-- {
		var next *Tier
		if i+1 < len(fresh) {
			next = fresh[i+1]
		}
		var err error
		if fresh[i], err = NewTier(like[i].Config(), next, bytes, speedup); err != nil {
			t.Fatal(err)
		}
	}
	return fresh
}

// tiersOf makes tiers of what is configured.
func tiersOf(t fataler, bytes int, all ...TierConfig) []*Tier {
	like := make([]*Tier, len(all))
	for i := range all {
		like[i] = &Tier{cfg: all[i]}
	}
	return freshTiers(t, like, bytes, 1)
}

// What a tier brings takes its latency and its bytes over the link; the rest of the
// prompt is computed after that, and a request that comes meanwhile goes ahead.
func TestOnboardingTakesTime(t *testing.T) {
	// 10 blocks on the GPU and 100 behind a link that carries one in 10 ms.
	cfg := Config{BlockSize: 10, NumGPUBlocks: 10, Watermark: -1, KVBytesPerToken: 100,
		Timing: StepFunc(func(prefill, _, _, _ int) time.Duration {
			return time.Duration(prefill)*time.Millisecond + time.Millisecond
		}),
		Tiers: tiersOf(t, 1000, TierConfig{Name: "host", Blocks: 100, Bandwidth: 1e5, Latency: 3 * time.Millisecond})}
	e := newEngine(t, cfg)
	submit(t, e, 0, numbered(1, 61, 1, 1, 2, 3, 4, 5, 6))                                // until 62 ms
	submit(t, e, time.Second, numbered(2, 91, 1, 21, 22, 23, 24, 25, 26, 27, 28, 29))    // evicts all of it
	submit(t, e, 2*time.Second, numbered(3, 61, 1, 1, 2, 3, 4, 5, 6), numbered(4, 5, 1)) // 63 ms on the link
	got := line(stepTo(t, e, 3*time.Second))
	for _, want := range []string{"2s 4 admitted", "2.006s 4 token", "2.065s 3 token"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if s := e.Stats(); s.OnboardedTokens[0] != 60 || s.CachedTokens != 60 {
		t.Errorf("%+v", s)
	}
	if s := cfg.Tiers[0].Stats(); s.Read != 6 || s.Stored != 15 || s.ReadBusy != 60*time.Millisecond {
		t.Errorf("%+v", s)
	}
}

// plainTier is one LRU list of names.
type plainTier struct {
	names []uint64 // from the oldest
	room  int
	spill func(uint64)
}

func (p *plainTier) use(h uint64, write bool) {
	i := slices.Index(p.names, h)
	switch {
	case i >= 0:
		p.names = append(slices.Delete(p.names, i, i+1), h)
	case write:
		if len(p.names) == p.room {
			old := p.names[0]
			p.names = p.names[1:]
			if p.spill != nil {
				p.spill(old)
			}
		}
		p.names = append(p.names, h)
	}
}

// A tier and the one below hold what two plain lists hold, under both policies.
func TestTiersAgainstLists(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		below := rapid.SampledFrom([]TierPolicy{WriteThrough, WriteBack}).Draw(t, "policy")
		rooms := []int{rapid.IntRange(1, 5).Draw(t, "host"), rapid.IntRange(1, 9).Draw(t, "disk")}
		disk, err := NewTier(TierConfig{Name: "disk", Blocks: rooms[1], Bandwidth: 1e9, Policy: below}, nil, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		host, err := NewTier(TierConfig{Name: "host", Blocks: rooms[0], Bandwidth: 1e9}, disk, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		lower := &plainTier{room: rooms[1]}
		upper := &plainTier{room: rooms[0]}
		if below == WriteBack {
			upper.spill = func(h uint64) { lower.use(h, true) }
		}
		for i := range rapid.IntRange(1, 60).Draw(t, "uses") {
			h := rapid.Uint64Range(1, 12).Draw(t, "block")
			host.use(h, 1, time.Duration(i)*time.Second)
			upper.use(h, true)
			lower.use(h, below == WriteThrough)
			for h := uint64(1); h <= 12; h++ {
				if host.has(h, forever) != slices.Contains(upper.names, h) ||
					disk.has(h, forever) != slices.Contains(lower.names, h) {
					t.Fatalf("after use %d block %d is in host %v, disk %v; want %v over %v", i, h,
						host.has(h, forever), disk.has(h, forever), upper.names, lower.names)
				}
			}
		}
	})
}

// Behind a store that never forgets, on a link that takes no time, every prompt finds
// all full blocks that any prompt before it had.
func TestEndlessTierIsIdeal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		policy := rapid.SampledFrom([]TierPolicy{WriteThrough, WriteBack}).Draw(t, "policy")
		tier, err := NewTier(TierConfig{Name: "host", Blocks: 1000, Bandwidth: 1e18, Policy: policy}, nil, 4, 1)
		if err != nil {
			t.Fatal(err)
		}
		e, err := New(Config{BlockSize: 4, NumGPUBlocks: rapid.IntRange(12, 30).Draw(t, "blocks"), KVBytesPerToken: 1,
			Tiers: []*Tier{tier}, Type: rapid.SampledFrom([]Type{VLLM, SGLang, TRTLLM}).Draw(t, "type")})
		if err != nil {
			t.Fatal(err)
		}
		seen := map[uint64]bool{}
		for i := range uint64(rapid.IntRange(1, 20).Draw(t, "prompts")) {
			r := Request{ID: i, PromptTokens: rapid.IntRange(1, 40).Draw(t, "prompt"), MaxTokens: 3}
			r.Blocks = drawBlocks(t, i, r.PromptTokens/4)
			want := 0
			for k := 0; k < min(len(r.Blocks), (r.PromptTokens-1)/4) && seen[r.Blocks[k]]; k++ {
				want += 4
			}
			if err := e.Submit(time.Duration(i)*time.Minute, r); err != nil {
				t.Fatal(err)
			}
			events, _, _ := e.Step(time.Duration(i)*time.Minute + 59*time.Second)
			if events[0].Cached != want {
				t.Fatalf("prompt %d finds %d tokens, want %d", i, events[0].Cached, want)
			}
			for _, h := range r.Blocks {
				seen[h] = true
			}
		}
	})
}

// A block is written from the use on that is asked for.
func TestSelectiveWrites(t *testing.T) {
	tiers := tiersOf(t, 1, TierConfig{Name: "host", Blocks: 9, Bandwidth: 1e9, MinUses: 2},
		TierConfig{Name: "disk", Blocks: 9, Bandwidth: 1e9, MinUses: 3})
	for use, want := range [][2]bool{{false, false}, {true, false}, {true, false}, {true, true}} {
		tiers[0].use(7, uint8(use+1), time.Duration(use)*time.Second)
		if got := [2]bool{tiers[0].has(7, forever), tiers[1].has(7, forever)}; got != want {
			t.Errorf("after use %d it is in host and disk: %v, want %v", use+1, got, want)
		}
	}
}
