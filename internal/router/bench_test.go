package router

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"headway/workload"
)

const (
	benchIndexed = 200_000 // blocks in the index
	benchPrompt  = 128     // blocks of 64 tokens: 8,192 tokens
)

// newBenchRouter is a router whose index has 200,000 different blocks, as
// chains of 128 on a quarter of the workers each, and a few running requests
// on every worker. The prompts are chains of the index, in any order.
func newBenchRouter(b *testing.B, workers int, events bool) (*Router, [][]uint64) {
	b.Helper()
	c := Defaults()
	c.Mode = KV
	c.Workers = workers
	c.UseKVEvents = events
	c.QueueThreshold = 0
	c.Seed = workload.Seed(1)
	r, err := New(c)
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var prompts [][]uint64
	for range benchIndexed / benchPrompt {
		blocks := make([]uint64, benchPrompt)
		for i := range blocks {
			blocks[i] = rng.Uint64()
		}
		prompts = append(prompts, blocks)
		if !events {
			continue
		}
		for range workers / 4 {
			// A worker may have evicted the end of a chain.
			e := Event{Kind: Stored, Blocks: blocks[:benchPrompt-rng.IntN(benchPrompt/2)]}
			if err := r.Apply(rng.IntN(workers), e); err != nil {
				b.Fatal(err)
			}
		}
		for _, block := range blocks {
			r.index.tables[Device].add(rng.IntN(workers), block)
		}
	}
	for i := range workers * 4 {
		if _, err := r.Route(0, Request{ID: uint64(i), Blocks: prompts[rng.IntN(len(prompts))],
			Tokens: 8192}); err != nil {
			b.Fatal(err)
		}
	}
	rng.Shuffle(len(prompts), func(i, j int) { prompts[i], prompts[j] = prompts[j], prompts[i] })
	return r, prompts
}

// BenchmarkDecision is the choice alone: two walks over 128 blocks, the costs
// of all workers, the lowest.
func BenchmarkDecision(b *testing.B) {
	for _, workers := range []int{8, 64, 256} {
		b.Run(fmt.Sprintf("workers=%d", workers), func(b *testing.B) {
			r, prompts := newBenchRouter(b, workers, true)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				r.choose(&Request{ID: uint64(i), Blocks: prompts[i%len(prompts)], Tokens: 8192})
			}
		})
	}
}

// BenchmarkRequest is all that a request costs the router: Route, PrefillDone
// and Finished, by which time 100 more are running.
func BenchmarkRequest(b *testing.B) {
	for _, events := range []bool{true, false} {
		for _, workers := range []int{8, 64} {
			b.Run(fmt.Sprintf("events=%v/workers=%d", events, workers), func(b *testing.B) {
				r, prompts := newBenchRouter(b, workers, events)
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					id := uint64(1_000_000 + i)
					if _, err := r.Route(time.Duration(i)*time.Millisecond,
						Request{ID: id, Blocks: prompts[i%len(prompts)], Tokens: 8192}); err != nil {
						b.Fatal(err)
					}
					r.PrefillDone(id)
					if i >= 100 {
						r.Finished(id - 100)
					}
				}
			})
		}
	}
}

// BenchmarkApply is one event that stores and one that removes 16 blocks.
func BenchmarkApply(b *testing.B) {
	r, prompts := newBenchRouter(b, 64, true)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		blocks, worker := prompts[i%len(prompts)][:16], i%64
		if err := r.Apply(worker, Event{Kind: Stored, Blocks: blocks}); err != nil {
			b.Fatal(err)
		}
		if err := r.Apply(worker, Event{Kind: Removed, Blocks: blocks}); err != nil {
			b.Fatal(err)
		}
	}
}
