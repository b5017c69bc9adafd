package engine

import (
	"fmt"
	"math"
	"time"

	"headway/internal/fault"
)

// Config describes a worker. The zero value of every field means its default.
// The flags named are those of NVIDIA Dynamo's mocker (`python -m
// dynamo.mocker`), whose defaults these are.
type Config struct {
	// Timing says how long work takes; nil is Polynomial{}.
	Timing Timing
	// Type is the engine whose scheduler is followed (--engine-type); default
	// VLLM. Fixed timing has no steps to schedule and goes with VLLM only.
	Type Type
	// Role is what the worker does of a request (--disaggregation-mode);
	// default Aggregated.
	Role Role
	// MaxNumSeqs is how many sequences run at a time (--max-num-seqs);
	// default 256.
	MaxNumSeqs int
	// MaxNumBatchedTokens is how many tokens, prompt and output together, one
	// step computes (--max-num-batched-tokens); default 8192. It is at least
	// MaxNumSeqs, so that every running sequence can go on in every step.
	// Fixed timing ignores it: there is no common step to fill. So does
	// SGLang, whose steps have limits of their own.
	MaxNumBatchedTokens int
	// NumGPUBlocks (--num-gpu-blocks-override) and BlockSize in tokens
	// (--block-size) are the KV cache; defaults 16384 and 64, for TRTLLM 32.
	// SGLang's pages are these blocks too; there the usual size is 1.
	NumGPUBlocks, BlockSize int
	// Watermark is the share of the blocks that admission leaves free for
	// the growth of those that run; default 0.01. Negative means none. SGLang
	// estimates that growth instead and has no watermark.
	Watermark float64
	// NoPrefixCaching forgets every block when its last user leaves
	// (--no-enable-prefix-caching).
	NoPrefixCaching bool
	// NoChunkedPrefill computes a prompt in one step or not at all
	// (--no-enable-chunked-prefill). What exceeds a step's limit is refused.
	NoChunkedPrefill bool
	// Preemption says who gives way when the blocks run out
	// (--preemption-mode); default LIFO, for Mocker2025 FIFO. SGLang chooses
	// by progress, and takes no other.
	Preemption Preemption
	// SGLang is read where Type is SGLang.
	SGLang SGLangConfig

	// KVBytesPerToken (--kv-bytes-per-token) and TransferBandwidth in bytes
	// per second (--kv-transfer-bandwidth, there in GB/s; default 64e9,
	// negative: transfers take no time) give a DecodeOnly worker's time from
	// admission to the first decode. Without KVBytesPerToken it is 0.
	// TransferLatency (--kv-transfer-latency) is how long the first byte takes more.
	// Inbound is the link into a DecodeOnly worker, which others may share; nil is one on
	// which concurrent transfers do not slow each other, as in Dynamo's mocker.
	KVBytesPerToken   int
	TransferBandwidth float64
	TransferLatency   time.Duration
	Inbound           *Link
	// Transfer says which tokens travel (--kv-transfer-timing-mode); default
	// DestinationMissing.
	Transfer TransferMode

	// MaxLoras is how many LoRA adapters are on the GPU at a time (--max-loras); 0 takes
	// every adapter for the model itself. A request waits while all slots have adapters
	// of running requests, and others may go before it, as in vLLM; else the adapter that
	// was used longest ago gives way. LoraLoadTime (--lora-load-time) is how long the
	// step takes more that an adapter is loaded for, everybody's step, as in vLLM. What
	// the adapters' own arithmetic adds to a step is left out.
	MaxLoras     int
	LoraLoadTime time.Duration

	// Speculation drafts tokens and verifies them; the zero value does not.
	Speculation Speculation

	// Tiers are the stores below the GPU, from the one looked into first, each made
	// with the next one as the one below it. Others may have them, too. They go with
	// every type but Mocker2025, and with chunked prefill and prefix caching; not with
	// Fixed timing and not with DecodeOnly.
	Tiers []*Tier

	// SpeedupRatio divides every simulated time (--speedup-ratio), and
	// DecodeSpeedupRatio also that of decoding (--decode-speedup-ratio);
	// defaults 1.
	SpeedupRatio, DecodeSpeedupRatio float64
	// StartupTime is when the first step may start (--startup-time). It is
	// not divided.
	StartupTime time.Duration
	// Seed names the jitter of Fixed timing; equal seeds give equal times.
	Seed uint64

	// SkipTokens leaves out the Token events but the first after each
	// admission. All other events are the same, times included; a step then
	// costs the same for any number of sequences.
	SkipTokens bool
	// CountTokens has events say how many tokens SkipTokens left out, in the order
	// in which they came among the others of a step; whoever writes tokens one after
	// the other needs no more. A step then costs a little for each sequence. Fixed
	// timing has no steps, and counts none.
	CountTokens bool
	// KeepTicks keeps the times of all decode steps for [Engine.Ticks], from
	// which the times of the tokens left out follow exactly. Fixed timing has
	// no common steps to keep.
	KeepTicks bool
	// OnKV is called with each change of what the prefix cache holds, in
	// order, inside Step. It must not call the engine.
	OnKV func(KVEvent)
}

