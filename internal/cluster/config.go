package cluster

import (
	"fmt"
	"time"

	"headway/internal/engine"
	"headway/internal/fault"
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
	// OnKV, SkipTokens, CountTokens and KeepTicks are set here, and each worker's Seed is
	// derived from Seed below.
	Engine engine.Config
	// Tiers are stores for KV blocks below the GPUs of the workers that compute prompts
	// (--kv-tier), from the one that is looked into first. They need
	// Engine.KVBytesPerToken.
	Tiers []TierConfig
	// Adapters is how many LoRA adapters there are (--lora-adapters), named lora-0, lora-1
	// and so on; 0 is none but those that a trace names. Requests that name none have one
	// of them in a replay, the same for all turns of a session: adapter i with a share
	// that is proportional to (i+1) to the power of −AdapterSkew (--lora-skew). They take
	// Engine.MaxLoras.
	Adapters    int
	AdapterSkew float64
	// Model is the name by which requests ask for the model itself.
	Model string
	// TransferSharers is how many workers share a link into the network of transfers from
	// prefill to decode workers, and one out of it (--kv-transfer-link-workers); 0 has
	// transfers not slow each other.
	TransferSharers int
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
	// API is the process in front of each worker; nil takes no time.
	API *APIServer
	// Outside is what a request takes on its way into a worker beside what the worker
	// computes: network, tokenizer, hand-over. It holds up nobody else and is divided
	// by no speed-up; a request that comes from a prefill worker does without.
	Outside time.Duration
	// Basis says what the times of steps rest on.
	Basis Basis
	// Calibration is what is known of times that were fitted to a server; nil where
	// they were not.
	Calibration *Calibration
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
	// ForgetReplies leaves the full blocks of replies out of the prefix caches
	// (--no-enable-reply-caching). Schedulers that do not keep them do so in any
	// case: see [engine.Type.CachesReplies].
	ForgetReplies bool
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
	var bad fault.List
	bad.Check(c.PrefillWorkers >= 0 && c.PrefillWorkers <= router.MaxWorkers, "prefill-workers", c.PrefillWorkers,
		fmt.Sprintf("from 0 to %d", router.MaxWorkers))
	bad.Check(c.Frontend >= 0 || c.Frontend == AutoFrontend, "frontend-delay", c.Frontend, "0 or more")
	bad.Check(c.Outside >= 0, "outside", c.Outside, "0 or more")
	bad.Check(c.EventDelay >= 0, "kv-event-delay", c.EventDelay, "0 or more")
	bad.Check(c.MaxModelLen == 0 || c.MaxModelLen >= 2, "max-model-len", c.MaxModelLen,
		"at least 2, or 0 for what the cache holds")
	c.checkAdapters(&bad)
	bad.Check(c.TransferSharers >= 0, "kv-transfer-link-workers", c.TransferSharers, "0 or more")
	c.checkTiers(&bad)
	first := c.engineConfig(0, engine.Aggregated)
	if len(bad) == 0 {
		made, err := c.newTiers(1)
		bad.Join(err)
		first.Tiers = made.of(c, 0, 1)
	}
	_, err := engine.New(first)
	bad.Join(c.routerConfig(c.Workers).Validate(), err, c.API.validate())
	if err := bad.Err(); err != nil {
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

// CachesReplies says whether a later turn can find the reply before it in the
// prefix cache.
func (c Config) CachesReplies() bool {
	return !c.ForgetReplies && !c.Engine.NoPrefixCaching && c.Engine.Type.CachesReplies()
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
	if c.Engine.Speculation.Tokens > 0 {
		// A step brings different sequences different numbers of tokens.
		e.SkipTokens = !c.everyToken && !c.TokenArrivals && c.API == nil
		return e
	}
	if c.API != nil {
		// Its work is counted by the token.
		e.SkipTokens = !c.everyToken && !c.TokenArrivals && !c.Router.TrackOutputBlocks && !isFixed(c)
		e.CountTokens = e.SkipTokens
		return e
	}
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
