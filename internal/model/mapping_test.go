package model

import (
	"slices"
	"strings"
	"testing"
)

// The table of Dynamo's parallelization_mapping.py.
func TestMapping(t *testing.T) {
	for _, c := range []struct {
		label, tag                   string
		kv, experts, attention, gpus int
	}{
		{"TP=4", "TP4", 4, 1, 1, 4},
		{"TEP=4", "TEP4", 4, 4, 1, 4},
		{"DEP=4", "DEP4", 1, 4, 4, 4},
		{"TP=8,PP=2", "TP8PP2", 8, 1, 1, 16},
	} {
		m, err := ParseMapping(c.label)
		if err != nil {
			t.Fatal(err)
		}
		if m.String() != c.label || m.Tag() != c.tag {
			t.Errorf("%s: label %s, tag %s", c.label, m, m.Tag())
		}
		if got, want := []int{m.KVSplit(), m.ExpertSplit(), m.AttentionDP(), m.GPUs()},
			[]int{c.kv, c.experts, c.attention, c.gpus}; !slices.Equal(got, want) {
			t.Errorf("%s: KV split, expert split, attention DP, GPUs are %v, want %v", c.label, got, want)
		}
	}
	if m, err := ParseMapping("pp=2, tep=8"); err != nil || m != (Mapping{TEP, 8, 2}) {
		t.Errorf("got %v, %v", m, err)
	}
	for _, bad := range []string{"", "TP", "TP=0", "TP=x", "TP=2,TEP=2", "PP=2", "EP=2", "TP=2,PP=2,PP=2", "TP=2,",
		"TP=99999999999999999999"} {
		if m, err := ParseMapping(bad); err == nil || !strings.Contains(err.Error(), "TP=n") {
			t.Errorf("%q: got %v, %v", bad, m, err)
		}
	}
}

func FuzzParseMapping(f *testing.F) {
	for _, s := range []string{"TP=4", "tep=8,pp=2", "DEP=-1", "=", ",,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, label string) {
		m, err := ParseMapping(label)
		if err != nil {
			return
		}
		again, err := ParseMapping(m.String())
		if err != nil || again.String() != m.String() || m.GPUs() < 1 {
			t.Fatalf("%q is %s, read again %s, %v", label, m, again, err)
		}
	})
}

// checkCases are the cases of TestCheck.
var checkCases = []struct {
	model, mapping string
	want           []Rule
}{
	{"Llama-3.1-8B", "TP=8", nil},
	{"Llama-3.1-8B", "TP=16", []Rule{RuleKVHeads}},
	{"Llama-3.1-8B", "TP=3", []Rule{RuleHeads, RuleKVHeads, RuleFFN}},
	{"Llama-3.1-8B", "TEP=8", []Rule{RuleDense}},
	{"Llama-3.1-8B", "TP=1,PP=33", []Rule{RuleLayers}},
	{"Qwen3-32B-FP8", "TP=8", nil}, // 25600 / 8 = 25 · 128
	{"Qwen3-235B-A22B", "TP=4", nil},
	{"Qwen3-235B-A22B", "TEP=8", []Rule{RuleKVHeads}},
	{"Qwen3-235B-A22B", "DEP=64", nil},
	{"Qwen3-235B-A22B", "DEP=3", []Rule{RuleExperts}},
	{"Qwen3-235B-A22B-FP8", "TP=4", nil}, // 1536 / 4 = 3 · 128
	{"DeepSeek-V3", "TP=8", nil},         // 2048 / 8 = 2 · 128
	{"DeepSeek-V3", "TP=32", []Rule{RuleQuantBlock, RuleQuantBlock, RuleQuantBlock}},
	{"DeepSeek-V3", "TEP=16", nil},
	{"DeepSeek-V3", "TEP=32", []Rule{RuleQuantBlock, RuleQuantBlock}},
	{"DeepSeek-V3", "DEP=128", nil},
	{"DeepSeek-V3", "DEP=512", []Rule{RuleExperts}},
}

