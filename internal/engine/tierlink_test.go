package engine

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What a tier gets from the one above is written from then on, not in the past.
func TestWritesTakeTimeWhenAskedFor(t *testing.T) {
	tiers := tiersOf(t, 1000, TierConfig{Name: "host", Blocks: 9, Bandwidth: 1e9},
		TierConfig{Name: "disk", Blocks: 9, Bandwidth: 1e3, MinUses: 2}) // a block a second
	tiers[0].use(7, 1, 0)
	tiers[0].use(7, 2, time.Minute)
	if at := time.Minute + 999*time.Millisecond; tiers[1].has(7, at) || !tiers[1].has(7, time.Minute+time.Second) {
		t.Errorf("it is on disk at %v: %v, want from 1m1s on", at, tiers[1].has(7, at))
	}
}

// However slow a link is, times on it do not overflow: what it carries comes late.
func TestSlowestLinks(t *testing.T) {
	for _, c := range []TierConfig{{Bandwidth: 1e-12}, {Bandwidth: math.SmallestNonzeroFloat64},
		{Bandwidth: 1, Latency: math.MaxInt64}} {
		c.Name, c.Blocks = "host", 9
		for _, speedup := range []float64{1e-9, 1, 10} {
			tier, err := NewTier(c, nil, 1e9, speedup)
			if err != nil {
				t.Fatal(err)
			}
			for h := range uint64(5) {
				tier.use(h, 1, time.Hour)
			}
			end := tier.read(5, time.Hour)
			s, late := tier.Stats(), 1000*time.Hour
			if tier.has(0, late) || end < late || s.ReadBusy < 0 || s.WriteBusy < 0 {
				t.Errorf("%+v at %v: read until %v, %+v", c, speedup, end, s)
			}
		}
	}
}

// Links carry what is moved at their bandwidth and not faster, and nothing that was not
// written can be read; tiers hold what was stored and not evicted.
func TestTiersConserve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var made []TierConfig
		for i := range rapid.IntRange(1, MaxTiers).Draw(t, "tiers") {
			made = append(made, TierConfig{Name: []string{"host", "disk", "remote"}[i],
				Blocks:    rapid.IntRange(1, 6).Draw(t, "blocks"),
				Bandwidth: rapid.SampledFrom([]float64{1e3, 1e4}).Draw(t, "bandwidth"), // a second or 0.1 s a block
				Policy:    rapid.SampledFrom([]TierPolicy{WriteThrough, WriteBack}).Draw(t, "policy")})
		}
		tiers := tiersOf(t, 1000, made...)
		var at time.Duration
		stored := make([]int64, len(tiers))
		for range rapid.IntRange(1, 40).Draw(t, "operations") {
			at += time.Duration(rapid.IntRange(0, 3000).Draw(t, "gap")) * time.Millisecond
			h := rapid.Uint64Range(1, 9).Draw(t, "block")
			if rapid.Bool().Draw(t, "spilled") {
				tiers[0].spill(h, at)
			} else {
				tiers[0].use(h, 1, at)
			}
			for i, tier := range tiers {
				checkTier(t, tier, at, stored[i])
				stored[i] = tier.Stats().Stored
			}
		}
	})
}

func checkTier(t *rapid.T, tier *Tier, at time.Duration, before int64) {
	s, block := tier.Stats(), tier.time(1)
	if s.WriteBusy != time.Duration(s.Stored)*block || s.Stored-s.Evicted != int64(tier.pool.named) ||
		tier.pool.named > tier.cfg.Blocks {
		t.Fatalf("%+v of %+v holds %d", s, tier.cfg, tier.pool.named)
	}
	if s.Stored > before && tier.in.free < at+time.Duration(s.Stored-before)*block {
		t.Fatalf("%d blocks that were asked for at %v are written at %v, %v each", s.Stored-before, at,
			tier.in.free, block)
	}
	n, begin := 1+int(before%3), max(tier.out.free, at)
	end := tier.read(n, at)
	if after := tier.Stats(); end != begin+time.Duration(n)*block || after.Read != s.Read+int64(n) ||
		after.ReadBusy != time.Duration(after.Read)*block {
		t.Fatalf("%d blocks asked for at %v came until %v: %+v", n, at, end, after)
	}
}
