package coverage

import (
	"context"
	"fmt"
	"os"
	"time"

	"headway/internal/cluster"
	"headway/internal/router"
	"headway/record"
	"headway/workload"
)

// load is one of the loads that intervals are judged on.
type load struct {
	name string
	plan func(key workload.Key, requests int) workload.Plan
	// slots is the number of a closed loop, 0 for an open one.
	slots int
	// routed loads are run under round-robin and kv, for the gain.
	routed bool
	// workers and blocks, of each one's KV cache, where not the defaults.
	workers, blocks int
	// narrow loads are those whose intervals must be given, and not be wide.
	narrow bool
	// unsteady figures have no stationary value, so that the right answer is
	// no interval: those of a queue that grows, or of a rate that rises.
	unsteady func(figure string) bool
}

// capacity is the rate (requests/s) at which one worker answers the requests
// below in a closed loop of 256 slots, which is as many as it runs.
const capacity = 33.5

var (
	prompts = workload.Length{Mean: 1000, SD: 300}
	replies = workload.Length{Mean: 100, SD: 30}
)

// loads are all loads, but for the trace's where its file is missing.
func loads() []load {
	rising := func(key workload.Key, n int) workload.Plan {
		a := poisson(0.8)
		a.Ramp = time.Duration(2 * float64(n) / a.Rate * float64(time.Second))
		return open(a)(key, n)
	}
	bursts := workload.Arrivals{Pattern: workload.Gamma, Rate: capacity / 2, Shape: 0.25}
	plateau := poisson(0.6)
	plateau.Ramp = 30 * time.Second
	all := []load{
		{name: "Poisson, 20 % of capacity", narrow: true, plan: open(poisson(0.2))},
		{name: "Poisson, 40 %", narrow: true, plan: open(poisson(0.4))},
		{name: "Poisson, 60 %", narrow: true, plan: open(poisson(0.6))},
		{name: "Poisson, 80 %", narrow: true, plan: open(poisson(0.8))},
		{name: "gamma, shape 0.25, 50 %", plan: open(bursts)},
		{name: "ramp of 30 s to 60 %", plan: open(plateau)},
		{name: "ramp all the time to 80 %", plan: rising, unsteady: func(string) bool { return true }},
		{name: "overload, 110 %", plan: open(poisson(1.1)), unsteady: grows},
		{name: "closed, 32 slots", slots: 32, plan: closed(32, prompts, replies)},
		{name: "closed, 32 slots, equal lengths", slots: 32, plan: closed(32, equal(prompts), equal(replies))},
		{name: "shared prefixes, 4 workers", routed: true, workers: 4, blocks: 1600, plan: prefixes},
	}
	if _, err := os.Stat(traceFile); err == nil {
		all = append(all, load{name: "conversation trace, 8 workers", workers: 8, plan: resampled()})
	}
	return all
}

// grows names the figures that grow with the length of an overloaded run. Speed
// of decoding and throughput do not.
func grows(figure string) bool {
	switch figure[:3] {
	case "ITL", "out":
		return false
	}
	return true
}

func poisson(share float64) workload.Arrivals {
	return workload.Arrivals{Pattern: workload.Poisson, Rate: share * capacity}
}

// open is a load whose requests come by a law of arrivals.
func open(a workload.Arrivals) func(workload.Key, int) workload.Plan {
	return func(key workload.Key, n int) workload.Plan {
		s := workload.Synthetic{Key: key, Requests: n, ISL: prompts, OSL: replies, Arrivals: a}
		return workload.Plan{Source: s.Source()}
	}
}

// equal is a length without its spread.
func equal(l workload.Length) workload.Length { return workload.Length{Mean: l.Mean} }

// closed is a load of so many slots.
func closed(slots int, isl, osl workload.Length) func(workload.Key, int) workload.Plan {
	return func(key workload.Key, n int) workload.Plan {
		s := workload.Synthetic{Key: key, Requests: n, ISL: isl, OSL: osl}
		return workload.Plan{Source: s.Source(), Concurrency: slots}
	}
}

// prefixes has more shared prefixes than a worker caches, and fewer than all of
// them do together.
func prefixes(key workload.Key, n int) workload.Plan {
	s := workload.Synthetic{Key: key, Requests: n, ISL: workload.Length{Mean: 300, SD: 100}, OSL: replies,
		PrefixPool: 60, PrefixTokens: 3000, Arrivals: workload.Arrivals{Pattern: workload.Poisson, Rate: 16}}
	return workload.Plan{Source: s.Source()}
}

const (
	traceFile = "../../../../shared/data/mooncake_conversation_trace.jsonl"
	// block is the length of the contiguous parts that a trace is drawn anew
	// from. Within it requests keep their times and what they share.
	block = 30 * time.Second
)

// resampled draws replicas of a trace from blocks of its time, with
// replacement. Two draws of one block share no prefix.
func resampled() func(workload.Key, int) workload.Plan {
	var blocks [][]workload.Request
	return func(key workload.Key, n int) workload.Plan {
		return workload.Plan{Source: func(yield func(workload.Request, error) bool) {
			if blocks == nil {
				var err error
				if blocks, err = readBlocks(); err != nil {
					yield(workload.Request{}, err)
					return
				}
			}
			rng, index := key.Rand(), 0
			for round := 0; ; round++ {
				k := rng.IntN(len(blocks))
				for _, r := range blocks[k] {
					if index == n {
						return
					}
					r.At += time.Duration(round-k) * block
					r.Index, r.Session = index, fmt.Sprintf("%s/%d", r.Session, round)
					r.Prompt.Key = key.Named("prompt").Index(index)
					r.Prompt.BlockKey = key.Named("blocks").Index(round)
					index++
					if !yield(r, nil) {
						return
					}
				}
			}
		}}
	}
}

// readBlocks reads the trace; the last block, which it cuts off, is left out.
func readBlocks() ([][]workload.Request, error) {
	d, err := workload.ReadFile(traceFile, workload.ReadOptions{})
	if err != nil {
		return nil, err
	}
	var blocks [][]workload.Request
	for _, r := range d.Requests {
		k := int(r.At / block)
		for len(blocks) <= k {
			blocks = append(blocks, nil)
		}
		blocks[k] = append(blocks[k], r)
	}
	return blocks[:len(blocks)-1], nil
}

// replay runs a load and hands its Records to a sink.
func (l load) replay(seed uint64, requests int, mode router.Mode, to record.Sink) error {
	c := cluster.Defaults()
	c.Workers, c.TokenArrivals, c.Router.Mode = max(1, l.workers), false, mode
	c.Seed, c.Engine.NumGPUBlocks = workload.Seed(seed), l.blocks
	_, _, err := cluster.Replay(context.Background(), c, l.plan(workload.Seed(seed), requests), to)
	return err
}
