package model

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func setup(t testing.TB, model, gpuName, mapping string) Setup {
	t.Helper()
	m, err := ParseMapping(mapping)
	if err != nil {
		t.Fatal(err)
	}
	return Setup{Model: known(t, model), GPU: gpu(t, gpuName), Mapping: m}
}

func TestWeightBytesPerGPU(t *testing.T) {
	for _, c := range []struct {
		model, mapping string
		want           float64
	}{
		{"Llama-3.1-70B", "TP=1", 141.1e9},
		{"Llama-3.1-70B", "TP=8", 141.1e9 / 8},
		// Half the layers and either the embedding or the head.
		{"Llama-3.1-70B", "TP=8,PP=2", 141.1e9 / 16},
		// 94 layers · 128 experts of 18.9 M over 8, and the rest whole: attention
		// 71.3 M and router a layer, embedding and head, 2 bytes each.
		{"Qwen3-235B-A22B", "DEP=8", 2 * (94*(128*18.874e6/8+71.3e6+0.52e6) + 2*0.6223e9)},
		{"Qwen3-235B-A22B", "TEP=4", 470.2e9 / 4},
		// 58 layers · 256 experts of 44.04 M over 8; attention, shared and dense
		// networks whole in FP8; routers, embedding and head whole in BF16.
		{"DeepSeek-V3", "DEP=8", 58*(256*44.04e6/8+44.04e6+2*1.835e6) + 61*187.1e6 + 3*396.4e6 + 4*0.9267e9},
	} {
		m, err := ParseMapping(c.mapping)
		if err != nil {
			t.Fatal(err)
		}
		near(t, c.model+" "+c.mapping, known(t, c.model).WeightBytesPerGPU(m), c.want, 0.005)
	}
}

func TestMemory(t *testing.T) {
	s := setup(t, "Llama-3.1-8B", "h100", "TP=1")
	m, err := s.Memory()
	if err != nil {
		t.Fatal(err)
	}
	if m.Budget != 0.9*81559*mib || m.KVPerToken != 131072 || m.Ranks != 1 {
		t.Errorf("%+v", m)
	}
	// 76.97 GB less 16.06 of weights, 1.5 for the runtime and 1.0 of activations.
	near(t, "KV tokens", float64(m.Tokens()), (76.97e9-16.06e9-1.5e9-m.Activations)/131072, 0.001)
	near(t, "activations", m.Activations, 1.1e9, 0.2)
	if got := m.Blocks(64); got != m.Tokens()/64 {
		t.Errorf("%d blocks of %d tokens", got, m.Tokens())
	}

	eight := s
	eight.KVElementBytes = 1
	if m8, err := eight.Memory(); err != nil || m8.Tokens() < 2*m.Tokens() {
		t.Errorf("an 8-bit cache holds %d tokens, 16 bits %d (%v)", m8.Tokens(), m.Tokens(), err)
	}

	d := setup(t, "DeepSeek-V3", "h200", "DEP=8")
	d.SequenceTokens = 8192
	md, err := d.Memory()
	if err != nil {
		t.Fatal(err)
	}
	if md.Ranks != 8 || md.Tokens() != 8*md.TokensPerRank || md.KVPerToken != 61*576*2 ||
		md.Blocks(64) != 8*(md.TokensPerRank/64) {
		t.Errorf("%+v", md)
	}
	// The latent is not cut by tensor parallelism.
	te := setup(t, "DeepSeek-V3", "h200", "TEP=8")
	te.SequenceTokens = 8192
	if mt, err := te.Memory(); err != nil || mt.KVPerToken != md.KVPerToken || mt.Weights >= md.Weights {
		t.Errorf("TEP: %+v, %v", mt, err)
	}
}

func TestMemoryDoesNotFit(t *testing.T) {
	for _, c := range []struct {
		setup Setup
		want  []string
		gpus  int
	}{
		{setup(t, "Llama-3.1-70B", "h100", "TP=1"),
			[]string{"141.1 GB of weights", "77.0 GB", "no room", "4 GPUs would"}, 4},
		{setup(t, "Qwen3-32B", "h100", "TP=1"), []string{"leave room for", "sequence of 40960", "2 GPUs would"}, 2},
		{setup(t, "DeepSeek-V3", "l40s", "DEP=8"), []string{"no room"}, 128},
	} {
		_, err := c.setup.Memory()
		var fit *FitError
		if !errors.As(err, &fit) {
			t.Errorf("%s: %v", c.setup.Model.Name, err)
			continue
		}
		for _, w := range c.want {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error lacks %q: %v", c.setup.Model.Name, w, err)
			}
		}
		if fit.MinGPUs != c.gpus {
			t.Errorf("%s: %d GPUs would hold it, want %d", c.setup.Model.Name, fit.MinGPUs, c.gpus)
		}
	}
}

