package engine

import (
	"slices"
	"time"

	"pgregory.net/rapid"
)

// arrival is a request or, when cancel is set, the end of one.
type arrival struct {
	At     time.Duration
	R      Request
	Cancel bool
}

// drawCase draws a small worker under pressure and what is asked of it.
func drawCase(t *rapid.T) (Config, []arrival) {
	cfg := Config{
		MaxNumSeqs:          rapid.IntRange(1, 6).Draw(t, "seqs"),
		MaxNumBatchedTokens: rapid.IntRange(6, 80).Draw(t, "budget"),
		NumGPUBlocks:        rapid.IntRange(20, 60).Draw(t, "blocks"),
		BlockSize:           rapid.IntRange(1, 8).Draw(t, "block size"),
		Watermark:           rapid.SampledFrom([]float64{-1, 0.01, 0.2}).Draw(t, "watermark"),
		SpeedupRatio:        rapid.SampledFrom([]float64{0, 0.5, 10}).Draw(t, "speed-up"),
		StartupTime:         rapid.SampledFrom([]time.Duration{0, 50 * time.Millisecond}).Draw(t, "start-up"),
		Seed:                rapid.Uint64().Draw(t, "seed"),
		NoPrefixCaching:     rapid.IntRange(0, 9).Draw(t, "caching") == 0,
		Role:                rapid.SampledFrom([]Role{Aggregated, Aggregated, PrefillOnly, DecodeOnly}).Draw(t, "role"),
		KVBytesPerToken:     rapid.SampledFrom([]int{0, 64e6}).Draw(t, "kv bytes"),
		Transfer:            rapid.SampledFrom([]TransferMode{FullPrompt, DestinationMissing}).Draw(t, "transfer"),
	}
	cfg.Timing = rapid.SampledFrom([]Timing{
		Polynomial{}, Polynomial{}, StepFunc(ragged), StepFunc(even), Fixed{},
		Fixed{TTFT: 20 * time.Millisecond, ITL: 5 * time.Millisecond},
		Fixed{TTFT: 20 * time.Millisecond, ITL: 5 * time.Millisecond, TTFTJitterCV: 0.5, ITLJitterCV: 1},
	}).Draw(t, "timing")
	if _, fixed := cfg.Timing.(Fixed); !fixed {
		cfg.Type = rapid.SampledFrom([]Type{VLLM, SGLang, TRTLLM, Mocker14, Mocker2025}).Draw(t, "type")
		cfg.NoChunkedPrefill = rapid.IntRange(0, 4).Draw(t, "chunked") == 0
		cfg.DecodeSpeedupRatio = rapid.SampledFrom([]float64{0, 3}).Draw(t, "decode speed-up")
		cfg.SGLang = SGLangConfig{
			Policy:             rapid.SampledFrom([]string{"fcfs", "lpm"}).Draw(t, "policy"),
			MaxPrefillTokens:   rapid.IntRange(1, 100).Draw(t, "prefill tokens"),
			ChunkedPrefillSize: rapid.IntRange(8, 80).Draw(t, "chunk"),
			ClipMaxNewTokens:   rapid.IntRange(1, 20).Draw(t, "clip"),
			Conservativeness:   rapid.SampledFrom([]float64{0.1, 1}).Draw(t, "conservativeness"),
		}
	}
	if cfg.Type != SGLang {
		cfg.Preemption = rapid.SampledFrom([]Preemption{"", LIFO, FIFO}).Draw(t, "preemption")
	}
	drawTiers(t, &cfg)
	return cfg, drawArrivals(t, cfg)
}

// drawTiers draws small tiers where a worker can have any; mustNew makes them.
func drawTiers(t *rapid.T, cfg *Config) {
	if _, fixed := cfg.Timing.(Fixed); fixed || cfg.NoPrefixCaching || cfg.NoChunkedPrefill || cfg.Type == Mocker2025 ||
		cfg.Role == DecodeOnly {
		return
	}
	for range rapid.IntRange(0, MaxTiers).Draw(t, "tiers") {
		c := TierConfig{Name: "tier", Blocks: rapid.IntRange(1, 60).Draw(t, "tier's blocks"),
			Bandwidth: rapid.SampledFrom([]float64{1e9, 1e12}).Draw(t, "bandwidth"),
			Latency:   rapid.SampledFrom([]time.Duration{0, time.Millisecond}).Draw(t, "latency"),
			Policy:    rapid.SampledFrom([]TierPolicy{WriteThrough, WriteBack}).Draw(t, "tier's policy")}
		if c.Policy == WriteThrough {
			c.MinUses = rapid.IntRange(0, 2).Draw(t, "least uses")
		}
		cfg.Tiers = append(cfg.Tiers, &Tier{cfg: c})
		cfg.KVBytesPerToken = 1e6
	}
}

