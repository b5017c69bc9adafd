package router

import (
	"math"
	"slices"
	"testing"

	"headway/workload"
)

// chain makes n blocks that no other chain has.
func chain(name, n int) []uint64 {
	blocks := make([]uint64, n)
	for i := range blocks {
		blocks[i] = uint64(name)<<32 + uint64(i)
	}
	return blocks
}

// newClassic is a router before a request of 5 blocks, of which prefill and
// decode blocks are (8, 10), (5, 5) and (2, 9) on its three workers.
func newClassic(t *testing.T, change func(*Config)) (*Router, Request) {
	t.Helper()
	c := Defaults()
	c.Mode = KV
	c.Workers = 3
	c.BlockSize = 16
	c.Seed = workload.Seed(7)
	change(&c)
	r := mustNew(t, c)
	q := Request{ID: 1, Blocks: chain(1, 5), Tokens: 80}
	// Worker 0 runs a request of 5 blocks, of which 3 must still be computed.
	r.index.apply(0, Event{Kind: Stored, Blocks: chain(2, 2)})
	place(r, Request{ID: 2, Blocks: chain(2, 5), Tokens: 80}, 0)
	// Worker 2 runs one of 4 blocks that is past its prefill, and has 3
	// blocks of the next.
	place(r, Request{ID: 3, Blocks: chain(3, 4), Tokens: 64}, 2)
	r.PrefillDone(3)
	r.index.apply(2, Event{Kind: Stored, Blocks: q.Blocks[:3]})
	return r, q
}

// place puts a request on a worker, whatever it would cost elsewhere.
func place(r *Router, q Request, worker int) {
	r.known[q.ID] = -1
	r.price(&q)
	r.admit(q, Decision{Worker: worker, Overlap: r.costs[worker].Overlap})
}

func totals(d Decision) []float64 {
	var out []float64
	for _, c := range d.Costs {
		out = append(out, c.Total)
	}
	return out
}

func TestClassicVectors(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*Config)
		want   []float64
		chosen int
	}{
		{"weight 1", func(*Config) {}, []float64{18, 10, 11}, 1},
		{"weight 2", func(c *Config) { c.PrefillLoadScale = 2 }, []float64{26, 15, 13}, 2},
		{"weight 0", func(c *Config) { c.PrefillLoadScale = 0 }, []float64{10, 5, 9}, 1},
		{"no credit", func(c *Config) { c.OverlapScoreCredit = 0 }, []float64{18, 10, 14}, 1},
		{"half credit", func(c *Config) { c.OverlapScoreCredit = 0.5 }, []float64{18, 10, 12.5}, 1},
		{"credit and a half", func(c *Config) { c.OverlapScoreCredit = 1.5 }, []float64{18, 10, 9.5}, 2},
		{"more credit than prefill", func(c *Config) { c.OverlapScoreCredit = 2.5 }, []float64{18, 10, 9}, 2},
		{"no decode", func(c *Config) { c.TrackActiveBlocks = false }, []float64{8, 5, 2}, 2},
		{"no active prefill", func(c *Config) { c.TrackPrefillTokens, c.QueueThreshold = false, 0 },
			[]float64{15, 10, 11}, 1},
		{"weight of requests", func(c *Config) { c.RequestWeight = 3 }, []float64{21, 10, 14}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, q := newClassic(t, test.change)
			d := mustRoute(t, r, q)
			if !slices.Equal(totals(d), test.want) || d.Worker != test.chosen {
				t.Errorf("costs %v, worker %d; want %v, %d", totals(d), d.Worker, test.want, test.chosen)
			}
			if d.Overlap != d.Costs[d.Worker].Overlap {
				t.Errorf("overlap %+v is not that of the worker, %+v", d.Overlap, d.Costs[d.Worker].Overlap)
			}
		})
	}
}

