package trace

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/fault"
	"headway/report"
	"headway/workload"
	"headway/workload/synth"
)

const small = `{"timestamp": 0, "input_length": 1000, "output_length": 50, "hash_ids": [0, 1]}
{"timestamp": 1000, "input_length": 1500, "output_length": 10, "hash_ids": [0, 1, 2]}
{"timestamp": 1000, "input_length": 700, "output_length": 20, "hash_ids": [3, 4]}
{"timestamp": 2500, "input_length": 1400, "output_length": 30, "hash_ids": [5, 6, 7]}
`

// text is the document of an analysis for a terminal.
const text = `small.jsonl: 4 requests

                            mean    std  min  p25  median   p75   p90   p99   max
input length              1150.0  369.7  700  925    1200  1425  1470  1497  1500
context length             506.0  584.4    0    0     500  1006  1017  1023  1024
unique prompt length       644.0  582.4    0  357     588   875  1190  1379  1400
output length               27.5   17.1   10   18      25    35    44    49    50
theoretical hit rate %      16.7   33.3  0.0  0.0     0.0  16.7  46.7  64.7  66.7

10 blocks of 512 tokens, 8 different, 2 in more than one prompt
prefix hits of a cache that never forgets: 22.3 % of tokens, 20.0 % of blocks
arrivals: 4 over 2 s, 1.60 requests/s; 3 distinct timestamps, at most 2 requests on one
`

// put writes a file and gives its path.
func put(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func rows(t *testing.T, content string) *workload.Trace {
	t.Helper()
	got, err := synth.ReadRows(put(t, "small.jsonl", content), workload.TraceOptions{BlockSize: 512})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func analyzed(t *testing.T, content string) *synth.Analysis {
	t.Helper()
	a, err := synth.Analyze(rows(t, content).Rows, 512)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// Every renderer has the same figures.
func TestDocument(t *testing.T) {
	d := Document("small.jsonl", analyzed(t, small), nil)
	var terminal, markdown strings.Builder
	if err := d.Write(&terminal, report.ConsoleOptions{Width: 100}); err != nil {
		t.Fatal(err)
	}
	if terminal.String() != text {
		t.Errorf("%s\nwant\n%s", terminal.String(), text)
	}
	if err := d.Write(&markdown, report.ConsoleOptions{Markdown: true}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(markdown.String(), "| input length | 1150.0 | 369.7 |") {
		t.Error(markdown.String())
	}
}

// What a trace does not have is said, and null in JSON.
func TestDocumentOfLittle(t *testing.T) {
	a := analyzed(t, `{"input_length": 7, "output_length": 1}`+"\n")
	var b strings.Builder
	if err := Document("x", a, nil).Write(&b, report.ConsoleOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"x: 1 request\n", "no block ids", "no timestamps",
		"theoretical hit rate %       –    –"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
	js, err := json.Marshal(AnalysisOf(a, nil))
	if err != nil || !strings.Contains(string(js), `"theoretical_hit_rate":{"count":0,"mean":null`) {
		t.Errorf("%s, %v", js, err)
	}
}

// Standard output and a file get the same bytes, and what is said names the file.
func TestDraw(t *testing.T) {
	m, err := synth.Fit(rows(t, small).Rows, 512, synth.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	o := synth.Options{Requests: 6, Seed: 7, KeepCorrelation: true}
	var out strings.Builder
	if _, err := Draw(m, o, Stdout, &out); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "new.jsonl")
	d, err := Draw(m, o, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != out.String() || d.Rows != 6 {
		t.Errorf("%d rows: %s\nwant\n%s", d.Rows, got, out.String())
	}
	lines := strings.Join(d.Lines(), "\n")
	for _, want := range []string{"6 rows in " + path + ", seed 7", "expected: mean input ", "% of blocks",
		"not kept: session ids"} {
		if !strings.Contains(lines, want) {
			t.Errorf("%q is not in\n%s", want, lines)
		}
	}
}

// A compact model says what it makes of the sharing; of a full one that is found out
// only when it is asked for.
func TestFit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.json")
	for _, c := range []struct {
		how   Fitting
		known bool
		lines int
	}{{Fitting{}, true, 2}, {Fitting{Full: true}, false, 1}, {Fitting{Full: true, Compare: true}, true, 1}} {
		f, err := Fit(rows(t, small), c.how, path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if f.HitsInTrace.Known() != c.known || c.known && f.HitsInTrace != 0.2 || len(f.Lines()) != c.lines {
			t.Errorf("%+v: %+v, %q", c.how, f, f.Lines())
		}
		if _, err := synth.ReadModelFile(path); err != nil {
			t.Error(err)
		}
	}
	if _, err := Fit(&workload.Trace{BlockSize: 512}, Fitting{}, path, nil); !errors.As(err, new(fault.UsageError)) {
		t.Errorf("no rows: %v", err)
	}
}

// A file that cannot be read leaves none; what was skipped is said.
func TestConvert(t *testing.T) {
	const azure = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,4808,10\nx,y,z\n2023-11-16 " +
		"18:17:04.0319600,3180,8\n"
	from := put(t, "azure.csv", azure)
	path := filepath.Join(t.TempDir(), "new.jsonl")
	if _, err := Convert(workload.Conversion{}, from, path, nil); err == nil {
		t.Error("a faulty line was taken")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file is there")
	}
	c, err := Convert(workload.Conversion{Read: workload.ReadOptions{Lenient: true}}, from, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Join(c.Lines(), "\n")
	for _, want := range []string{"warning: 1 line was skipped, the first for this: ", "2 requests from " + from +
		" (azure) in " + path} {
		if !strings.Contains(lines, want) {
			t.Errorf("%q is not in\n%s", want, lines)
		}
	}
}

func TestWritePictures(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		content string
		n       int
	}{{small, 3}, {`{"input_length": 7, "output_length": 1}` + "\n", 1}} {
		n, err := WritePictures(dir, "x", analyzed(t, c.content))
		if err != nil || n != c.n {
			t.Errorf("%d pictures, want %d: %v", n, c.n, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "prefix_reuse.svg")); err != nil {
		t.Error(err)
	}
}

// Tiers are shown with what each adds, in text and JSON alike.
func TestTiersOfATrace(t *testing.T) {
	a := analyzed(t, small)
	tiers := []synth.Tier{{Name: "gpu", Blocks: 1}, {Name: "host", Blocks: 4}}
	var b strings.Builder
	if err := Document("x", a, tiers).Write(&b, report.ConsoleOptions{Width: 100}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"gpu       1      1   10.0     10.0", "host       4      4   10.0     10.0"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
	if got := AnalysisOf(a, tiers).Tiers; len(got) != 2 || got[1].Reach != 4 || got[1].HitBlocks != 0.1 {
		t.Errorf("%+v", got)
	}
}
