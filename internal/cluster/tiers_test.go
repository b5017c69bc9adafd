package cluster

import (
	"strings"
	"testing"
	"time"

	"headway/internal/engine"
	"headway/internal/router"
	"headway/record"
	"headway/workload"
)

// pressed is a cluster whose GPUs hold little, over prompts that come again.
func pressed(workers int, all ...TierConfig) (Config, workload.Plan) {
	c := small(workers, router.RoundRobin)
	c.Engine.NumGPUBlocks, c.Engine.KVBytesPerToken = 200, 1000
	c.Tiers = all
	return c, synthetic(workload.Synthetic{Requests: 200, PrefixPool: 16, PrefixTokens: 1000,
		ISL: workload.Length{Mean: 200}, OSL: workload.Length{Mean: 5},
		Arrivals: workload.Arrivals{Pattern: workload.Poisson, Rate: 8}})
}

func tier(name string, blocks, workers int) TierConfig {
	return TierConfig{TierConfig: engine.TierConfig{Name: name, Blocks: blocks, Bandwidth: 1e12}, Workers: workers}
}

// Tiers add to what is found and shorten TTFT, the shares of the tiers and of the GPU
// are all hits, request by request, and one store for all finds what another worker
// computed.
func TestTiersAddHits(t *testing.T) {
	mean := func(records []*record.Record) (ttft float64) {
		for _, r := range records {
			ttft += float64(r.Arrivals[0].At-r.Start) / 1e9 / float64(len(records))
		}
		return ttft
	}
	c, p := pressed(4)
	records, facts, _ := replayed(t, c, p)
	without, least := mean(records), facts.HitRate
	for _, workers := range []int{1, 2, 0} {
		c, p := pressed(4, tier("host", 4000, workers), tier("disk", 9000, 0))
		records, facts, _ := replayed(t, c, p)
		if facts.HitRate < least || mean(records) >= without || facts.HitRate > facts.IdealHitRate {
			t.Errorf("%d a store: hits %.3f (before %.3f, ideal %.3f), TTFT %.4f without %.4f", workers, facts.HitRate,
				least, facts.IdealHitRate, mean(records), without)
		}
		least = facts.HitRate
		host, found := 0, 0
		for _, r := range records {
			host += r.Usage["prompt_cache_read_host_tokens"]
			found += r.Usage["prompt_cache_read_tokens"]
		}
		cached := int64(0)
		for _, w := range facts.Workers {
			cached += w.CachedTokens
		}
		if x := facts.Tiers[0]; int64(host) != x.HitTokens || int64(found) != cached || x.Stores*max(workers, 1) > 4 {
			t.Errorf("%d tokens of host in records, %+v; %d of %d found", host, x, found, cached)
		}
	}
}

// Two workers that ask for the same link one after the other wait for each other.
func TestLinksAreShared(t *testing.T) {
	first := func(workers int) (last time.Duration) {
		slow := tier("host", 4000, workers)
		slow.Bandwidth = 16 * 1000 * 100 // 100 blocks a second
		c, _ := pressed(2, slow)
		c.Frontend = 0
		p := func(at int, key uint64) workload.Request {
			r := made(at, 1600, 1)
			r.Prompt.Key = workload.Seed(key)
			return r
		}
		// Both workers compute, forget and fetch a prompt of their own.
		records, _, _ := replayed(t, c, workload.Plan{Source: list(p(0, 1), p(0, 2), p(5000, 3), p(5000, 4),
			p(5000, 5), p(5000, 6), p(20000, 1), p(20000, 2))})
		for _, r := range records[len(records)-2:] {
			last = max(last, time.Duration(r.Arrivals[0].At-r.Start))
		}
		return last
	}
	// 99 blocks each, one after the other or side by side.
	if apart := first(0) - first(1); apart < 980*time.Millisecond || apart > time.Second {
		t.Errorf("a shared link takes %v more, want 0.99 s", apart)
	}
}

// What cannot work together is said.
func TestTierFaults(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"a multiple of that": func(c *Config) {
			c.Tiers = []TierConfig{tier("disk", 9, 0), tier("remote", 9, 2)}
		},
		"bytes of a token":             func(c *Config) { c.Engine.KVBytesPerToken = 0 },
		"fixed times do not depend":    func(c *Config) { c.Engine.Timing = engine.Fixed{} },
		"mocker-2025 has none":         func(c *Config) { c.Engine.Type = engine.Mocker2025 },
		"tier host: 0 blocks: must be": func(c *Config) { c.Tiers[0].Blocks = 0 },
	} {
		c, _ := pressed(2, tier("host", 9, 1))
		change(&c)
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
