package model

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var update = flag.Bool("update", false, "write the golden files anew")

func roofline(t testing.TB, s Setup) *Roofline {
	t.Helper()
	r, err := s.Roofline()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// peak is a setup at its peak rates, without overhead.
func peak(t testing.TB, model, gpuName, mapping string) *Roofline {
	s := setup(t, model, gpuName, mapping)
	s.Efficiency = Efficiency{Compute: 1, Memory: 1, Overhead: -1}
	return roofline(t, s)
}

// Bounds worked out by hand from the published figures.
func TestAnchors(t *testing.T) {
	r := peak(t, "Llama-3.1-8B", "h100", "TP=1")
	// Everything but the embedding table, 7.5 B weights in 2 bytes, at 3.35 TB/s.
	near(t, "8B decode, one sequence, at the peak", r.StepTime(0, 0, 1, 0).Seconds(), 15.01e9/3.35e12, 0.005)
	// The cache of 100,000 tokens on top.
	near(t, "cache of 100,000 tokens", (r.StepTime(0, 0, 8, 100_000) - r.StepTime(0, 0, 8, 0)).Seconds(),
		131072*100_000/3.35e12, 0.01)
	// 2 operations for each of 6.98 B weights below the head and 4·4096 per pair
	// and layer.
	near(t, "8B prefill of 8192 at the peak", r.StepTime(8192, PrefillContext(0, 8192), 0, 0).Seconds(),
		(2*6.98e9*8192+32*4*4096*8192*8193/2)/989.5e12, 0.01)

	real := roofline(t, setup(t, "Llama-3.1-8B", "h100", "TP=1"))
	if d := real.StepTime(0, 0, 1, 1000); d < 4800*time.Microsecond || d > 8*time.Millisecond {
		t.Errorf("8B decode, one sequence, as an engine does: %v", d)
	}
	near(t, "8B prefill of 8192 as an engine does", real.StepTime(8192, PrefillContext(0, 8192), 0, 0).Seconds(),
		2*8.03e9*8192/(989.5e12*0.6), 0.1)

	// 70B over 8 GPUs: an eighth of the weights each.
	near(t, "70B decode under TP=8, less communication",
		(peak(t, "Llama-3.1-70B", "h100", "TP=8").StepTime(0, 0, 1, 0) -
			peak(t, "Llama-3.1-70B", "h100", "TP=8").Breakdown(0, 0, 1, 0).Communication).Seconds(),
		(141.1e9-2.1e9)/8/3.35e12, 0.005)

	// One token through DeepSeek-V3 reads attention, dense and shared networks,
	// 8 of 256 experts, the routers and the head: 36.6 GB in FP8 and BF16.
	one := peak(t, "DeepSeek-V3", "h200", "TP=1").StepTime(0, 0, 1, 0).Seconds()
	near(t, "DeepSeek-V3 decode, one sequence", one, (35.59e9+0.106e9*2+0.9267e9*2)/4.8e12, 0.01)
	// A thousand tokens hit every expert.
	many := peak(t, "DeepSeek-V3", "h200", "TP=1").Breakdown(0, 0, 1000, 0)
	near(t, "DeepSeek-V3 experts, many sequences", many.Experts.Seconds(), 58*(257*44.04e6+2*1.835e6)/4.8e12, 0.005)
}

func TestPrefillContext(t *testing.T) {
	for start := range 5 {
		want := 0
		for n := range 6 {
			if n > 0 {
				want += start + n
			}
			if got := PrefillContext(start, n); got != want {
				t.Errorf("%d tokens after %d: %d, want %d", n, start, got, want)
			}
		}
	}
}

func TestNoWorkNoTime(t *testing.T) {
	r := roofline(t, setup(t, "Llama-3.1-8B", "h100", "TP=1"))
	for _, w := range [][4]int{{}, {-1, 5, -1, 5}, {0, 100, 0, 100}} {
		if d := r.StepTime(w[0], w[1], w[2], w[3]); d != 0 {
			t.Errorf("%v: %v", w, d)
		}
		if b := r.Breakdown(w[0], w[1], w[2], w[3]); b != (Breakdown{}) {
			t.Errorf("%v: %+v", w, b)
		}
	}
	if a, b := r.StepTime(10, -5, 1, -5), r.StepTime(10, 0, 1, 0); a != b {
		t.Errorf("negative contexts: %v, zero: %v", a, b)
	}
}

// More tokens, more context or more sequences never take less time, and the
// breakdown adds up.
func TestMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r, err := drawSetup(t).Roofline()
		if err != nil {
			t.Fatal(err)
		}
		number := func(name string, top int) int { return rapid.IntRange(0, top).Draw(t, name) }
		w := [4]int{number("prefill", 20000), number("pairs", 1<<30), number("seqs", 3000), number("context", 1<<26)}
		more := w
		for i := range more {
			more[i] += number(fmt.Sprintf("more %d", i), []int{3000, 1 << 28, 300, 1 << 22}[i])
		}
		a, b := r.StepTime(w[0], w[1], w[2], w[3]), r.StepTime(more[0], more[1], more[2], more[3])
		if b < a {
			t.Fatalf("%v takes %v, %v takes %v", w, a, more, b)
		}
		p := r.Breakdown(w[0], w[1], w[2], w[3])
		sum := p.Projection + p.PrefillAttention + p.DecodeAttention + p.FFN + p.Experts + p.Head +
			p.Communication + p.Overhead
		if diff := sum - a; diff < -8 || diff > 8 {
			t.Fatalf("%+v adds up to %v, the step takes %v", p, sum, a)
		}
	})
}

