package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"headway/internal/chart"
	"headway/report"
	"headway/workload"
	"headway/workload/synth"
)

// traceCmd is what can be done with a trace without sending it.
type traceCmd struct {
	Analyze    traceAnalyzeCmd    `cmd:"" help:"Say what a trace is: lengths, shared prefixes, arrivals."`
	Synthesize traceSynthesizeCmd `cmd:"" help:"Draw a new trace that resembles one, or a preset."`
	Fit        traceFitCmd        `cmd:"" help:"Keep of a trace what synthesize needs, as a small file of numbers."`
	Convert    traceConvertCmd    `cmd:"" help:"Make a Mooncake trace of a file of another format."`
}

// traceInput is a trace that is read as rows: lengths, times and block ids.
type traceInput struct {
	File      string `arg:"" optional:"" type:"path" help:"The trace: Mooncake JSONL, Azure or BurstGPT CSV."`
	Input     string `name:"input-file" aliases:"input-dataset" type:"path" placeholder:"FILE" help:"The trace, as an option."`
	BlockSize int    `name:"block-size" default:"512" help:"Tokens that an id of hash_ids stands for."`
	Lenient   bool   `name:"lenient" help:"Skip unreadable lines and count them, instead of stopping."`
}

func (t traceInput) path() string {
	if t.File != "" {
		return t.File
	}
	return t.Input
}

// faults are those of the input; optional says that it may be missing.
func (t traceInput) faults(bad *faultList, optional bool) {
	if t.File != "" && t.Input != "" {
		bad.add("%s and --input-file %s: give one trace", t.File, t.Input)
	}
	if t.path() == "" && !optional {
		bad.add("no trace: give a file")
	}
	bad.between("block-size", float64(t.BlockSize), 1, workload.MaxTokens)
}

// read reads the rows. Files of lengths without block ids become rows, too.
func (t traceInput) read(a app) (*workload.Trace, error) {
	path := t.path()
	format, err := workload.Detect(path)
	if err != nil {
		return nil, err
	}
	if format == workload.Mooncake {
		got, err := workload.ReadTraceFile(path, workload.TraceOptions{BlockSize: t.BlockSize, Lenient: t.Lenient})
		if err != nil {
			return nil, err
		}
		a.noteSkipped(got.Skipped, got.FirstSkip)
		return got, nil
	}
	d, err := workload.ReadFile(path, workload.ReadOptions{Format: format, Lenient: t.Lenient})
	if err != nil {
		return nil, err
	}
	a.noteSkipped(d.Skipped, d.FirstSkip)
	rows, err := synth.Rows(d.Requests)
	if err != nil {
		return nil, fmt.Errorf("%s (%s): %w", path, d.Format, err)
	}
	return &workload.Trace{Name: path, BlockSize: t.BlockSize, Rows: rows}, nil
}

func (a app) noteSkipped(n int, first error) {
	if n > 0 {
		a.note("warning: %s skipped, the first for this: %v", howMany(n, "line was", "lines were"), first)
	}
}

// traceAnalyzeCmd describes a trace.
type traceAnalyzeCmd struct {
	traceInput
	JSON  bool   `name:"json" help:"Print the result as JSON."`
	Plots string `name:"plots" type:"path" placeholder:"DIR" help:"Draw arrivals, lengths and reuse over cache size into this folder."`
}

// Help is shown below the options.
func (traceAnalyzeCmd) Help() string {
	return `Examples:

  headway trace analyze mooncake_trace.jsonl
  headway trace analyze mooncake_trace.jsonl --json
  headway trace analyze trace.csv --plots pictures`
}

func (c *traceAnalyzeCmd) run(_ context.Context, a app) (int, error) {
	var bad faultList
	c.faults(&bad, false)
	if err := bad.err(); err != nil {
		return exitUsage, err
	}
	t, err := c.read(a)
	if err != nil {
		return exitUsage, usageError{err}
	}
	got, err := synth.Analyze(t.Rows, t.BlockSize)
	if err != nil {
		return exitUsage, usageError{err}
	}
	if c.JSON {
		err = printJSON(a.stdout, analysisDocument(got))
	} else {
		_, err = io.WriteString(a.stdout, analysisText(filepath.Base(t.Name), got))
	}
	if err != nil {
		return exitFailed, err
	}
	if c.Plots == "" {
		return exitDone, nil
	}
	return exitDone, c.plot(a, filepath.Base(t.Name), got)
}

func (c *traceAnalyzeCmd) plot(a app, name string, got *synth.Analysis) error {
	pictures := []picture{{"lengths", got.LengthsChart("Lengths in " + name)}}
	if got.Arrivals.Count > 1 {
		pictures = append(pictures, picture{"arrivals", got.ArrivalsChart("Arrivals in " + name)})
	}
	if got.Reuse.Blocks > 0 {
		pictures = append(pictures, picture{"prefix_reuse", got.ReuseChart("Prefix reuse in " + name)})
	}
	for _, p := range pictures {
		if err := p.write(c.Plots); err != nil {
			return err
		}
	}
	a.note("%s in %s, as PNG and SVG", howMany(len(pictures), "picture", "pictures"), c.Plots)
	return nil
}

