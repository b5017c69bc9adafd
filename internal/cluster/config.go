package cluster

import (
	"errors"
	"fmt"
	"time"

	"headway/internal/engine"
	"headway/internal/router"
	"headway/internal/tokenizer"
	"headway/workload"
)

// Config describes a simulated cluster: equal workers behind one router. Start
// from [Defaults]: zero has a meaning in most fields of the router.
type Config struct {
	// Workers is how many workers there are (--workers, in Dynamo's mocker
	// --num-workers), numbered from 0.
	Workers int
	// PrefillWorkers, when above 0, separates the two halves of a request:
	// so many workers more only compute prompts and first tokens, and the
	// Workers above only decode (--prefill-workers). Prefill workers are
	// numbered after the others.
	PrefillWorkers int
	// Engine is each of the workers; see its fields for the flags. Role,
	// OnKV, SkipTokens and KeepTicks are set here, and each worker's Seed is
	// derived from Seed below.
	Engine engine.Config
	// Router says where requests go (--router-mode and the other --router-…
	// options). Workers, BlockSize, MaxNumBatchedTokens and Seed are taken
	// from the cluster. With prefill workers it chooses among those; decode
	// workers are then chosen by mode KV without credit for what they cache,
	// or by Router's mode where that is not KV.
	Router router.Config
	// Seed names all randomness (--random-seed).
	Seed workload.Key

	// Frontend is how long a replay's request is on its way to the router, on
	// average, exponentially distributed and not divided by any speed-up
	// (--frontend-delay); 0 is no time, AutoFrontend some in closed loops. A
	// server has a front end of its own, and does without.
	Frontend time.Duration
	// EventDelay is how long after a change of a worker's cache the router
	// hears of it (--kv-event-delay); 0 is at once.
	EventDelay time.Duration
	// PriorityScheduling lets a request's priority order a worker's queue, and
	// not only the router's (--scheduling-policy priority, as in vLLM).
	PriorityScheduling bool
	// ExpectedOutput tells the router how long each reply will be
	// (--use-expected-osl). Without it only what a request's hints say is
	// known.
	ExpectedOutput bool
	// MaxModelLen bounds prompt and output together, in tokens
	// (--max-model-len); 0 is as much as a worker's cache holds.
	MaxModelLen int

	// TokenArrivals makes Records with an Arrival for every token. Without,
	// they have those of the first and the last token, which stand for all
	// others: latency, TTFT and ITL are the same to the nanosecond, the gaps
	// between single tokens and the time of the second one are not known.
	TokenArrivals bool
	// Regret asks for the regret of routing decisions: what every worker would
	// have done with each request.
	Regret bool
	// Tokenizer counts prompts that are given as text; nil is the built-in
	// one. Prompts of a length need none: no text is made.
	Tokenizer *tokenizer.Tokenizer

	// everyToken has workers tell of every token when it comes.
	everyToken bool
}

// Defaults is one worker, as Dynamo's mocker and router have it, behind
// round-robin, with an arrival for every token and a front end in closed loops.
func Defaults() Config {
	return Config{Workers: 1, Router: router.Defaults(), TokenArrivals: true, Frontend: AutoFrontend}
}

// Validate reports every fault, by the names of the options.
func (c Config) Validate() error {
	var faults []error
	check := func(ok bool, name string, got any, allowed string) {
		if !ok {
			faults = append(faults, fmt.Errorf("%s %v: must be %s", name, got, allowed))
		}
	}
	check(c.PrefillWorkers >= 0 && c.PrefillWorkers <= router.MaxWorkers, "prefill-workers", c.PrefillWorkers, fmt.Sprintf("from 0 to %d", router.MaxWorkers))
	check(c.Frontend >= 0 || c.Frontend == AutoFrontend, "frontend-delay", c.Frontend, "0 or more")
	check(c.EventDelay >= 0, "kv-event-delay", c.EventDelay, "0 or more")
	check(c.MaxModelLen == 0 || c.MaxModelLen >= 2, "max-model-len", c.MaxModelLen, "at least 2, or 0 for what the cache holds")
	faults = append(faults, c.routerConfig(c.Workers).Validate())
	_, err := engine.New(c.engineConfig(0, engine.Aggregated))
	if err := errors.Join(append(faults, err)...); err != nil {
		return fmt.Errorf("configuring the simulated cluster: %w", err)
	}
	return nil
}

// BlockSize is the workers' block size in tokens, defaults filled in.
func (c Config) BlockSize() int {
	switch {
	case c.Engine.BlockSize != 0:
		return c.Engine.BlockSize
	case c.Engine.Type == engine.TRTLLM:
		return 32
	}
	return 64
}

// blocks is the size of a worker's cache in blocks, defaults filled in.
func (c Config) blocks() int {
	if c.Engine.NumGPUBlocks != 0 {
		return c.Engine.NumGPUBlocks
	}
	return 16384
}

// batched is how many tokens a step computes, defaults filled in.
func (c Config) batched() int {
	if c.Engine.MaxNumBatchedTokens != 0 {
		return c.Engine.MaxNumBatchedTokens
	}
	return 8192
}

// routerConfig is that of a router over n workers.
func (c Config) routerConfig(n int) router.Config {
	r := c.Router
	r.Workers, r.BlockSize, r.Seed = n, c.BlockSize(), c.Seed
	if r.MaxNumBatchedTokens == 0 || c.Engine.MaxNumBatchedTokens != 0 {
		r.MaxNumBatchedTokens = c.batched()
	}
	return r
}

// engineConfig is that of one worker.
func (c Config) engineConfig(worker int, role engine.Role) engine.Config {
	e := c.Engine
	e.Role = role
	e.Seed = uint64(c.Seed.Named("worker").Index(worker))
	e.SkipTokens = !c.everyToken && (!c.TokenArrivals || !isFixed(c))
	e.KeepTicks = !c.everyToken && c.TokenArrivals && !isFixed(c)
	return e
}

// capacity is how many tokens of prompt and output a request can have.
func (c Config) capacity() int {
	n := c.Engine.Capacity()
	if c.MaxModelLen > 0 {
		n = min(n, c.MaxModelLen)
	}
	return n
}
