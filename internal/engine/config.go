package engine

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Config describes a worker. The zero value of every field means its default.
type Config struct {
	// Timing says how long work takes; nil is Polynomial{}.
	Timing Timing
	// MaxNumSeqs is how many sequences run at a time; default 256.
	MaxNumSeqs int
	// MaxNumBatchedTokens is how many tokens, prompt and output together, one
	// step computes; default 8192. It is at least MaxNumSeqs, so that every
	// running sequence can go on in every step. Fixed timing ignores it: there
	// is no common step to fill.
	MaxNumBatchedTokens int
	// NumGPUBlocks and BlockSize (tokens) are the KV cache; defaults 16384
	// and 64. BlockSize is at least 2.
	NumGPUBlocks, BlockSize int
	// Watermark is the share of the blocks that admission leaves free for
	// the growth of those that run; default 0.01. Negative means none.
	Watermark float64
	// SpeedupRatio divides every time of Timing; default 1.
	SpeedupRatio float64
	// StartupTime is when the first step may start. It is not divided.
	StartupTime time.Duration
	// Seed names the jitter of Fixed timing; equal seeds give equal times.
	Seed uint64
}

func (c Config) withDefaults() Config {
	if c.Timing == nil {
		c.Timing = Polynomial{}
	}
	setDefault(&c.MaxNumSeqs, 256)
	setDefault(&c.MaxNumBatchedTokens, 8192)
	setDefault(&c.NumGPUBlocks, 16384)
	setDefault(&c.BlockSize, 64)
	setDefault(&c.Watermark, 0.01)
	c.Watermark = max(c.Watermark, 0)
	setDefault(&c.SpeedupRatio, 1)
	return c
}

func setDefault[T int | float64](v *T, to T) {
	if *v == 0 {
		*v = to
	}
}

func (c Config) validate() error {
	var faults []error
	check := func(ok bool, name string, got any, allowed string) {
		if !ok {
			faults = append(faults, fmt.Errorf("%s %v: must be %s", name, got, allowed))
		}
	}
	check(c.MaxNumSeqs >= 1, "max-num-seqs", c.MaxNumSeqs, "at least 1")
	check(c.MaxNumBatchedTokens >= c.MaxNumSeqs, "max-num-batched-tokens", c.MaxNumBatchedTokens,
		fmt.Sprintf("at least max-num-seqs (%d), so that every running sequence can go on", c.MaxNumSeqs))
	check(c.NumGPUBlocks >= 1, "num-gpu-blocks", c.NumGPUBlocks, "at least 1")
	check(c.BlockSize >= 2, "block-size", c.BlockSize, "at least 2")
	check(c.Watermark >= 0 && c.Watermark < 1, "watermark", c.Watermark, "from 0 up to but not 1")
	check(c.SpeedupRatio > 0 && !math.IsInf(c.SpeedupRatio, 1), "speedup-ratio", c.SpeedupRatio, "above 0 and finite")
	check(c.StartupTime >= 0, "startup-time", c.StartupTime, "0 or more")
	if c.NumGPUBlocks >= 1 && c.Watermark < 1 {
		check(c.usableBlocks() >= 1, "num-gpu-blocks", c.NumGPUBlocks, "enough that the watermark leaves one")
	}
	faults = append(faults, c.Timing.validate()...)
	if len(faults) > 0 {
		return fmt.Errorf("configuring the simulated engine: %w", errors.Join(faults...))
	}
	return nil
}

// usableBlocks is how many blocks admission may fill. The product is rounded
// up by less than a millionth of a block first: 0.99 × 100 is 98.99… in
// floating point.
func (c Config) usableBlocks() int {
	return int(float64(c.NumGPUBlocks)*(1-c.Watermark) + 1e-6)
}

// blocksFor is how many blocks hold so many tokens.
func (c Config) blocksFor(tokens int) int { return (tokens + c.BlockSize - 1) / c.BlockSize }

// Capacity is how many tokens of prompt and output one request can have at
// most, and 0 where the configuration is not valid.
func (c Config) Capacity() int {
	c = c.withDefaults()
	if c.validate() != nil {
		return 0
	}
	return c.usableBlocks() * c.BlockSize
}