// Worker 0 has 3 blocks more to prefill than the least loaded, 0.6 of the
// request's 5.
func TestCreditDecay(t *testing.T) {
	r, q := newClassic(t, func(c *Config) { c.CreditDecay = 2 })
	r.index.apply(0, Event{Kind: Stored, Blocks: q.Blocks})
	d := mustRoute(t, r, q)
	credit := 5 / (1 + 2*0.6)
	if got, want := d.Costs[0].Prefill, 8-credit; math.Abs(got-want) > 1e-12 {
		t.Errorf("prefill %v, want %v", got, want)
	}
	if d.Costs[2].Prefill != 2 {
		t.Errorf("the least loaded worker's credit decays: prefill %v, want 2", d.Costs[2].Prefill)
	}
}

func TestTiers(t *testing.T) {
	r, q := newClassic(t, func(c *Config) { c.HostCredit, c.DiskCredit = 0.75, 0.5 })
	r.index.apply(2, Event{Kind: Stored, Tier: Host, Blocks: q.Blocks[2:4]})
	r.index.apply(2, Event{Kind: Stored, Tier: Disk, Blocks: q.Blocks})
	d := mustRoute(t, r, q)
	if want := (Overlap{Device: 3, Host: 1, Disk: 1}); d.Worker != 2 || d.Overlap != want {
		t.Errorf("worker %d with %+v, want 2 with %+v", d.Worker, d.Overlap, want)
	}
	if d.Costs[2].Total != 9.75 {
		t.Errorf("cost %v, want 5 − 3 − 0.75 − 0.5 + 9", d.Costs[2].Total)
	}
	// Of 80 tokens, 48 are there, and fetching 16 and 16 saves 12 and 8.
	if got := r.Load(2).PrefillTokens; got != 12 {
		t.Errorf("%d tokens to prefill, want 12", got)
	}
}

func setCosts(r *Router, totals ...float64) {
	for i, v := range totals {
		r.costs[i].Total = v
	}
}

// share counts how often each worker is drawn.
func share(r *Router, n int, pick func(id uint64) int) []float64 {
	out := make([]float64, r.cfg.Workers)
	for id := range uint64(n) {
		out[pick(id)] += 1 / float64(n)
	}
	return out
}

func near(got, want []float64, tolerance float64) bool {
	return slices.EqualFunc(got, want, func(a, b float64) bool { return math.Abs(a-b) <= tolerance })
}

func TestTemperature(t *testing.T) {
	newRouter := func(temperature float64, costs ...float64) *Router {
		c := Defaults()
		c.Mode = KV
		c.Workers = len(costs)
		c.Temperature = temperature
		c.Seed = workload.Seed(1)
		r := mustNew(t, c)
		setCosts(r, costs...)
		return r
	}
	r := newRouter(1, 18, 10, 11)
	got := share(r, 400_000, r.sampled)
	// The weights are kept, so the probabilities can be read exactly too.
	sum := r.weights[0] + r.weights[1] + r.weights[2]
	exact := []float64{r.weights[0] / sum, r.weights[1] / sum, r.weights[2] / sum}
	want := []float64{0.1635, 0.4444, 0.3921}
	if !near(exact, want, 0.0001) { // the last is 0.39216
		t.Errorf("probabilities %v, want %v", exact, want)
	}
	if !near(got, want, 0.004) { // five standard deviations
		t.Errorf("drawn %v, want %v", got, want)
	}
	r = newRouter(1, 7, 7, 7, 7)
	if got := share(r, 400_000, r.sampled); !near(got, []float64{0.25, 0.25, 0.25, 0.25}, 0.004) {
		t.Errorf("equal costs: %v", got)
	}
	for _, temperature := range []float64{1e-9, 5e-324} {
		r = newRouter(temperature, 10.5, 10, 10.25, 10)
		if got := share(r, 10_000, r.sampled); !near(got, []float64{0, 0.5, 0, 0.5}, 0.025) {
			t.Errorf("temperature %v: %v, want the two lowest", temperature, got)
		}
	}
	r = newRouter(0, 10, 18, 10, 10)
	if got := share(r, 400_000, r.cheapest); !near(got, []float64{1. / 3, 0, 1. / 3, 1. / 3}, 0.004) || got[1] != 0 {
		t.Errorf("ties: %v, want a third each of the lowest", got)
	}
}
