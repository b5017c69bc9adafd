package twin

import (
	"math"

	"headway/internal/engine"
)

// Parameter is a number of the model that a fit may change.
type Parameter struct {
	// Name is that in twin.json.
	Name string
	// Of is where it stands in a model.
	Of func(*Model) *float64
	// Low and High bound it.
	Low, High float64
	// Weight draws it back to where a fit began: few loads tell some parameters
	// apart. 0 leaves it free.
	Weight float64
}

// Parameters are all of them, in the order of a vector.
var Parameters = [...]Parameter{
	{"weights_ms", func(m *Model) *float64 { return &m.Weights }, 0.05, 500, 0},
	{"compute_us_per_token", func(m *Model) *float64 { return &m.Compute }, 0.2, 2000, 0},
	{"kv_ns_per_token", func(m *Model) *float64 { return &m.KV }, 0.2, 5000, 0.02},
	{"kv_alone_ns_per_token", func(m *Model) *float64 { return &m.KVAlone }, 0.2, 5000, 0.02},
	{"attention_ns_per_pair", func(m *Model) *float64 { return &m.Attention }, 0.01, 500, 0.05},
	{"sequence_us", func(m *Model) *float64 { return &m.Sequence }, 0.1, 1000, 0.02},
	{"launch_decode_ms", func(m *Model) *float64 { return &m.LaunchDecode }, 0.05, 50, 0.02},
	{"launch_small_ms", func(m *Model) *float64 { return &m.LaunchSmall }, 0.05, 100, 0.05},
	{"launch_prompt_ms", func(m *Model) *float64 { return &m.LaunchPrompt }, 0.05, 200, 0.01},
	{"launch_share", func(m *Model) *float64 { return &m.LaunchShare }, 0.01, 1, 0.05},
	{"jitter", func(m *Model) *float64 { return &m.Jitter }, 0.01, 1, 0.05},
	{"accept_ms", func(m *Model) *float64 { return &m.Accept }, 0.01, 10, 0.02},
	{"turn_ms", func(m *Model) *float64 { return &m.Turn }, 0.001, 2, 0.05},
	{"tokenize_us_per_token", func(m *Model) *float64 { return &m.Tokenize }, 0.01, 50, 0.02},
	{"prepare_ms", func(m *Model) *float64 { return &m.Prepare }, 0.01, 100, 0.01},
	{"submit_ms", func(m *Model) *float64 { return &m.Submit }, 0.01, 100, 0.01},
	{"output_ms", func(m *Model) *float64 { return &m.Output }, 0.01, 20, 0.1},
	{"detokenize_us", func(m *Model) *float64 { return &m.Detokenize }, 0.1, 1000, 0.05},
	{"write_us", func(m *Model) *float64 { return &m.Write }, 0.1, 1000, 0.02},
	{"close_ms", func(m *Model) *float64 { return &m.Close }, 0.005, 5, 0.1},
}

// ParameterNames are the names of all of them, in the order of a vector.
func ParameterNames() []string {
	var names []string
	for _, p := range Parameters {
		names = append(names, p.Name)
	}
	return names
}

// Usual is where a fit begins, and what it keeps of what loads do not say: vLLM on
// a host of 2026.
var Usual = Model{
	Weights: 5, Compute: 25, KV: 30, KVAlone: 0.2, Attention: 1, Sequence: 15,
	LaunchDecode: 2.4, LaunchSmall: 8, LaunchPrompt: 20, LaunchShare: 0.3, LaunchTail: 0.5, Collect: 0.1, Jitter: 0.2,
	Accept: 0.26, Turn: 0.03, Tokenize: 3.5, Prepare: 3, Submit: 3, Output: 0.3,
	Detokenize: 25, Write: 50, First: 0.05, Close: 0.15,
}

// UsualOf is where a fit for an engine begins. SGLang launches prompts as captured
// graphs, whose launch hardly grows with them, and hands requests and tokens
// through a process more; its attention kernel computes a sequence on few cores.
func UsualOf(t engine.Type) Model {
	m := Usual
	if t == engine.SGLang {
		m.KVAlone, m.LaunchPrompt, m.LaunchShare = 200, 10, 0.03
		m.Tokenize, m.Prepare, m.Submit = 4.5, 1, 1
		m.Detokenize, m.Write = 40, 70
	}
	return m
}

// Vector is a model as a point in the space of the parameters' logarithms.
func (m *Model) Vector() []float64 {
	x := make([]float64, len(Parameters))
	for i, p := range Parameters {
		x[i] = math.Log(min(max(*p.Of(m), p.Low), p.High))
	}
	return x
}

// At is the model at a point, within the bounds, with what no fit changes taken
// from m.
func (m *Model) At(x []float64) *Model {
	n := *m
	for i, p := range Parameters {
		*p.Of(&n) = min(max(math.Exp(x[i]), p.Low), p.High)
	}
	return &n
}
