package router

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func newPredicting(t *testing.T, workers int, change func(*Config)) *Router {
	t.Helper()
	c := mode(KV, workers)
	c.UseKVEvents, c.BlockSize, c.QueueThreshold = false, 4, 0
	change(&c)
	return mustNew(t, c)
}

// once routes a request that ends at once, and returns its decision.
func once(t *testing.T, r *Router, now time.Duration, blocks []uint64) Decision {
	t.Helper()
	d, err := r.Route(now, Request{ID: 1, Blocks: blocks, Tokens: max(1, 4*len(blocks))})
	if err != nil {
		t.Fatal(err)
	}
	d.Costs = nil
	r.Finished(1)
	return d
}

func TestPredictionExpires(t *testing.T) {
	const ttl = 120 * time.Second
	r := newPredicting(t, 8, func(*Config) {})
	blocks := chain(1, 10)
	first := once(t, r, 0, blocks)
	if first.Overlap.Device != 0 {
		t.Errorf("overlap %+v before anything was sent", first.Overlap)
	}
	if d := once(t, r, ttl-1, blocks[:6]); d.Worker != first.Worker || d.Overlap.Device != 6 {
		t.Errorf("just before the end of the lease: %+v, want 6 blocks on worker %d", d, first.Worker)
	}
	// The first 6 were renewed, the other 4 not.
	if d := once(t, r, ttl, blocks); d.Worker != first.Worker || d.Overlap.Device != 6 {
		t.Errorf("at the end of the lease: %+v, want 6 blocks on worker %d", d, first.Worker)
	}
	if d := once(t, r, 3*ttl, blocks); d.Overlap.Device != 0 {
		t.Errorf("after all leases: %+v", d)
	}
	if got := len(r.leases.at); got != 10 {
		t.Errorf("%d leases, want the 10 of the last request", got)
	}
}

func TestPredictionPrunes(t *testing.T) {
	r := newPredicting(t, 1, func(c *Config) { c.MaxTreeBlocks, c.PruneTarget = 20, 0.5 })
	old, young := chain(1, 12), chain(2, 8)
	once(t, r, 0, old)
	once(t, r, 1, young)
	if got := len(r.leases.at); got != 20 {
		t.Fatalf("%d leases, want 20: no more than the limit", got)
	}
	once(t, r, 2, old[:3]) // renewed, and so younger than all
	once(t, r, 3, chain(3, 1))
	// 21 are more than 20: 10 stay, the ends of the oldest prompts gone first.
	for _, test := range []struct {
		blocks []uint64
		want   int
	}{{chain(3, 1), 1}, {old, 3}, {young, 6}} {
		if got := r.index.overlap(0, test.blocks).Device; got != test.want {
			t.Errorf("%d blocks of %v left, want %d", got, test.blocks[:1], test.want)
		}
	}
	// A prompt above the limit leaves its beginning.
	big := chain(4, 50)
	once(t, r, 4, big)
	if got := r.index.overlap(0, big).Device; got != 10 || len(r.leases.at) != 10 {
		t.Errorf("%d blocks of a large prompt left, %d leases, want 10", got, len(r.leases.at))
	}
}

// Leases against a plain model: a time for each worker and block.
func TestLeasesAgainstTimes(t *testing.T) {
	const workers, ttl, most, target = 3, 50, 120, 90
	rng := rand.New(rand.NewPCG(8, 9))
	table := newTable(workers)
	l := newLeases(Config{TTL: ttl, MaxTreeBlocks: most, PruneTarget: 0.75})
	type sent struct {
		at  time.Duration
		seq int
	}
	model, seq := map[holding]sent{}, 0
	now := time.Duration(0)
	for range 20_000 {
		now += time.Duration(rng.IntN(4))
		l.expire(now, table)
		w, blocks := rng.IntN(workers), chain(rng.IntN(40), 1+rng.IntN(30))
		l.renew(now, w, blocks, table)

		for h, s := range model {
			if s.at+ttl <= now {
				delete(model, h)
			}
		}
		for _, b := range slices.Backward(blocks) {
			seq++
			model[holding{b, w}] = sent{now, seq}
		}
		if len(model) > most {
			oldest := make([]holding, 0, len(model))
			for h := range model {
				oldest = append(oldest, h)
			}
			slices.SortFunc(oldest, func(a, b holding) int { return model[a].seq - model[b].seq })
			for _, h := range oldest[:len(oldest)-target] {
				delete(model, h)
			}
		}
		if len(model) != len(l.at) {
			t.Fatalf("%d leases, want %d", len(l.at), len(model))
		}
		for h := range model {
			if !table.has(h.worker, h.block) {
				t.Fatalf("at %d: block %d of worker %d is gone", now, h.block, h.worker)
			}
		}
	}
	if len(l.nodes) > most+31 {
		t.Errorf("%d nodes for at most %d leases: free ones are not used again", len(l.nodes), most+30)
	}
	l.expire(now+ttl, table)
	if !table.empty() || len(l.at) != 0 {
		t.Errorf("%d leases left when all have expired", len(l.at))
	}
}