func TestSetupFaults(t *testing.T) {
	good := setup(t, "Llama-3.1-8B", "h100", "TP=2")
	for _, c := range []struct {
		change func(*Setup)
		want   string
	}{
		{func(s *Setup) { s.Model = Model{} }, "Parse or Lookup"},
		{func(s *Setup) { s.GPU = GPU{} }, "LookupGPU"},
		{func(s *Setup) { s.Mapping.Size = 3 }, "do not divide by 3"},
		{func(s *Setup) { s.Mapping = Mapping{} }, "TP, TEP or DEP"},
		{func(s *Setup) { s.MemoryFraction = -1 }, "memory fraction -1"},
		{func(s *Setup) { s.KVElementBytes = 99 }, "KV element bytes 99"},
		{func(s *Setup) { s.SequenceTokens = -1 }, "sequence tokens -1"},
		{func(s *Setup) { s.MaxBatchedTokens = -1 }, "max batched tokens -1"},
		{func(s *Setup) { s.MaxSequences = -1 }, "max sequences -1"},
		{func(s *Setup) { s.GPUsPerNode = -1 }, "GPUs per node -1"},
		{func(s *Setup) { s.Efficiency.Compute = 1.5 }, "compute efficiency 1.5"},
		{func(s *Setup) { s.Efficiency.Memory = -1 }, "memory efficiency -1"},
		{func(s *Setup) { s.GPU.Node = Link{} }, "links"},
		{func(s *Setup) { s.GPUsPerNode = 1; s.GPU.Network = Link{} }, "links"},
	} {
		s := good
		c.change(&s)
		_, err1 := s.Memory()
		_, err2 := s.Roofline()
		for _, err := range []error{err1, err2} {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want %q, got %v", c.want, err)
			}
		}
	}
	both := good
	both.MemoryFraction, both.MaxSequences = 2, -1
	if _, err := both.Memory(); err == nil || !strings.Contains(err.Error(), "memory fraction") ||
		!strings.Contains(err.Error(), "max sequences") {
		t.Errorf("not every fault is listed: %v", err)
	}
}

// drawSetup is any known model on any GPU under a mapping that can be laid out.
func drawSetup(t *rapid.T) Setup {
	names := []string{"Llama-3.1-8B", "Llama-3.1-70B", "Qwen3-0.6B", "Qwen3-32B", "Qwen3-32B-FP8", "Qwen3-235B-A22B",
		"DeepSeek-V3"}
	m, err := Lookup(rapid.SampledFrom(names).Draw(t, "model"))
	if err != nil {
		t.Fatal(err)
	}
	s := Setup{Model: m, GPU: rapid.SampledFrom(GPUs()).Draw(t, "gpu")}
	size := 1 << rapid.IntRange(0, 6).Draw(t, "log2 size")
	pipeline := 1 << rapid.IntRange(0, 2).Draw(t, "log2 stages")
	s.Mapping = Mapping{rapid.SampledFrom(m.Kinds()).Draw(t, "kind"), size, pipeline}
	if rapid.Bool().Draw(t, "window") {
		s.Model.SlidingWindow, s.Model.SlidingLayers = rapid.IntRange(1, 5000).Draw(t, "tokens"),
			rapid.IntRange(1, m.Layers).Draw(t, "layers")
	}
	if len(s.Mapping.Check(s.Model)) > 0 {
		t.Skip("the model does not divide")
	}
	return s
}

// Twice the GPUs never hold more weights each, and the GPUs together never hold
// less than the model.
func TestMoreGPUsLessWeight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSetup(t)
		w := s.Model.WeightBytesPerGPU(s.Mapping)
		if total := w * float64(s.Mapping.GPUs()); total < s.Model.WeightBytes()*0.9999999 {
			t.Fatalf("%s of %s: %g bytes on all GPUs, the model has %g", s.Mapping, s.Model.Name, total,
				s.Model.WeightBytes())
		}
		for _, more := range []Mapping{{s.Mapping.Kind, 2 * s.Mapping.Size, s.Mapping.Pipeline},
			{s.Mapping.Kind, s.Mapping.Size, 2 * s.Mapping.Pipeline}} {
			if got := s.Model.WeightBytesPerGPU(more); got > w*1.0000001 {
				t.Fatalf("%s: %g bytes under %s, %g under %s", s.Model.Name, w, s.Mapping, got, more)
			}
		}
	})
}

// The stages share out every layer and every mixture, once.
func TestStages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Model{Layers: rapid.IntRange(1, 200).Draw(t, "layers")}
		m.Experts.FirstDense = rapid.IntRange(0, m.Layers-1).Draw(t, "dense")
		m.Experts.Layers = m.Layers - m.Experts.FirstDense
		stages := rapid.IntRange(1, m.Layers).Draw(t, "stages")
		next, mixtures := 0, 0.0
		for i := range stages {
			first, last := stageLayers(m.Layers, stages, i)
			if first != next || last <= first {
				t.Fatalf("stage %d has layers %d to %d after %d", i, first, last, next)
			}
			next = last
			mixtures += m.mixturesIn(first, last)
		}
		if next != m.Layers || mixtures != float64(m.Experts.Layers) {
			t.Fatalf("%d of %d layers, %g of %d mixtures", next, m.Layers, mixtures, m.Experts.Layers)
		}
	})
}
