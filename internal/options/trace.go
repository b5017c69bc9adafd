package options

import (
	"os"
	"slices"
	"strings"

	"headway/internal/fault"
	"headway/workload"
	"headway/workload/synth"
)

// TraceInput is a trace that is read as rows: lengths, times and block ids.
type TraceInput struct {
	File      string `arg:"" optional:"" type:"path" help:"The trace: Mooncake JSONL, Azure or BurstGPT CSV."`
	Input     string `name:"input-file" aliases:"input-dataset" type:"path" placeholder:"FILE" help:"The trace, as an option."`
	BlockSize int    `name:"block-size" default:"512" help:"Tokens that an id of hash_ids stands for."`
	Lenient   bool   `name:"lenient" help:"Skip unreadable lines and count them, instead of stopping."`
}

// TraceTiers are caches that an analysis compares.
type TraceTiers struct {
	Tiers []string `name:"kv-tier" sep:"none" placeholder:"NAME:SIZE[,policy=POLICY]" help:"Say what a tier of the KV cache would bring: gpu, host, disk or remote, and how much it holds (blocks of the trace, or bytes such as 64GB, which needs --kv-bytes-per-token). policy=write-back: it holds what those above evict; without, it gets every block that they get. Repeatable, in this order."`
	Bytes int      `name:"kv-bytes-per-token" default:"0" placeholder:"BYTES" help:"KV cache of one token, for sizes of --kv-tier in bytes."`
}

// Parse reads the tiers; a block has so many tokens.
func (f TraceTiers) Parse(bad *fault.List, block int) []synth.Tier {
	var all []synth.Tier
	names, last := []string{"gpu", "host", "disk", "remote"}, -1
	for _, text := range f.Tiers {
		name, rest, _ := strings.Cut(text, ":")
		size, policy, _ := strings.Cut(rest, ",")
		place := slices.Index(names, name)
		n, err := tierBlocks(size, block*f.Bytes)
		switch {
		case place <= last:
			bad.Add("%s %s: begins with gpu, host, disk or remote and a colon, each once and in this order",
				fault.Field("kv-tier"), text)
		case err != nil:
			bad.Add("%s %s: %w", fault.Field("kv-tier"), text, err)
		case n < 1:
			bad.Add("%s %s: must hold a block", fault.Field("kv-tier"), text)
		case policy != "" && policy != "policy=write-through" && policy != "policy=write-back":
			bad.Add("%s %s: %s: must be policy=write-through or policy=write-back", fault.Field("kv-tier"), text,
				policy)
		default:
			all = append(all, synth.Tier{Name: name, Blocks: n, Exclusive: policy == "policy=write-back"})
			last = place
		}
	}
	bad.NotNegative("kv-bytes-per-token", float64(f.Bytes))
	return all
}

// Path is the file, "" where none was given.
func (t TraceInput) Path() string {
	if t.File != "" {
		return t.File
	}
	return t.Input
}

// Faults are those of the input; optional says that it may be missing.
func (t TraceInput) Faults(bad *fault.List, optional bool) {
	if t.File != "" && t.Input != "" {
		bad.Add("%s and %s %s: give one trace", t.File, fault.Field("input-file"), t.Input)
	}
	if t.Path() == "" && !optional {
		bad.Add("no trace: give a file")
	}
	bad.Between("block-size", float64(t.BlockSize), 1, workload.MaxTokens)
}

// Read reads the rows; what was skipped is in the trace.
func (t TraceInput) Read() (*workload.Trace, error) {
	return synth.ReadRows(t.Path(), workload.TraceOptions{BlockSize: t.BlockSize, Lenient: t.Lenient})
}

// ModelSource is what rows are drawn from where it is no trace: a fitted model or
// a preset.
type ModelSource struct {
	Model  string `name:"fit" type:"path" placeholder:"FILE" help:"Draw from a model that 'trace fit' wrote, instead of a trace."`
	Preset string `name:"preset" placeholder:"NAME" help:"Draw from a built-in model: mooncake-conversation or azure-code."`
}

