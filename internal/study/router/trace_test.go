package router

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/options"
	"headway/workload"
)

const threeRows = `{"timestamp": 0, "input_length": 100, "output_length": 20, "hash_ids": [1]}
{"timestamp": 3000, "input_length": 700, "output_length": 300, "hash_ids": [1, 2]}
{"timestamp": 7000, "input_length": 200, "output_length": 90, "hash_ids": [1]}
`

// Bounds of the lengths and a speed-up are done to the rows of the trace; what
// cannot be done to a row draws others.
func TestTracePlaysTheRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.jsonl")
	if err := os.WriteFile(path, []byte(threeRows), 0o644); err != nil {
		t.Fatal(err)
	}
	base := options.Synthesis{Speedup: 1, PrefixLen: 1, PrefixRoots: 1, PromptLen: 1,
		Arrivals: "empirical", Correlated: true}
	for _, c := range []struct {
		name     string
		change   func(*options.Trace)
		lengths  [][2]int // input and output of each row; nil where they are drawn
		recorded bool
		note     string
	}{
		{"as they are", func(*options.Trace) {},
			[][2]int{{100, 20}, {700, 300}, {200, 90}}, true, "3 rows of the trace as they are"},
		{"speed", func(f *options.Trace) { f.Speedup = 3 },
			[][2]int{{100, 20}, {700, 300}, {200, 90}}, true, "as they are"},
		{"max-osl", func(f *options.Trace) { f.MaxOSL = 50 },
			[][2]int{{100, 20}, {700, 50}, {200, 50}}, true, "outputs cut to at most 50"},
		{"min-osl", func(f *options.Trace) { f.MinOSL = 50 },
			[][2]int{{100, 50}, {700, 300}, {200, 90}}, true, "outputs raised to at least 50"},
		{"max-isl", func(f *options.Trace) { f.MaxISL = 500 },
			[][2]int{{100, 20}, {200, 90}}, true, "2 rows of the trace, which has 3: inputs above 500"},
		{"min-isl", func(f *options.Trace) { f.MinISL, f.Requests = 150, 1 },
			[][2]int{{700, 300}}, true, "inputs below 150"},
		{"prefix", func(f *options.Trace) { f.PrefixLen = 2 }, nil, false, "3 rows drawn"},
		{"roots", func(f *options.Trace) { f.PrefixRoots = 2 }, nil, false, "3 rows drawn"},
		{"prompt", func(f *options.Trace) { f.PromptLen = 2 }, nil, false, "3 rows drawn"},
		{"law", func(f *options.Trace) { f.Arrivals = "poisson" }, nil, false, "3 rows drawn"},
		{"apart", func(f *options.Trace) { f.Correlated = false }, nil, false, "3 rows drawn"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := options.Trace{Dataset: path, BlockSize: workload.TraceBlock, Spread: "none", Synthesis: base}
			c.change(&f)
			p, err := read(f, 1, nil)
			if err != nil {
				t.Fatal(err)
			}
			d := p.first
			if text := strings.Join(p.notes, "; "); !strings.Contains(text, c.note) || f.Recorded() != c.recorded {
				t.Errorf("notes %q, recorded %v", text, f.Recorded())
			}
			for i, want := range c.lengths {
				if i >= len(d.Requests) || [2]int{d.Requests[i].Prompt.Tokens, d.Requests[i].OutputTokens} != want {
					t.Errorf("row %d of %d is not %v", i, len(d.Requests), want)
				}
			}
			if c.recorded && len(d.Requests) != len(c.lengths) {
				t.Errorf("%d rows, want %d", len(d.Requests), len(c.lengths))
			}
		})
	}
	f := options.Trace{Dataset: path, BlockSize: workload.TraceBlock, Spread: "none", Requests: 3, Synthesis: base}
	f.MaxISL = 500
	if _, err := read(f, 1, nil); err == nil || !strings.Contains(err.Error(), "has 2") {
		t.Errorf("error %v", err)
	}
}