// picture is a chart and the name of its files.
type picture struct {
	name  string
	chart chart.Chart
}

// write draws the picture as .png and .svg into a folder.
func (p picture) write(dir string) error {
	if err := report.WriteFile(filepath.Join(dir, p.name+".png"), p.chart.WritePNG); err != nil {
		return err
	}
	return report.WriteFile(filepath.Join(dir, p.name+".svg"), p.chart.WriteSVG)
}

// analysisText is the table of a trace. Shares are shown in percent, lengths
// in tokens.
func analysisText(name string, a *synth.Analysis) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\n", name, howMany(len(a.Rows), "request", "requests"))
	fmt.Fprintf(&b, "%-22s%10s%10s%9s%9s%9s%9s%9s%9s%9s\n", "", "mean", "std", "min", "p25", "median", "p75", "p90", "p99", "max")
	for _, r := range []struct {
		name  string
		s     synth.Summary
		scale float64
	}{{"input length", a.Input, 1}, {"context length", a.Context, 1}, {"unique prompt length", a.Unique, 1},
		{"output length", a.Output, 1}, {"theoretical hit rate %", a.HitRate, 100}} {
		fmt.Fprintf(&b, "%-22s", r.name)
		for i, v := range []float64{r.s.Mean, r.s.SD, r.s.Min, r.s.P25, r.s.Median, r.s.P75, r.s.P90, r.s.P99, r.s.Max} {
			width, digits := 9, 0
			if i < 2 {
				width, digits = 10, 1
			}
			if r.scale > 1 {
				digits = 1
			}
			fmt.Fprintf(&b, "%*s", width, number(v*r.scale, digits))
		}
		b.WriteByte('\n')
	}
	b.WriteByte('\n')
	b.WriteString(reuseText(a))
	b.WriteString(arrivalText(a.Arrivals))
	return b.String()
}

// number is a figure with so many digits after the point, – where it is not
// known.
func number(x float64, digits int) string {
	if math.IsNaN(x) {
		return "–"
	}
	return strconv.FormatFloat(x, 'f', digits, 64)
}

// howMany is a number and the word for what it counts.
func howMany(n int, one, several string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + several
}

// smallestCache is the size (blocks) from which the text tells of LRU caches.
const smallestCache = 1000

func reuseText(a *synth.Analysis) string {
	r := &a.Reuse
	if r.Blocks == 0 {
		return "The trace has no block ids: nothing is known of shared prefixes.\n"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %d tokens, %d different, %d in more than one prompt\n", howMany(r.Blocks, "block", "blocks"), a.BlockSize, r.Distinct, r.Repeated)
	fmt.Fprintf(&b, "prefix hits of a cache that never forgets: %.1f %% of tokens, %.1f %% of blocks\n", 100*r.HitTokens, 100*r.HitBlocks)
	if sizes := r.Sizes(); sizes[len(sizes)-1] >= smallestCache {
		b.WriteString("of one LRU cache (blocks: tokens hit):")
		for _, n := range sizes {
			if n < smallestCache {
				continue
			}
			_, tokens := r.At(n)
			fmt.Fprintf(&b, " %d: %.1f %%", n, 100*tokens)
		}
		b.WriteByte('\n')
	}
	if r.Ambiguous > 0 {
		fmt.Fprintf(&b, "warning: %d ids stand after different prefixes; the format says that an id names all blocks before it\n", r.Ambiguous)
	}
	return b.String()
}

func arrivalText(f synth.ArrivalFacts) string {
	if f.Count == 0 {
		return "The trace has no timestamps.\n"
	}
	var b strings.Builder
	if f.Span == 0 {
		fmt.Fprintf(&b, "arrivals: %d at one time, so there is no rate", f.Count)
	} else {
		fmt.Fprintf(&b, "arrivals: %d over %.0f s, %.2f requests/s; %d distinct timestamps, at most %s on one",
			f.Count, f.Span, f.Rate, f.Distinct, howMany(f.LargestBurst, "request", "requests"))
	}
	if f.Window > 0 {
		fmt.Fprintf(&b, "; variance over mean of the counts in %.0f s: %.1f (Poisson 1)", f.Window, f.VarianceOverMean)
	}
	b.WriteByte('\n')
	if f.Step > 0 {
		fmt.Fprintf(&b, "warning: timestamps look rounded to about %.0f ms; replayed literally, requests come in bursts so far apart (--spread-timestamps)\n", f.Step)
	}
	return b.String()
}
