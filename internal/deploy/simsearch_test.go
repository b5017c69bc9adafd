package deploy

import (
	"context"
	"flag"
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"headway/internal/model"
	"headway/internal/profile"
	"headway/workload"
)

// searchCase is a model on GPUs and the targets for it.
type searchCase struct {
	name       string
	model, gpu string
	maxGPUs    int
	isl, osl   int
	ttft, itl  float64 // ms
}

var searchCases = []searchCase{
	{"dense 70B", "llama-3.1-70b", "h200_sxm", 8, 3000, 500, 400, 25},
	{"dense 32B", "qwen3-32b", "h200_sxm", 8, 3000, 500, 300, 20},
	{"235B MoE", "qwen3-235b-a22b", "h200_sxm", 32, 3000, 500, 500, 30},
	{"DeepSeek-V3", "deepseek-v3", "h200_sxm", 32, 3000, 500, 800, 40},
}

func (c searchCase) space(t *testing.T) profile.Space {
	t.Helper()
	m, err := model.Lookup(c.model)
	if err != nil {
		t.Fatal(err)
	}
	g, err := model.LookupGPU(c.gpu)
	if err != nil {
		t.Fatal(err)
	}
	return profile.Space{Model: m, GPU: g, MaxGPUs: c.maxGPUs, ISL: c.isl, OSL: c.osl, Context: 16384}
}

func (c searchCase) target() profile.SLO {
	return profile.SLO{TTFT: c.ttft / 1e3, ITL: c.itl / 1e3}
}

// search runs one method on the truth of a seed.
func (c searchCase) search(t *testing.T, seed uint64, m profile.Method) profile.Result {
	t.Helper()
	space := c.space(t)
	s := profile.Search{Space: space, Method: m, SLO: c.target(), Key: workload.Seed(seed),
		Bench: &Sim{Setup: space.Setup, warp: distorted(seed)}}
	r, err := s.Run(context.Background())
	if err != nil {
		t.Fatalf("%s, seed %d, %s: %v", c.name, seed, m, err)
	}
	return r
}

// distorted is a truth that is not the roofline: every mapping is slower or
// faster by up to 30 %, in prefill and in decode by factors of their own, every
// run by noise of 1.5 % and every step by noise of 1 %.
func distorted(seed uint64) func(profile.Candidate, int) func(bool, time.Duration) time.Duration {
	return func(c profile.Candidate, run int) func(bool, time.Duration) time.Duration {
		r := workload.Seed(seed).Named(c.Tag()).Index(run).Rand()
		noise := math.Exp(0.015 * r.NormFloat64())
		prefill, decode := factorOf(seed, profile.Prefill, c.Mapping)*noise, factorOf(seed, profile.Decode,
			c.Mapping)*noise
		return func(prefills bool, d time.Duration) time.Duration {
			by := decode
			if prefills {
				by = prefill
			}
			return time.Duration(float64(d) * by * math.Exp(0.01*r.NormFloat64()))
		}
	}
}

// factorOf is how much slower a mapping truly is than its roofline.
func factorOf(seed uint64, p profile.Phase, m model.Mapping) float64 {
	return 0.7 + 0.6*workload.Seed(seed).Named("factor").Named(string(p)).Named(m.Tag()).Rand().Float64()
}

// truth is the latency in seconds and the throughput per GPU that a pick has
// without noise.
func (c searchCase) truth(t *testing.T, seed uint64, p *profile.Pick) (latency, throughput float64) {
	t.Helper()
	line, err := c.space(t).Setup(profile.Candidate{Phase: p.Phase, Mapping: p.Mapping}).Roofline()
	if err != nil {
		t.Fatal(err)
	}
	ranks, gpus, by := p.Mapping.AttentionDP(), float64(p.GPUs), factorOf(seed, p.Phase, p.Mapping)
	if p.Phase == profile.Prefill {
		latency = by * line.StepTime(c.isl, model.PrefillContext(0, c.isl), 0, 0).Seconds()
		return latency, float64(c.isl*ranks) / latency / gpus
	}
	n := p.Trial.Concurrency / ranks
	latency = by * line.StepTime(0, 0, n, n*(c.isl+c.osl/2)).Seconds()
	return latency, float64(p.Trial.Concurrency) / latency / gpus
}

// seeds is how many truths are drawn for each model.
var seeds = flag.Uint64("seeds", 5, "truths for each model in TestFastAgainstThorough")