// A better GPU, better efficiency or a faster link never takes longer.
func TestBetterIsFaster(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSetup(t)
		slow, err := s.Roofline()
		if err != nil {
			t.Fatal(err)
		}
		s.Efficiency = Efficiency{Compute: rapid.Float64Range(0.6, 1).Draw(t, "compute"),
			Memory: rapid.Float64Range(0.8, 1).Draw(t, "memory")}
		s.GPU.BytesPerSecond *= rapid.Float64Range(1, 2).Draw(t, "bandwidth")
		s.GPU.Network.BytesPerSecond *= rapid.Float64Range(1, 2).Draw(t, "network")
		fast, err := s.Roofline()
		if err != nil {
			t.Fatal(err)
		}
		tokens, seqs := rapid.IntRange(0, 8192).Draw(t, "tokens"), rapid.IntRange(1, 256).Draw(t, "seqs")
		pairs, context := PrefillContext(1000, tokens), seqs*2000
		if a, b := slow.StepTime(tokens, pairs, seqs, context), fast.StepTime(tokens, pairs, seqs, context); b > a {
			t.Fatalf("%v on the better one, %v on the other", b, a)
		}
	})
}

// A window bounds what a long context costs, and one that is never reached
// costs nothing and saves nothing.
func TestSlidingWindow(t *testing.T) {
	s := setup(t, "Llama-3.1-8B", "h100", "TP=1")
	full := roofline(t, s)
	s.Model.SlidingWindow, s.Model.SlidingLayers = 4096, s.Model.Layers
	window := roofline(t, s)
	if a, b := full.StepTime(0, 0, 4, 4*4096), window.StepTime(0, 0, 4, 4*4096); a != b {
		t.Errorf("within the window: %v without, %v with", a, b)
	}
	if a, b := window.StepTime(0, 0, 4, 4*4096), window.StepTime(0, 0, 4, 4*100_000); a != b {
		t.Errorf("beyond the window: %v at 4096, %v at 100,000", a, b)
	}
}

// What the mappings are for, in one direction each.
func TestMappingsCompared(t *testing.T) {
	step := func(mapping string, w [4]int) time.Duration {
		return roofline(t, setup(t, "DeepSeek-V3", "h200", mapping)).StepTime(w[0], w[1], w[2], w[3])
	}
	// One stream: cutting attention beats repeating it.
	if tep, dep := step("TEP=8", [4]int{0, 0, 1, 2000}), step("DEP=8", [4]int{0, 0, 1, 2000}); tep >= dep {
		t.Errorf("one stream takes %v under TEP, %v under DEP", tep, dep)
	}
	// 1,024 streams: under DEP each of 8 ranks has 128.
	if tep, dep := step("TEP=8", [4]int{0, 0, 1024, 1024 * 4000}),
		step("DEP=8", [4]int{0, 0, 128, 128 * 4000}); dep >= tep {
		t.Errorf("1,024 streams take %v under DEP, %v under TEP", dep, tep)
	}
	// The network costs.
	if one, two := step("DEP=8", [4]int{0, 0, 64, 64000}), step("DEP=16", [4]int{0, 0, 64, 64000}); two < one*8/10 {
		t.Errorf("%v on one node, %v on two", one, two)
	}
}

func TestPipeline(t *testing.T) {
	one := peak(t, "Llama-3.1-70B", "h100", "TP=8")
	two := peak(t, "Llama-3.1-70B", "h100", "TP=8,PP=2")
	// One sequence passes every stage, so nothing is won.
	if a, b := one.StepTime(0, 0, 1, 1000), two.StepTime(0, 0, 1, 1000); b < a || b > a+a/10 {
		t.Errorf("one sequence: %v on one stage, %v on two", a, b)
	}
	// A long prefill is worked on by both.
	a, b := one.StepTime(16384, PrefillContext(0, 16384), 0, 0), two.StepTime(16384, PrefillContext(0, 16384), 0, 0)
	near(t, "prefill on two stages over one", b.Seconds()/a.Seconds(), 0.5, 0.05)
}

