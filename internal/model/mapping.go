package model

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is how a worker's GPUs share the model.
type Kind string

// The kinds, as Dynamo's profiler has them.
const (
	// TP is tensor parallelism: every matrix is cut, the experts' too.
	TP Kind = "TP"
	// TEP cuts attention and the dense networks as TP does, and gives each GPU
	// whole experts.
	TEP Kind = "TEP"
	// DEP runs attention and the dense networks whole on every GPU, each for
	// its own sequences, and gives each GPU whole experts.
	DEP Kind = "DEP"
)

// Mapping spreads a model over the GPUs of one worker.
type Mapping struct {
	// Kind is exactly one of TP, TEP, DEP, and Size over how many GPUs.
	Kind Kind
	Size int
	// Pipeline is how many groups of Size GPUs hold consecutive layers; 0 is 1.
	Pipeline int
}

// GPUs is how many GPUs the mapping takes.
func (m Mapping) GPUs() int { return m.Size * m.stages() }

func (m Mapping) stages() int { return max(m.Pipeline, 1) }

// KVSplit is over how many GPUs attention, and so the KV heads, are cut.
func (m Mapping) KVSplit() int {
	if m.Kind == DEP {
		return 1
	}
	return m.Size
}

// ExpertSplit is over how many GPUs whole experts are dealt.
func (m Mapping) ExpertSplit() int {
	if m.Kind == TP {
		return 1
	}
	return m.Size
}

// AttentionDP is how many ranks have sequences, and a KV cache, of their own.
func (m Mapping) AttentionDP() int {
	if m.Kind == DEP {
		return m.Size
	}
	return 1
}

// String is the label: TP=4, or TP=8,PP=2 with a pipeline.
func (m Mapping) String() string {
	label := fmt.Sprintf("%s=%d", m.Kind, m.Size)
	if m.stages() > 1 {
		label += fmt.Sprintf(",PP=%d", m.Pipeline)
	}
	return label
}

// Tag is the label as part of a folder's name: TP4, TP8PP2.
func (m Mapping) Tag() string {
	return strings.NewReplacer("=", "", ",", "").Replace(m.String())
}

// ParseMapping reads a label.
func ParseMapping(label string) (Mapping, error) {
	bad := func(why string) (Mapping, error) {
		return Mapping{}, fmt.Errorf("reading the mapping %q: %s; it is TP=n, TEP=n or DEP=n, and ,PP=n where "+
			"layers are spread too", label, why)
	}
	var m Mapping
	for part := range strings.SplitSeq(label, ",") {
		name, number, ok := strings.Cut(part, "=")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n < 1 || n > 1<<20 {
			return bad(fmt.Sprintf("%q is not NAME=NUMBER", part))
		}
		switch kind := Kind(strings.ToUpper(strings.TrimSpace(name))); {
		case kind == "PP" && m.Pipeline == 0:
			m.Pipeline = n
		case (kind == TP || kind == TEP || kind == DEP) && m.Size == 0:
			m.Kind, m.Size = kind, n
		default:
			return bad(fmt.Sprintf("%q is not expected there", part))
		}
	}
	if m.Size == 0 {
		return bad("it has none of TP, TEP and DEP")
	}
	return m, nil
}

// Rule names why a mapping cannot be used.
type Rule string

// The rules, those of Dynamo's profiler first.
const (
	RuleKVHeads    Rule = "kv-heads"    // the KV heads do not divide
	RuleExperts    Rule = "experts"     // the experts do not divide
	RuleFFN        Rule = "ffn"         // a feed-forward network does not divide
	RuleQuantBlock Rule = "quant-block" // a slice is no multiple of the quantisation block
	RuleMapping    Rule = "mapping"     // it is none: no kind, or no size
	RuleHeads      Rule = "heads"       // the attention heads do not divide
	RuleDense      Rule = "dense"       // expert parallelism without experts
	RuleLayers     Rule = "layers"      // more pipeline stages than layers
	RuleNode       Rule = "node"        // tensor parallelism beyond one node
	RuleMemory     Rule = "memory"      // weights, activations or one sequence do not fit
)

// Rejection is one reason why a mapping cannot be used.
type Rejection struct {
	Rule Rule
	// Reason says it with the numbers.
	Reason string
}

// Check gives every rule of the model's shape that the mapping breaks; none
// means that it can be laid out. The memory and the node are not looked at.
func (m Mapping) Check(model Model) []Rejection {
	var list []Rejection
	reject := func(broken bool, rule Rule, format string, args ...any) {
		if broken {
			list = append(list, Rejection{rule, fmt.Sprintf(format, args...)})
		}
	}
	if m.Kind != TP && m.Kind != TEP && m.Kind != DEP || m.Size < 1 || m.Pipeline < 0 {
		return []Rejection{{RuleMapping, fmt.Sprintf("%s is not TP, TEP or DEP over at least 1 GPU", m)}}
	}
	reject(m.Kind != TP && !model.IsMoE(), RuleDense, "%s needs experts, and the model is dense", m)
	reject(m.stages() > model.Layers, RuleLayers, "%d pipeline stages for %d layers", m.Pipeline, model.Layers)
	split := m.KVSplit()
	reject(model.Heads%split != 0, RuleHeads, "%d attention heads do not divide by %d", model.Heads, split)
	reject(!model.HasMLA() && model.KVHeads%split != 0, RuleKVHeads, "%d KV heads do not divide by %d",
		model.KVHeads, split)
	if model.IsMoE() {
		n := m.ExpertSplit()
		reject(model.Experts.Total%n != 0, RuleExperts, "%d experts do not divide by %d", model.Experts.Total, n)
	}
	for _, w := range m.cut(model) {
		reject(w.width%split != 0, RuleFFN, "%s of width %d does not divide by %d", w.name, w.width, split)
		block := model.Quantization.Block
		reject(split > 1 && w.quantised && block > 0 && w.width%split == 0 && (w.width/split)%block != 0,
			RuleQuantBlock,
			"%s of width %d cut in %d gives %d, no multiple of the quantisation block %d", w.name, w.width, split,
			w.width/max(split, 1), block)
	}
	return list
}

// width is a matrix side that a mapping cuts.
type width struct {
	name      string
	width     int
	quantised bool
}

// cut lists the feed-forward widths that tensor parallelism divides. An
// intermediate_size that no layer has (Qwen3-235B's) is not among them.
func (m Mapping) cut(model Model) []width {
	everything := model.Quantization.Method != "" && !model.Quantization.ExpertsOnly
	var list []width
	if model.DenseLayers() > 0 {
		list = append(list, width{"the feed-forward network", model.FFN, everything})
	}
	if model.IsMoE() && model.Experts.SharedFFN > 0 {
		list = append(list, width{"the shared expert", model.Experts.SharedFFN, everything})
	}
	if model.IsMoE() && m.Kind == TP {
		list = append(list, width{"an expert", model.Experts.FFN, model.Quantization.Method != ""})
	}
	return list
}