// Fast picks what thorough picks, or a worker that is as good within the error
// of thorough's own figure, in 19 of 20 truths, for a fifth of the GPU-minutes.
func TestFastAgainstThorough(t *testing.T) {
	t.Parallel()
	if raced {
		t.Skip("nothing runs side by side here, and simulating eats minutes under the race detector")
	}
	var mu sync.Mutex
	costs := make([][2]float64, len(searchCases))
	missed, total := 0, 0
	t.Run("searches", func(t *testing.T) {
		for i, c := range searchCases {
			for seed := range *seeds {
				t.Run(fmt.Sprint(c.name, "/", seed), func(t *testing.T) {
					t.Parallel()
					thorough, fast := c.search(t, seed, profile.Thorough), c.search(t, seed, profile.Fast)
					good := c.asGood(t, seed, thorough.Prefill.Pick, fast.Prefill.Pick) &&
						c.asGood(t, seed, thorough.Decode.Pick, fast.Decode.Pick)
					mu.Lock()
					defer mu.Unlock()
					costs[i][0], costs[i][1] = costs[i][0]+thorough.GPUMinutes(), costs[i][1]+fast.GPUMinutes()
					if total++; !good {
						missed++
					}
				})
			}
		}
	})
	var cost [2]float64
	for i, own := range costs {
		t.Logf("%s: %.0f GPU-minutes thorough, %.0f fast, %.3f of it", searchCases[i].name, own[0], own[1],
			own[1]/own[0])
		cost[0], cost[1] = cost[0]+own[0], cost[1]+own[1]
	}
	t.Logf("all: %.3f of the GPU-minutes, %d of %d picks worse", cost[1]/cost[0], missed, total)
	if missed*20 > total {
		t.Errorf("%d of %d searches picked a worse worker, want at most 1 in 20", missed, total)
	}
	if cost[1] > cost[0]/5 {
		t.Errorf("fast took %.3f of thorough's GPU-minutes, want a fifth at most", cost[1]/cost[0])
	}
}

// asGood says whether fast picked the mapping of thorough, or one whose true
// throughput per GPU is not below that of thorough's, less the error of
// thorough's figure. Where one meets the target by its figure, so must the
// other.
func (c searchCase) asGood(t *testing.T, seed uint64, thorough, fast *profile.Pick) bool {
	t.Helper()
	if thorough.Mapping == fast.Mapping {
		return true
	}
	_, want := c.truth(t, seed, thorough)
	_, got := c.truth(t, seed, fast)
	good := fast.Met == thorough.Met && got >= want*(1-thorough.Trial.Throughput.Share())
	if !good {
		t.Logf("%s, seed %d, %s: thorough picks %s with truly %.0f tokens/s/GPU, fast %s with %.0f", c.name, seed,
			fast.Phase, thorough.Mapping, want, fast.Mapping, got)
	}
	return good
}

// On an exact roofline the two methods see the same, and a decode worker is
// loaded up to the target and not beyond.
func TestFastFindsTheLargestLoad(t *testing.T) {
	t.Parallel()
	c := searchCases[0]
	space := c.space(t)
	run := func(m profile.Method) profile.Result {
		s := profile.Search{Space: space, Method: m, SLO: c.target(), Bench: &Sim{Setup: space.Setup}}
		r, err := s.Run(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	thorough, fast := run(profile.Thorough), run(profile.Fast)
	if thorough.Prefill.Pick.Mapping != fast.Prefill.Pick.Mapping ||
		thorough.Decode.Pick.Mapping != fast.Decode.Pick.Mapping {
		t.Errorf("thorough picks %v and %v, fast %v and %v", thorough.Prefill.Pick.Mapping,
			thorough.Decode.Pick.Mapping, fast.Prefill.Pick.Mapping, fast.Decode.Pick.Mapping)
	}
	p := fast.Decode.Pick
	if p.Trial.ITL.Mean > c.target().ITL || p.Trial.ITL.Mean < 0.96*c.target().ITL {
		t.Errorf("ITL %.2f ms at %d, want just below %.0f", p.Trial.ITL.Mean*1e3, p.Trial.Concurrency, c.itl)
	}
	if p.Trial.Throughput.Mean < thorough.Decode.Pick.Trial.Throughput.Mean {
		t.Errorf("fast reaches %.0f tokens/s/GPU, thorough on its grid %.0f", p.Trial.Throughput.Mean,
			thorough.Decode.Pick.Trial.Throughput.Mean)
	}
}