// Chosen says whether there is one.
func (m ModelSource) Chosen() bool { return m.Model != "" || m.Preset != "" }

// Faults refuses more than one source; trace is the file of a trace, or "".
func (m ModelSource) Faults(bad *fault.List, trace string) {
	n := 0
	for _, s := range []string{m.Model, m.Preset, trace} {
		if s != "" {
			n++
		}
	}
	if n > 1 {
		bad.Add("a trace, %s and %s: give one of them", fault.Field("fit"), fault.Field("preset"))
	}
}

// Read reads the model.
func (m ModelSource) Read() (*synth.Model, error) {
	if m.Preset == "" {
		return synth.ReadModelFile(m.Model)
	}
	if known := synth.Presets(); !slices.Contains(known, m.Preset) {
		return nil, fault.New("%s %q: must be one of %s", fault.Field("preset"), m.Preset, strings.Join(known, ", "))
	}
	return synth.Preset(m.Preset)
}

// MadeFile is of verbs that write a file, and say of it what standard error
// otherwise has.
type MadeFile struct {
	JSON bool `name:"json" help:"Print the figures of what was written as JSON on standard output; --output-file must name a file."`
}

// Faults refuses two things on standard output; output is the file, "-" for it.
func (m MadeFile) Faults(bad *fault.List, output string) {
	if m.JSON && output == "-" {
		bad.Add("%s: standard output has the file itself; name one with %s", fault.Field("json"),
			fault.Field("output-file"))
	}
}

// Trace says which trace is played, and how it is changed first.
type Trace struct {
	Dataset   string `name:"input-dataset" aliases:"input-file" type:"path" placeholder:"FILE" help:"The trace: Mooncake JSONL, Azure or BurstGPT CSV. Default: rows drawn from the preset mooncake-conversation."`
	Requests  int    `name:"num-requests" aliases:"requests" default:"0" placeholder:"N" help:"Requests to play. Default: all rows of the file; of a preset 1000."`
	Spread    string `name:"spread-timestamps" enum:"none,even,uniform" default:"none" help:"Move requests that share a timestamp up to the next one: ${enum}."`
	BlockSize int    `name:"trace-block-size" default:"512" help:"Tokens that an id of hash_ids stands for."`
	Lenient   bool   `name:"lenient" help:"Skip unreadable lines and count them."`
	ModelSource
	Synthesis
}

// Faults lists what is wrong with the options, for a comparison.
func (f *Trace) Faults(c *Comparison, given map[string]bool, bad *fault.List) {
	bad.Idle(given, f.Dataset == "", "trace-block-size lenient", fault.Field("input-dataset"))
	if f.Dataset == "" && !f.Chosen() {
		f.Preset = "mooncake-conversation"
	}
	f.ModelSource.Faults(bad, f.Dataset)
	f.Synthesis.Faults(bad)
	bad.NotNegative("num-requests", float64(f.Requests))
	bad.Between("trace-block-size", float64(f.BlockSize), 1, workload.MaxTokens)
	bad.When(c.Repeats > 1 && f.Recorded() && !c.Live(),
		"%s %d: the rows of the file are played as they are, so that every repeat would be the same run; "+
			"%s and other options that change the trace draw new ones", fault.Field("repeats"), c.Repeats,
		fault.Field("no-keep-correlation"))
	exists(bad, f.Dataset)
}

// exists refuses a file of requests that is not there.
func exists(bad *fault.List, dataset string) {
	if dataset == "" {
		return
	}
	if _, err := os.Stat(dataset); err != nil {
		bad.Add("%s: %v", fault.Field("input-dataset"), err)
	}
}

// Recorded says that the rows of the file are played, not new ones: a speed-up
// moves them, and bounds of the lengths choose and cut them. Only what cannot be
// done to a row that is there draws others.
func (f *Trace) Recorded() bool { return !f.Chosen() && !f.changesRows() }
