package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"headway/report"
	"headway/workload"
	"headway/workload/synth"
)

// synthesisFlags say how a new trace differs from the one it is drawn from,
// under the names of Dynamo's generator.
type synthesisFlags struct {
	Speedup     float64 `name:"speedup-ratio" default:"1" help:"Divide the time between arrivals by this."`
	PrefixLen   float64 `name:"prefix-len-multiplier" default:"1" help:"Multiply the lengths of shared prefixes."`
	PrefixRoots int     `name:"prefix-root-multiplier" default:"1" help:"Divide the shared prefixes into so many copies of their own."`
	PromptLen   float64 `name:"prompt-len-multiplier" default:"1" help:"Multiply the tokens that a prompt has of its own."`
	MaxISL      int     `name:"max-isl" default:"0" placeholder:"N" help:"Leave out requests with more input tokens."`
	MinISL      int     `name:"min-isl" default:"0" placeholder:"N" help:"Leave out requests with fewer input tokens."`
	MinOSL      int     `name:"min-osl" default:"0" placeholder:"N" help:"Raise shorter outputs to this."`
	MaxOSL      int     `name:"max-osl" default:"0" placeholder:"N" help:"Cut longer outputs to this."`
	Arrivals    string  `name:"arrivals" aliases:"arrival" enum:"empirical,poisson,gamma" default:"empirical" help:"Law of the arrivals: ${enum}."`
	Correlated  bool    `name:"keep-correlation" default:"true" negatable:"" help:"Draw what a prompt has of its own together with its context and its output length. --no-keep-correlation draws each by itself, as Dynamo's generator does; the spread of the lengths is then lost."`
}

// faults are those that zero would hide: in the package it stands for the
// default.
func (f synthesisFlags) faults(bad *faultList) {
	bad.positive("speedup-ratio", f.Speedup)
	bad.positive("prefix-len-multiplier", f.PrefixLen)
	bad.positive("prompt-len-multiplier", f.PromptLen)
	bad.positive("prefix-root-multiplier", float64(f.PrefixRoots))
	o, err := f.options(1, 0)
	if err != nil {
		bad.add("%w", err)
	}
	if f.Speedup > 0 && f.PrefixLen > 0 && f.PromptLen > 0 && f.PrefixRoots > 0 {
		if err := o.Validate(); err != nil {
			bad.add("%w", err)
		}
	}
}

// bounds are those of the options that choose and cut rows and draw nothing.
func (f synthesisFlags) bounds() workload.Bounds {
	return workload.Bounds{MinISL: f.MinISL, MaxISL: f.MaxISL, MinOSL: f.MinOSL, MaxOSL: f.MaxOSL}
}

func (f synthesisFlags) options(requests int, seed uint64) (synth.Options, error) {
	law, err := synth.ParseLaw(f.Arrivals)
	return synth.Options{
		Requests: requests, Seed: seed, Speedup: f.Speedup, PrefixLen: f.PrefixLen, PrefixRoots: f.PrefixRoots, PromptLen: f.PromptLen,
		MinISL: f.MinISL, MaxISL: f.MaxISL, MinOSL: f.MinOSL, MaxOSL: f.MaxOSL, Arrivals: law, KeepCorrelation: f.Correlated,
	}, err
}

// modelSource is what rows are drawn from: a trace, a fitted model, or a
// preset.
type modelSource struct {
	Model  string `name:"fit" type:"path" placeholder:"FILE" help:"Draw from a model that 'trace fit' wrote, instead of a trace."`
	Preset string `name:"preset" placeholder:"NAME" help:"Draw from a built-in model: mooncake-conversation or azure-code."`
}

func (m modelSource) given() bool { return m.Model != "" || m.Preset != "" }

func (m modelSource) faults(bad *faultList, trace string) {
	n := 0
	for _, s := range []string{m.Model, m.Preset, trace} {
		if s != "" {
			n++
		}
	}
	if n > 1 {
		bad.add("a trace, --fit and --preset: give one of them")
	}
}

func (m modelSource) read() (*synth.Model, error) {
	if m.Preset != "" {
		got, err := synth.Preset(m.Preset)
		if err != nil {
			return nil, fmt.Errorf("--%w", err)
		}
		return got, nil
	}
	f, err := os.Open(m.Model)
	if err != nil {
		return nil, fmt.Errorf("reading model: %w", err)
	}
	defer f.Close()
	return synth.ReadModel(f, m.Model)
}

// traceSynthesizeCmd draws a new trace.
type traceSynthesizeCmd struct {
	traceInput
	modelSource
	synthesisFlags
	Requests int     `name:"num-requests" aliases:"requests" default:"100000" help:"Rows to draw."`
	Seed     *uint64 `name:"seed" aliases:"random-seed" placeholder:"N" help:"Seed of everything that is drawn. Default: from the system, and printed."`
	Output   string  `name:"output-file" short:"o" type:"path" placeholder:"FILE" help:"The new trace; - is standard output. Default: a name made of the options, beside the trace."`
}