// ragged is a step time in which every argument shows.
func ragged(prefill, prefillContext, decode, context int) time.Duration {
	return time.Duration(1_000_000 + 100_003*prefill + 1_009*prefillContext + 10_007*decode + 503*context)
}

// even is a step time that lets steps and arrivals coincide.
func even(int, int, int, int) time.Duration { return time.Millisecond }

func drawArrivals(t *rapid.T, cfg Config) []arrival {
	capacity := cfg.Capacity()
	var in []arrival
	var at time.Duration
	for id := range uint64(rapid.IntRange(1, 20).Draw(t, "requests")) {
		if rapid.Bool().Draw(t, "even gap") {
			at = at.Round(time.Millisecond) + time.Duration(rapid.IntRange(0, 30).Draw(t, "gap"))*time.Millisecond
		} else {
			at += time.Duration(rapid.IntRange(0, 30_000_000).Draw(t, "gap"))
		}
		prompt := rapid.IntRange(1, capacity-2).Draw(t, "prompt")
		r := Request{ID: id, PromptTokens: prompt,
			MaxTokens: rapid.IntRange(2, min(20, capacity-prompt)).Draw(t, "output")}
		if cfg.Role != DecodeOnly && rapid.IntRange(0, 4).Draw(t, "one token") == 0 {
			r.MaxTokens = 1
		}
		r.Priority = rapid.SampledFrom([]int{0, 0, 0, 1, -1}).Draw(t, "priority")
		r.Blocks = drawBlocks(t, id, prompt/cfg.BlockSize)
		if len(r.Blocks) == prompt/cfg.BlockSize && rapid.Bool().Draw(t, "reply") {
			for k := len(r.Blocks); k < (prompt+r.MaxTokens-1)/cfg.BlockSize; k++ {
				r.Blocks = append(r.Blocks, (id+1)<<16|uint64(k))
			}
		}
		in = append(in, arrival{At: at, R: r})
		if rapid.IntRange(0, 4).Draw(t, "cancel") == 0 {
			after := time.Duration(rapid.IntRange(0, 200_000_000).Draw(t, "after"))
			in = append(in, arrival{At: at + after, R: r, Cancel: true})
		}
	}
	slices.SortStableFunc(in, func(a, b arrival) int { return int(a.At - b.At) })
	return in
}

// drawBlocks hashes at most n blocks, the first of which some family shares.
func drawBlocks(t *rapid.T, id uint64, n int) []uint64 {
	blocks := make([]uint64, rapid.IntRange(0, n).Draw(t, "hashed"))
	family := rapid.Uint64Range(0, 2).Draw(t, "family")
	shared := rapid.IntRange(0, len(blocks)).Draw(t, "shared")
	for k := range blocks {
		blocks[k] = family<<8 | uint64(k)
		if k >= shared {
			blocks[k] |= (id + 1) << 16
		}
	}
	return blocks
}

// feed gives the engine what happens up to now.
func feed(t *rapid.T, e *Engine, in []arrival, now time.Duration) []arrival {
	for len(in) > 0 && in[0].At <= now {
		if in[0].Cancel {
			e.Cancel(in[0].At, in[0].R.ID)
		} else if err := e.Submit(in[0].At, in[0].R); err != nil {
			t.Fatal(err)
		}
		in = in[1:]
	}
	return in
}

func mustNew(t *rapid.T, cfg Config) *Engine {
	if len(cfg.Tiers) > 0 {
		cfg.Tiers = freshTiers(t, cfg.Tiers, 1e6*cfg.BlockSize, cfg.SpeedupRatio)
	}
	e, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
