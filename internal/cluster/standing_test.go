package cluster

import (
	"context"
	"testing"

	"headway/record"
	"headway/workload"
)

// A plan on a cluster that stands is the plan on one of its own, but for what
// is in the caches.
func TestStanding(t *testing.T) {
	c := Defaults()
	c.Workers, c.Frontend = 2, 0 // plans meet the same delays by their own place on the cluster only
	plan := func(seed uint64, law workload.Arrivals) workload.Plan {
		s := workload.Synthetic{Key: workload.Seed(seed), Requests: 6, ISL: workload.Length{Mean: 1000},
			OSL: workload.Length{Mean: 20}, Arrivals: law}
		p := workload.Plan{Source: s.Source(), Requests: 6, Grace: -1}
		if !law.Timed() {
			p.Concurrency = 2
		}
		return p
	}
	for _, law := range []workload.Arrivals{{}, {Pattern: workload.Poisson, Rate: 5}} {
		for _, tokens := range []bool{false, true} {
			c.TokenArrivals = tokens
			s, err := Start(c)
			if err != nil {
				t.Fatal(err)
			}
			// The last plan repeats the first, and finds its prompts.
			for i, seed := range []uint64{1, 2, 1} {
				var alone, standing taken
				if _, _, err := Replay(context.Background(), c, plan(seed, law), &alone); err != nil {
					t.Fatal(err)
				}
				if _, _, err := s.Replay(context.Background(), plan(seed, law), &standing); err != nil {
					t.Fatal(err)
				}
				if len(alone) != 6 || len(standing) != 6 {
					t.Fatalf("%d and %d records, want 6", len(alone), len(standing))
				}
				for k, a := range alone {
					b := standing[k]
					if hit := b.Usage["prompt_cache_read_tokens"]; (hit > 0) != (i == 2) {
						t.Errorf("plan %d: %d tokens were in the cache", i, hit)
					}
					if i < 2 && (a.Start != b.Start || a.Done != b.Done || a.Arrivals[0].At != b.Arrivals[0].At ||
						len(a.Arrivals) != len(b.Arrivals)) {
						t.Errorf("plan %d: alone %+v, on a standing cluster %+v", i, a, b)
					}
					if i == 2 && b.Arrivals[0].At-b.Start >= a.Arrivals[0].At-a.Start && k < 2 {
						t.Errorf("a prompt in the cache took %d, a new one %d", b.Arrivals[0].At-b.Start,
							a.Arrivals[0].At-a.Start)
					}
				}
			}
		}
	}
}

type taken []*record.Record

func (k *taken) Take(r *record.Record) error { *k = append(*k, r); return nil }