// The busiest of n GPUs, by Blom's formula, within a few per cent of the exact
// expectations of the largest of n standard normal variables.
func TestLargestNormal(t *testing.T) {
	for n, want := range map[int]float64{1: 0, 2: 0.5642, 4: 1.0294, 8: 1.4236, 16: 1.7660, 64: 2.3437} {
		if got := largestNormal(n); got < want*0.98-1e-9 || got > want*1.06 {
			t.Errorf("largest of %d: %g, want %g", n, got, want)
		}
	}
}

func TestGoldenTimes(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Step times in milliseconds at the default efficiencies: prefill of one chunk of 2048 and of " +
		"8192 tokens without context,\n")
	b.WriteString("# decode of 1, 16 and 256 sequences of 4096 tokens (under DEP on each rank), and a step of 2048 " +
		"prefill tokens and 64 decodes.\n")
	fmt.Fprintf(&b, "%-20s %-9s %-10s %9s %9s %9s %9s %9s %9s\n", "model", "gpu", "mapping", "p2048", "p8192", "d1",
		"d16", "d256", "mixed")
	for _, c := range [][3]string{
		{"Qwen3-0.6B", "l40s", "TP=1"}, {"Qwen3-0.6B", "h100_sxm", "TP=1"},
		{"Llama-3.1-8B", "l40s", "TP=1"}, {"Llama-3.1-8B", "l40s", "TP=2"}, {"Llama-3.1-8B", "a100_sxm", "TP=1"},
		{"Llama-3.1-8B", "h100_sxm", "TP=1"}, {"Llama-3.1-8B", "h200_sxm", "TP=1"},
		{"Llama-3.1-8B", "b200_sxm", "TP=1"},
		{"Llama-3.1-70B", "h100_sxm", "TP=4"}, {"Llama-3.1-70B", "h100_sxm", "TP=8"},
		{"Llama-3.1-70B", "h100_sxm", "TP=8,PP=2"},
		{"Qwen3-32B", "h200_sxm", "TP=1"}, {"Qwen3-32B-FP8", "h200_sxm", "TP=1"}, {"Qwen3-32B-FP8", "a100_sxm", "TP=1"},
		{"Qwen3-235B-A22B", "h200_sxm", "TP=4"}, {"Qwen3-235B-A22B", "h200_sxm", "TEP=4"},
		{"Qwen3-235B-A22B", "h200_sxm", "DEP=8"},
		{"DeepSeek-V3", "h200_sxm", "TEP=8"}, {"DeepSeek-V3", "h200_sxm", "DEP=8"},
		{"DeepSeek-V3", "h200_sxm", "DEP=32"}, {"DeepSeek-V3", "b200_sxm", "DEP=8"},
	} {
		r := roofline(t, setup(t, c[0], c[1], c[2]))
		fmt.Fprintf(&b, "%-20s %-9s %-10s", c[0], c[1], c[2])
		for _, w := range [][4]int{
			{2048, PrefillContext(0, 2048), 0, 0}, {8192, PrefillContext(0, 8192), 0, 0},
			{0, 0, 1, 4096}, {0, 0, 16, 16 * 4096}, {0, 0, 256, 256 * 4096},
			{2048, PrefillContext(0, 2048), 64, 64 * 4096},
		} {
			fmt.Fprintf(&b, " %9.3f", r.StepTime(w[0], w[1], w[2], w[3]).Seconds()*1e3)
		}
		b.WriteByte('\n')
	}
	path := filepath.Join("testdata", "times.golden")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), b.String()); d != "" {
		t.Errorf("the times differ from %s (-update writes it anew):\n%s", path, d)
	}
}

func TestStepTimeDoesNotAllocate(t *testing.T) {
	r := roofline(t, setup(t, "DeepSeek-V3", "h200", "DEP=8"))
	if n := testing.AllocsPerRun(100, func() { r.StepTime(2048, PrefillContext(0, 2048), 64, 64*4096) }); n != 0 {
		t.Errorf("%g allocations a call", n)
	}
}

func BenchmarkStepTime(b *testing.B) {
	for _, c := range [][3]string{{"Llama-3.1-8B", "h100", "TP=1"}, {"DeepSeek-V3", "h200", "DEP=8"}} {
		r := roofline(b, setup(b, c[0], c[1], c[2]))
		b.Run(c[0], func(b *testing.B) {
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				r.StepTime(2048, 2<<20, 64, 64*4096+i)
				i++
			}
		})
	}
}
