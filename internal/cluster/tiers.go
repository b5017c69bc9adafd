package cluster

import (
	"fmt"

	"headway/internal/engine"
	"headway/internal/fault"
	"headway/record"
)

// TierConfig is a store for KV blocks below the GPUs of a cluster: one for every so
// many workers, or one for all.
type TierConfig struct {
	engine.TierConfig
	// Workers is how many workers share one, its blocks and its link; 0 is all. It is a
	// multiple of that of the tier above.
	Workers int
}

// checkTiers reports every fault of the tiers.
func (c Config) checkTiers(bad *fault.List) {
	above := 1
	for _, t := range c.Tiers {
		bad.Join(t.Validate())
		if t.Workers == 0 {
			above = 0
			continue
		}
		bad.When(t.Workers < 0 || above == 0 || t.Workers%max(above, 1) != 0,
			"kv-tier %s: workers=%d: a tier is shared by as many workers as the one above it, or by a multiple of that",
			t.Name, t.Workers)
		above = max(t.Workers, 1)
	}
}

// tiers are the stores of a fleet.
type tiers struct {
	made   [][]*engine.Tier // by tier, then by group of workers
	shared bool             // by two workers or more
}

// newTiers makes the stores for n workers.
func (c Config) newTiers(n int) (x tiers, err error) {
	x.made = make([][]*engine.Tier, len(c.Tiers))
	bytes := c.BlockSize() * c.Engine.KVBytesPerToken
	for i := len(c.Tiers) - 1; i >= 0; i-- {
		each := c.Tiers[i].share(n)
		x.shared = x.shared || min(each, n) > 1
		for first := 0; first < n; first += each {
			var next *engine.Tier
			if i+1 < len(c.Tiers) {
				next = x.made[i+1][first/c.Tiers[i+1].share(n)]
			}
			t, err := engine.NewTier(c.Tiers[i].TierConfig, next, bytes, c.Engine.SpeedupRatio)
			if err != nil {
				return x, fmt.Errorf("making a tier of the KV cache: %w", err)
			}
			x.made[i] = append(x.made[i], t)
		}
	}
	return x, nil
}

// share is how many of n workers have one together.
func (t TierConfig) share(n int) int {
	if t.Workers == 0 {
		return max(n, 1)
	}
	return t.Workers
}

// of are the stores that a worker has, from the first it looks into.
func (x tiers) of(c Config, worker, n int) (all []*engine.Tier) {
	for i, t := range c.Tiers {
		all = append(all, x.made[i][worker/t.share(n)])
	}
	return all
}

// account is what the tiers did, of so many prompt tokens.
func (x tiers) account(f *fleet, prompt int64) (all []record.ClusterTier) {
	for i, made := range x.made {
		t := record.ClusterTier{Name: f.cfg.Tiers[i].Name, Stores: len(made), Blocks: f.cfg.Tiers[i].Blocks,
			HitRate: record.Unknown()}
		for _, one := range made {
			s := one.Stats()
			t.Stored += s.Stored
			t.Evicted += s.Evicted
			t.Read += s.Read
			t.WriteBusy += s.WriteBusy.Seconds()
			t.ReadBusy += s.ReadBusy.Seconds()
		}
		for _, m := range f.front.members {
			t.HitTokens += m.totals.onboarded[i]
		}
		if prompt > 0 {
			t.HitRate = record.Number(float64(t.HitTokens) / float64(prompt))
		}
		all = append(all, t)
	}
	return all
}
