// Package restate computes, of the requests that headway recorded, the figures that other
// tools would have printed for them: in their names and units, by their definitions. It
// reads Records and makes tables; it sends nothing and decides nothing. A figure that the
// Records do not tell is left out with the reason, never guessed.
//
// The definitions were read in the tools' sources; [Tool.Source] says which version. They
// are a tool's defaults: an option of a tool that changes a figure is not known here.
package restate

import (
	"fmt"
	"strings"

	"headway/record"
	"headway/report"
)

// Tool is a program whose figures can be restated.
type Tool struct {
	// Name is that of --as. Version is what the definitions were read of, Source where in
	// it.
	Name, Version, Source string
	columns               []column
	key                   func(figure, stat string) string
	read                  func(*kept, *record.Record)
	fill                  func(*sheet)
}

// column is a statistic that a tool gives of a distribution: its own name, and avg, std,
// min, max or a percentile (p99) here.
type column struct{ title, stat string }

// Figure is a figure of a tool.
type Figure struct {
	// Name and Unit are the tool's.
	Name string `json:"name"`
	Unit string `json:"unit"`
	// Values are its statistics; a figure that is one number has one of them.
	Values []Value `json:"values,omitempty"`
	// Tag is headway's metric that means the same or nearly so; empty where there is none.
	Tag string `json:"headway_metric,omitempty"`
	// Why says how its definition differs from headway's, a clause each.
	Why []string `json:"differs_by,omitempty"`
	// Unknown says why the Records do not tell it.
	Unknown string `json:"unknown,omitempty"`
}

// Value is one statistic of a figure, in the figure's unit.
type Value struct {
	// Key is the tool's name of it, in its results.
	Key string `json:"key"`
	// Stat is avg, std, min, max or a percentile; empty for a single number.
	Stat  string        `json:"stat,omitempty"`
	Value record.Number `json:"value"`
}

// Result is a run as a tool would have reported it.
type Result struct {
	Tool    *Tool
	Figures []Figure
	// Early is MLPerf's early stopping; nil for the other tools.
	Early []Early
	// Notes are what is true of the whole result, a sentence each.
	Notes []string
}

// Of restates the requests that each hands over, of a run with this report, as the tool
// of a name. The error is that of each, or an unknown name.
func Of(name string, r *report.Report, each func(record.Sink) error) (*Result, error) {
	t, err := Named(name)
	if err != nil {
		return nil, err
	}
	k := newKept()
	if err := each(sink{t, k}); err != nil {
		return nil, fmt.Errorf("restating as %s: %w", name, err)
	}
	s := &sheet{kept: k, tool: t, limits: limitsOf(r)}
	if k.sent > 0 {
		t.fill(s)
	}
	return &Result{Tool: t, Figures: s.figures, Early: s.early, Notes: s.notes(r)}, nil
}

// Named is the tool of a name.
func Named(name string) (*Tool, error) {
	for i := range tools {
		if tools[i].Name == name {
			return &tools[i], nil
		}
	}
	return nil, fmt.Errorf("no tool %q: there are %s", name, strings.Join(Names(), ", "))
}

// Names are those of all tools.
func Names() (all []string) {
	for _, t := range tools {
		all = append(all, t.Name)
	}
	return all
}

var tools = []Tool{aiperf(), vllm(), sglang(), guidellm(), inferencePerf(), genaiPerf(), mlperf()}

// sink hands measured requests to a tool.
type sink struct {
	tool *Tool
	kept *kept
}

// Take passes requests of a warm-up and those that were never sent over, as each of the
// tools does.
func (s sink) Take(r *record.Record) error {
	if r.Warmup || r.Outcome == record.Dropped || !r.Start.Known() {
		return nil
	}
	s.kept.seen(r)
	s.tool.read(s.kept, r)
	return nil
}

// limitsOf are the upper bounds on the 99th percentile that a run has, by tag, in seconds.
func limitsOf(r *report.Report) map[string]float64 {
	limits := map[string]float64{}
	for _, v := range r.Result.Verdicts {
		if o := v.Objective; o.Stat == "p99" && (o.Op == "<" || o.Op == "<=") {
			limits[o.Tag] = o.Bound
		}
	}
	return limits
}

// notes are what the reader of all figures must know.
func (s *sheet) notes(r *report.Report) (all []string) {
	say := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	k := s.kept
	if k.sent == 0 {
		say("no request was measured: there is nothing to restate")
	}
	if r.Run.ServerCount {
		say("this run counted tokens by the server's usage alone: figures that %s makes of its own tokenizer's counts "+
			"are made of those", s.tool.Name)
	}
	if k.sparse > 0 {
		say("%d replies have the times of their first and last chunk alone: sim replay keeps all with --token-arrivals",
			k.sparse)
	}
	if k.whole > 0 {
		say("%d replies did not stream and have neither a first token nor gaps", k.whole)
	}
	if k.merged > 0 {
		say("%d of %d chunks were read together with the one before: %s would have read them at other times",
			k.merged, k.chunks, s.tool.Name)
	}
	return all
}