func TestCheck(t *testing.T) {
	for _, c := range checkCases {
		mapping, err := ParseMapping(c.mapping)
		if err != nil {
			t.Fatal(err)
		}
		var got []Rule
		for _, r := range mapping.Check(known(t, c.model)) {
			got = append(got, r.Rule)
			if !strings.ContainsAny(r.Reason, "0123456789") {
				t.Errorf("%s %s: a reason without numbers: %s", c.model, c.mapping, r.Reason)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s %s: %v, want %v", c.model, c.mapping, got, c.want)
		}
	}
	for _, m := range []Mapping{{}, {Kind: "EP", Size: 2}, {Kind: TP}, {Kind: TP, Size: -1},
		{Kind: TP, Size: 1, Pipeline: -1}} {
		if got := m.Check(known(t, "Llama-3.1-8B")); len(got) != 1 || got[0].Rule != RuleMapping {
			t.Errorf("%+v: %v", m, got)
		}
	}
	// TP=8 cuts an expert of Qwen3-235B in 192, which FP8's block forbids and BF16 does not care about.
	m := known(t, "Qwen3-235B-A22B-FP8")
	m.KVHeads = 8
	if got := (Mapping{Kind: TP, Size: 8}).Check(m); len(got) != 1 || got[0].Rule != RuleQuantBlock ||
		!strings.Contains(got[0].Reason, "192") {
		t.Errorf("TP=8 of the FP8 model: %v", got)
	}
}

func usable(list []Candidate) []string {
	var labels []string
	for _, c := range list {
		if c.Usable() {
			labels = append(labels, c.Mapping.String())
		}
	}
	return labels
}

func TestCandidates(t *testing.T) {
	for _, c := range []struct {
		model, gpu string
		sequence   int
		max        int
		kinds      []Kind
		want       []string
	}{
		{"Llama-3.1-8B", "h100", 8192, 8, nil, []string{"TP=1", "TP=2", "TP=4", "TP=8"}},
		// Two GPUs: 70.6 GB of 77.0 are weights, 1.2 and 1.5 go to activations and
		// runtime, and 3.7 hold 22,000 tokens.
		{"Llama-3.1-70B", "h100", 8192, 16, nil, []string{"TP=2", "TP=4", "TP=8"}},
		{"Llama-3.1-70B", "h100", 0, 16, nil, []string{"TP=4", "TP=8"}},
		{"Llama-3.1-70B", "h200", 8192, 8, nil, []string{"TP=2", "TP=4", "TP=8"}},
		{"Llama-3.1-70B", "l40s", 8192, 8, nil, []string{"TP=4", "TP=8"}},
		{"Qwen3-235B-A22B", "h200", 8192, 32, nil, []string{"TEP=4", "DEP=4", "DEP=8", "DEP=16", "DEP=32", "TP=4"}},
		{"Qwen3-235B-A22B", "h200", 40960, 32, nil, []string{"TEP=4", "DEP=8", "DEP=16", "DEP=32", "TP=4"}},
		{"DeepSeek-V3", "h200", 8192, 32, nil, []string{"TEP=8", "TEP=16", "DEP=8", "DEP=16", "DEP=32"}},
		// No TP within the node holds 671 GB on GPUs of 80: two nodes of eight do.
		{"DeepSeek-V3", "h100", 8192, 32, []Kind{TP}, []string{"TP=8,PP=2", "TP=8,PP=4"}},
		{"DeepSeek-V3", "l40s", 8192, 8, nil, nil},
	} {
		s := Setup{Model: known(t, c.model), GPU: gpu(t, c.gpu), SequenceTokens: c.sequence}
		list, err := s.Candidates(c.max, c.kinds...)
		if err != nil {
			t.Fatal(err)
		}
		if got := usable(list); !slices.Equal(got, c.want) {
			t.Errorf("%s on %s: %v, want %v", c.model, c.gpu, got, c.want)
		}
		for _, l := range list {
			if l.Mapping.GPUs() > c.max {
				t.Errorf("%s on %s: %s has more than %d GPUs", c.model, c.gpu, l.Mapping, c.max)
			}
		}
	}
}

func TestCandidatesReasons(t *testing.T) {
	s := Setup{Model: known(t, "Llama-3.1-70B"), GPU: gpu(t, "h100")}
	list, err := s.Candidates(16)
	if err != nil {
		t.Fatal(err)
	}
	reasons := map[string]Rule{}
	for _, c := range list {
		for _, r := range c.Rejections {
			reasons[c.Mapping.String()] = r.Rule
		}
	}
	if reasons["TP=1"] != RuleMemory || reasons["TP=2"] != RuleMemory || reasons["TP=16"] != RuleNode ||
		reasons["TP=4"] != "" {
		t.Errorf("%v", reasons)
	}
	for _, bad := range []struct {
		s   Setup
		max int
	}{{Setup{}, 8}, {s, 0}, {Setup{Model: s.Model, GPU: s.GPU, MemoryFraction: 2}, 8}} {
		if _, err := bad.s.Candidates(bad.max); err == nil {
			t.Errorf("%+v with %d GPUs: no error", bad.s, bad.max)
		}
	}
}