// Help is shown below the options.
func (traceSynthesizeCmd) Help() string {
	return `Examples:

  headway trace synthesize mooncake_trace.jsonl --num-requests 500000 -o new.jsonl --seed 1
  headway trace synthesize mooncake_trace.jsonl --prefix-len-multiplier 2 --speedup-ratio 4
  headway trace synthesize --preset mooncake-conversation --arrivals poisson -o new.jsonl`
}

func (c *traceSynthesizeCmd) run(_ context.Context, a app) (int, error) {
	var bad faultList
	c.traceInput.faults(&bad, true)
	c.modelSource.faults(&bad, c.path())
	c.synthesisFlags.faults(&bad)
	bad.positive("num-requests", float64(c.Requests))
	if c.path() == "" && !c.given() {
		bad.add("nothing to draw from: give a trace, --fit or --preset")
	}
	if err := bad.err(); err != nil {
		return exitUsage, err
	}
	m, err := c.model(a)
	if err != nil {
		return exitUsage, usageError{err}
	}
	seed := seedOf(c.Seed)
	o, err := c.options(c.Requests, seed)
	if err != nil {
		return exitUsage, err
	}
	return exitDone, c.write(a, m, o)
}

func (c *traceSynthesizeCmd) model(a app) (*synth.Model, error) {
	if c.given() {
		return c.modelSource.read()
	}
	t, err := c.traceInput.read(a)
	if err != nil {
		return nil, err
	}
	return synth.Fit(t.Rows, t.BlockSize, synth.Limits{})
}

// write draws the rows into the file and says what to expect of them.
func (c *traceSynthesizeCmd) write(a app, m *synth.Model, o synth.Options) error {
	var n int
	draw := func(w io.Writer) (err error) {
		n, err = synth.Write(w, m.Draw(o))
		return err
	}
	name := c.Output
	if name == "" {
		from := c.path()
		if c.given() {
			from = strings.TrimSuffix(c.Model+c.Preset, ".json") + ".jsonl"
		}
		name = o.FileName(from)
	}
	if name == "-" {
		if err := draw(a.stdout); err != nil {
			return err
		}
	} else if err := report.WriteFile(name, draw); err != nil {
		return err
	}
	a.note("%s in %s, seed %d", howMany(n, "row", "rows"), name, o.Seed)
	f, err := m.Forecast(o)
	if err != nil {
		return fmt.Errorf("forecasting the hit rate: %w", err)
	}
	line := fmt.Sprintf("expected: mean input %.0f tokens", f.MeanInput)
	if m.Prefixes {
		line += fmt.Sprintf("; a cache that never forgets hits %.1f %% of blocks, of infinitely many rows %.1f %% (%.1f %% of tokens)",
			100*f.HitBlocks, 100*f.LimitBlocks, 100*f.LimitTokens)
	}
	a.note("%s", line)
	a.note("not kept: %s", strings.Join(m.Lost(o), "; "))
	return nil
}

// traceFitCmd writes a model.
type traceFitCmd struct {
	traceInput
	Output string `name:"output-file" short:"o" type:"path" default:"-" placeholder:"FILE" help:"The model; - is standard output."`
	Full   bool   `name:"full" help:"Keep everything, however large; otherwise the file stays under 200 KB."`
}

// Help is shown below the options.
func (traceFitCmd) Help() string {
	return `Examples:

  headway trace fit mooncake_trace.jsonl -o model.json
  headway trace synthesize --fit model.json -o new.jsonl`
}

func (c *traceFitCmd) run(_ context.Context, a app) (int, error) {
	var bad faultList
	c.faults(&bad, false)
	if err := bad.err(); err != nil {
		return exitUsage, err
	}
	t, err := c.read(a)
	if err != nil {
		return exitUsage, usageError{err}
	}
	limits := synth.Compact()
	if c.Full {
		limits = synth.Limits{}
	}
	m, err := synth.Fit(t.Rows, t.BlockSize, limits)
	if err != nil {
		return exitUsage, usageError{err}
	}
	text, err := json.Marshal(m)
	if err != nil {
		return exitFailed, fmt.Errorf("writing the model: %w", err)
	}
	put := func(w io.Writer) error { _, err := w.Write(append(text, '\n')); return err }
	if c.Output == "-" {
		return exitDone, put(a.stdout)
	}
	if err := report.WriteFile(c.Output, put); err != nil {
		return exitFailed, err
	}
	a.note("model of %s in %s", howMany(len(t.Rows), "row", "rows"), c.Output)
	return exitDone, c.compare(a, t, m)
}

// compare says what a compact model makes of the sharing in the trace.
func (c *traceFitCmd) compare(a app, t *workload.Trace, m *synth.Model) error {
	if c.Full || !m.Prefixes {
		return nil
	}
	source, err := synth.Analyze(t.Rows, t.BlockSize)
	if err != nil {
		return err
	}
	f, err := m.Forecast(synth.Options{Requests: len(t.Rows), KeepCorrelation: true})
	if err != nil {
		return err
	}
	a.note("a cache that never forgets hits %.1f %% of blocks in the trace and %.1f %% in what the model draws; --full keeps everything",
		100*source.Reuse.HitBlocks, 100*f.HitBlocks)
	return nil
}
