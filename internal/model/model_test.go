package model

import (
	"math"
	"slices"
	"strings"
	"testing"
)

func known(t testing.TB, name string) Model {
	t.Helper()
	m, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func gpu(t testing.TB, name string) GPU {
	t.Helper()
	g, err := LookupGPU(name)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func near(t *testing.T, what string, got, want, share float64) {
	t.Helper()
	if !(math.Abs(got-want) <= share*math.Abs(want)) {
		t.Errorf("%s: %g, want %g within %g %%", what, got, want, 100*share)
	}
}

// The published counts: Llama 3.1 model cards (8.03 B and 70.6 B), Qwen3's
// (0.6 B of which 0.44 B are not embeddings, 32.8 B, 235 B), and DeepSeek-V3's
// README_WEIGHTS (671 B without multi-token prediction; 36.7 B active).
func TestParameterCounts(t *testing.T) {
	for _, c := range []struct {
		name          string
		total, active float64
		withEmbedding bool
	}{
		{"Llama-3.1-8B", 8.03e9, 0, false},
		{"Llama-3.1-70B", 70.6e9, 0, false},
		{"Qwen3-0.6B", 0.596e9, 0, false},
		{"Qwen3-32B", 32.8e9, 0, false},
		{"Qwen3-235B-A22B", 235e9, 22e9, true},
		{"DeepSeek-V3", 671e9, 36.7e9, false},
	} {
		p := known(t, c.name).Parameters()
		near(t, c.name+" total", p.Total, c.total, 0.01)
		active := p.Active
		if c.withEmbedding {
			active += p.Embedding
		}
		if c.active > 0 {
			near(t, c.name+" active", active, c.active, 0.01)
		}
	}
	p := known(t, "Qwen3-0.6B").Parameters()
	near(t, "Qwen3-0.6B without embedding", p.Total-p.Embedding, 0.44e9, 0.01)
}

func TestKVBytesPerToken(t *testing.T) {
	for _, c := range []struct {
		name    string
		element float64
		want    float64
	}{
		{"Llama-3.1-8B", 0, 32 * 2 * 8 * 128 * 2},
		{"Llama-3.1-70B", 0, 80 * 2 * 8 * 128 * 2},
		{"Llama-3.1-70B", 1, 80 * 2 * 8 * 128},
		{"Qwen3-32B", 0, 64 * 2 * 8 * 128 * 2},
		{"Qwen3-235B-A22B", 0, 94 * 2 * 4 * 128 * 2},
		{"DeepSeek-V3", 0, 61 * (512 + 64) * 2},
	} {
		if got := known(t, c.name).KVBytesPerToken(c.element); got != c.want {
			t.Errorf("%s: %g bytes, want %g", c.name, got, c.want)
		}
	}
}

func TestWeightBytes(t *testing.T) {
	near(t, "Llama-3.1-8B", known(t, "Llama-3.1-8B").WeightBytes(), 16.06e9, 0.001)
	near(t, "Qwen3-0.6B (tied)", known(t, "Qwen3-0.6B").WeightBytes(), 1.19e9, 0.01)
	// 671 B in FP8, of which embedding, head, norms and routers in BF16.
	near(t, "DeepSeek-V3", known(t, "DeepSeek-V3").WeightBytes(), 671e9+2*0.927e9, 0.002)
	near(t, "Qwen3-32B-FP8", known(t, "Qwen3-32B-FP8").WeightBytes(), 32.76e9+2*0.778e9, 0.002)
}

func TestLookup(t *testing.T) {
	for name, want := range map[string]string{
		"meta-llama/Llama-3.1-8B-Instruct":      "Llama-3.1-8B",
		"meta-llama/Meta-Llama-3.1-70B":         "Llama-3.1-70B",
		"Qwen/Qwen3-0.6B":                       "Qwen3-0.6B",
		"qwen3-32b-fp8":                         "Qwen3-32B-FP8",
		"Qwen/Qwen3-235B-A22B-FP8":              "Qwen3-235B-A22B-FP8",
		"deepseek-ai/DeepSeek-R1":               "DeepSeek-V3",
		"deepseek-ai/DeepSeek-V3-FP8":           "DeepSeek-V3",
		"":                                      "",
		"Qwen/Qwen3-235B-A22B-Instruct-2507":    "",
		"RedHatAI/Meta-Llama-3.1-8B-FP8":        "",
		"Qwen/Qwen3-32B-AWQ":                    "",
		"mistralai/Mixtral-8x7B-Instruct-v0.1/": "",
	} {
		m, err := Lookup(name)
		switch {
		case want == "" && (err == nil || !strings.Contains(err.Error(), "Qwen3-235B-A22B")):
			t.Errorf("%q: got %s, %v; want an error that lists the known", name, m.Name, err)
		case want != "" && (err != nil || m.Name != want):
			t.Errorf("%q: got %s, %v; want %s", name, m.Name, err, want)
		}
	}
}

func TestLookupGPU(t *testing.T) {
	for name, want := range map[string]string{
		"h100_sxm": "h100_sxm", "H100": "h100_sxm", "NVIDIA-H100-80GB-HBM3": "h100_sxm",
		"a100-sxm": "a100_sxm", "NVIDIA-A100-SXM4-80GB": "a100_sxm",
		"NVIDIA H200": "h200_sxm", "b200_sxm": "b200_sxm", " l40s ": "l40s",
	} {
		if g, err := LookupGPU(name); err != nil || g.Name != want {
			t.Errorf("%q: got %s, %v; want %s", name, g.Name, err, want)
		}
	}
	_, err := LookupGPU("mi300x")
	if err == nil || !strings.Contains(err.Error(), "a100_sxm, h100_sxm, h200_sxm, b200_sxm, l40s") {
		t.Errorf("unknown GPU: %v", err)
	}
}

// The table is checked for slips of the pen: dense rates double from BF16 to
// FP8 to FP4, and a link is slower than the memory.
func TestGPUTable(t *testing.T) {
	for _, g := range GPUs() {
		if f, ok := g.FLOPS[FP8]; ok {
			near(t, g.Name+" FP8 over BF16", f/g.FLOPS[BF16], 2, 0.02)
		}
		if f, ok := g.FLOPS[FP4]; ok {
			near(t, g.Name+" FP4 over BF16", f/g.FLOPS[BF16], 4, 0.02)
		}
		if g.Node.BytesPerSecond >= g.BytesPerSecond || g.Network.BytesPerSecond >= g.Node.BytesPerSecond*1.01 {
			t.Errorf("%s: memory %g, node %g, network %g bytes a second", g.Name, g.BytesPerSecond,
				g.Node.BytesPerSecond, g.Network.BytesPerSecond)
		}
		if g.PerNode != 8 || g.rate(FP4) < g.FLOPS[BF16] {
			t.Errorf("%s: %d per node, FP4 at %g", g.Name, g.PerNode, g.rate(FP4))
		}
	}
	if g := gpu(t, "a100"); slices.Contains([]float64{0, g.FLOPS[INT8]}, g.rate(FP8)) {
		t.Error("an A100 multiplies FP8 weights in BF16")
	}
}
