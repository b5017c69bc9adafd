package cluster

import (
	"testing"
	"time"

	"headway/internal/engine"
	"headway/internal/router"
	"headway/workload"
)

// With pages of one token, as SGLang has them, prompts share exactly as many
// tokens as they have in common, and the router knows it.
func TestPagesOfOneToken(t *testing.T) {
	for _, kind := range []engine.Type{engine.SGLang, engine.VLLM} {
		c := small(2, router.KV)
		c.Engine.Type, c.Engine.BlockSize, c.Engine.NumGPUBlocks = kind, 1, 4096
		s := workload.Synthetic{Requests: 12, ISL: workload.Length{Mean: 50}, OSL: workload.Length{Mean: 5},
			PrefixPool: 1, PrefixTokens: 37, Arrivals: workload.Arrivals{Pattern: workload.Constant, Rate: 2}}
		records, facts, _ := replayed(t, c, synthetic(s))
		for _, r := range records {
			want := 37
			if r.Index == 0 {
				want = 0
			}
			if got := r.Usage["prompt_cache_read_tokens"]; got != want || r.Worker != records[0].Worker {
				t.Errorf("%s, request %d: %d tokens from the cache of worker %s, want %d from %s",
					kind, r.Index, got, r.Worker, want, records[0].Worker)
			}
		}
		if want := 11 * 37.0 / (12 * 87); float64(facts.HitRate) != want || float64(facts.IdealHitRate) != want {
			t.Errorf("%s: hit rates %g and %g, want %g", kind, facts.HitRate, facts.IdealHitRate, want)
		}
		if kind != engine.SGLang {
			continue
		}
		// The whole prompt again: its last token is computed in any case.
		again := made(0, 87, 5)
		later := again
		later.At = time.Second
		records, _, _ = replayed(t, c, workload.Plan{Source: list(again, later)})
		if got := records[1].Usage["prompt_cache_read_tokens"]; got != 86 {
			t.Errorf("a prompt of 87 tokens again: %d from the cache, want 86", got)
		}
	}
}

// The size of a page changes what is found in the cache, and no more: prompts
// that share nothing take the same times with pages of one token as of 64.
func TestPagesWithoutSharing(t *testing.T) {
	var ends [2]time.Duration
	for i, size := range []int{1, 64} {
		c := small(2, router.RoundRobin)
		c.Engine.Type, c.Engine.BlockSize, c.Engine.NumGPUBlocks = engine.SGLang, size, 65536/size
		c.Engine.Timing = engine.StepFunc(func(prefill, _, seqs, context int) time.Duration {
			return time.Millisecond + time.Duration(10*prefill+seqs+context/100)*time.Microsecond
		})
		s := workload.Synthetic{Requests: 60, ISL: workload.Length{Mean: 640}, OSL: workload.Length{Mean: 30},
			Arrivals: workload.Arrivals{Pattern: workload.Poisson, Rate: 100}}
		_, _, out := replayed(t, c, synthetic(s))
		ends[i] = time.Duration(out.End - out.Begin)
	}
	if ends[0] != ends[1] {
		t.Errorf("with pages of 1 token the run took %v, of 64 %v", ends[0], ends[1])
	}
}