func (c Config) withDefaults() Config {
	if c.Timing == nil {
		c.Timing = Polynomial{}
	}
	setDefault(&c.Type, VLLM)
	setDefault(&c.Role, Aggregated)
	setDefault(&c.MaxNumSeqs, 256)
	setDefault(&c.MaxNumBatchedTokens, 8192)
	setDefault(&c.NumGPUBlocks, 16384)
	if c.Type == TRTLLM {
		setDefault(&c.BlockSize, 32)
	}
	setDefault(&c.BlockSize, 64)
	setDefault(&c.Watermark, 0.01)
	c.Watermark = max(c.Watermark, 0)
	if c.Type == SGLang {
		c.Watermark = 0
	}
	setDefault(&c.Preemption, schedulers[c.Type].victim)
	c.SGLang = c.SGLang.withDefaults()
	setDefault(&c.TransferBandwidth, 64e9)
	setDefault(&c.Transfer, DestinationMissing)
	if c.Role == PrefillOnly {
		c.Speculation = Speculation{} // nothing is decoded
	}
	setDefault(&c.SpeedupRatio, 1)
	setDefault(&c.DecodeSpeedupRatio, 1)
	return c
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

func (c Config) validate() error {
	var f fault.List
	f.Check(c.MaxNumSeqs >= 1, "max-num-seqs", c.MaxNumSeqs, "at least 1")
	f.Check(c.MaxNumBatchedTokens/c.perDecode() >= c.MaxNumSeqs, "max-num-batched-tokens", c.MaxNumBatchedTokens,
		fmt.Sprintf("at least max-num-seqs (%d) times the tokens that a step computes of each (%d), so that every "+
			"running sequence can go on", c.MaxNumSeqs, c.perDecode()))
	f.Check(c.NumGPUBlocks >= 1 && c.NumGPUBlocks <= math.MaxInt32, "num-gpu-blocks-override", c.NumGPUBlocks,
		"from 1 to 2147483647")
	f.Check(c.BlockSize >= 1, "block-size", c.BlockSize, "at least 1")
	f.Check(c.Watermark >= 0 && c.Watermark < 1, "watermark", c.Watermark, "from 0 up to but not 1")
	if c.NumGPUBlocks >= 1 && c.Watermark < 1 {
		f.Check(c.usableBlocks() >= 1, "num-gpu-blocks-override", c.NumGPUBlocks,
			"enough that the watermark leaves one")
	}
	c.validateKinds(&f)
	c.Speculation.check(&f, c)
	f.Check(c.TransferLatency >= 0, "kv-transfer-latency", c.TransferLatency, "0 or more")
	f.Check(c.MaxLoras >= 0, "max-loras", c.MaxLoras, "0 or more")
	f.Check(c.LoraLoadTime >= 0, "lora-load-time", c.LoraLoadTime, "0 or more")
	if why := c.tiersFault(); why != "" {
		f.Add("kv-tier: %s", why)
	}
	f.Check(c.KVBytesPerToken >= 0, "kv-bytes-per-token", c.KVBytesPerToken, "0 or more")
	f.Check(!math.IsNaN(c.TransferBandwidth), "kv-transfer-bandwidth", c.TransferBandwidth, "a number")
	f.Check(c.SpeedupRatio > 0 && !math.IsInf(c.SpeedupRatio, 1), "speedup-ratio", c.SpeedupRatio, "above 0 and finite")
	f.Check(c.DecodeSpeedupRatio > 0 && !math.IsInf(c.DecodeSpeedupRatio, 1), "decode-speedup-ratio",
		c.DecodeSpeedupRatio, "above 0 and finite")
	f.Check(c.StartupTime >= 0, "startup-time", c.StartupTime, "0 or more")
	if c.Type == SGLang {
		c.SGLang.validate(&f)
		f.Check(c.SGLang.ChunkedPrefillSize >= c.BlockSize, "sglang-chunked-prefill-size", c.SGLang.ChunkedPrefillSize,
			fmt.Sprintf("at least block-size (%d)", c.BlockSize))
	}
	f.Join(c.Timing.validate()...)
	if len(f) > 0 {
		return fmt.Errorf("configuring the simulated engine: %w", f.Err())
	}
	return nil
}

// validateKinds checks the names and which of them go together.
func (c Config) validateKinds(f *fault.List) {
	rules, known := schedulers[c.Type]
	f.Check(known, "engine-type", c.Type, "one of "+typeNames())
	f.Check(c.Role.known(), "disaggregation-mode", c.Role, "agg, prefill or decode")
	f.Check(c.Transfer.known(), "kv-transfer-timing-mode", c.Transfer, "full_prompt or destination_missing")
	if c.Type == SGLang {
		f.Check(c.Preemption == rules.victim, "preemption-mode", c.Preemption,
			"left out with sglang, which retracts by progress")
	} else {
		f.Check(c.Preemption == LIFO || c.Preemption == FIFO, "preemption-mode", c.Preemption, "lifo or fifo")
	}
	if _, fixed := c.Timing.(Fixed); fixed {
		f.Check(c.Type == VLLM, "engine-type", c.Type, "vllm with fixed times, which have no steps to schedule")
		f.When(c.KeepTicks, "ticks true: must be off with fixed times, which have no common steps")
		f.Check(!c.NoChunkedPrefill, "no-enable-chunked-prefill", c.NoChunkedPrefill,
			"off with fixed times, which have no chunks")
		f.Check(c.DecodeSpeedupRatio == 1, "decode-speedup-ratio", c.DecodeSpeedupRatio,
			"1 with fixed times: give another itl")
	}
}

// usableBlocks is how many blocks admission may fill. The product is rounded
// up by less than a millionth of a block first: 0.99 × 100 is 98.99… in
// floating point.
func (c Config) usableBlocks() int {
	return int(float64(c.NumGPUBlocks)*(1-c.Watermark) + 1e-6)
}

// blocksFor is how many blocks hold so many tokens.
func (c Config) blocksFor(tokens int) int { return (tokens + c.BlockSize - 1) / c.BlockSize }

// tokensHere is how many tokens of a request this worker holds in the end.
func (c Config) tokensHere(r Request) int {
	if c.Role == PrefillOnly {
		return r.PromptTokens + 1
	}
	return r.PromptTokens + r.MaxTokens
}

// Capacity is how many tokens of prompt and output one request can have at
// most, and 0 where the configuration is not valid.
func (c Config) Capacity() int {
	c = c.withDefaults()
	if c.validate() != nil {
		return 0
	}
	return c.capacity()
}

// capacity is Capacity of a valid configuration with its defaults filled in.
func (c Config) capacity() int {
	n := c.usableBlocks()*c.BlockSize - c.Speculation.Tokens // drafts have places, too
	if c.NoChunkedPrefill && c.Role != DecodeOnly && c.Type != SGLang {
		// A preempted request computes its prompt and its output so far in
		// one step, so together they have to fit into one. SGLang's limit
		// does not hold for the first prompt of a step.
		return min(n, c.MaxNumBatchedTokens)
	}
	return n
}
