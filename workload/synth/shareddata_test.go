package synth

import (
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"headway/workload"
)

// shared returns the path of a recorded trace beside the project.
func shared(t testing.TB, name string) string {
	t.Helper()
	path := filepath.FromSlash("../../../shared/data/" + name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("the recorded trace %s is not beside the project (../shared/data): %v", name, err)
	}
	return path
}

func conversation(t testing.TB) []workload.Row {
	t.Helper()
	trace, err := workload.ReadTraceFile(shared(t, "mooncake_conversation_trace.jsonl"), workload.TraceOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return trace.Rows
}

// The facts of ../shared/data/README.md, to its digits; its p99 is a nearest rank
// (85,401), this one numpy.percentile's.
func TestConversationFacts(t *testing.T) {
	a, err := Analyze(conversation(t), 512)
	if err != nil {
		t.Fatal(err)
	}
	times := &a.Arrivals
	for _, c := range []struct{ name, got, want string }{
		{"rows", fmt.Sprint(len(a.Rows)), "12031"},
		{"input", fmt.Sprintf("%.0f %.0f %.0f %.1f %.0f", a.Input.Mean, a.Input.Median, a.Input.P90, a.Input.P99,
			a.Input.Max), "12035 6909 27367 85400.4 126195"},
		{"output", fmt.Sprintf("%.1f %v", a.Output.Mean, a.Output.Max), "342.6 2000"},
		{"rate", fmt.Sprintf("%.2f over %.0f s", times.Rate, times.Span), "3.40 over 3537 s"},
		{"blocks", fmt.Sprint(a.Reuse.Blocks, a.Reuse.Distinct, a.Reuse.Repeated, a.Reuse.Ambiguous),
			"288500 182790 44144 0"},
		{"ideal hits", fmt.Sprintf("%.1f %% of tokens, %.1f %% of blocks", 100*a.Reuse.HitTokens,
			100*a.Reuse.HitBlocks), "37.4 % of tokens, 36.6 % of blocks"},
		{"timestamps", fmt.Sprintf("%d distinct, step %v, up to %d", times.Distinct, times.Step, times.LargestBurst),
			"1180 distinct, step 3000, up to 28"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

func draw(t testing.TB, m *Model, o Options) []workload.Row {
	t.Helper()
	var rows []workload.Row
	for d, err := range m.Draw(o) {
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, d.Row)
	}
	return rows
}

func percent(got, want float64) float64 { return 100 * (got/want - 1) }

// What a synthesised trace must keep of the recorded one.
func TestFidelity(t *testing.T) {
	rows := conversation(t)
	trace, err := Analyze(rows, 512)
	if err != nil {
		t.Fatal(err)
	}
	full, err := Fit(rows, 512, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	compact, err := Fit(rows, 512, Compact())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		model *Model
		keep  bool
	}{{"apart", full, false}, {"correlated", full, true}, {"compact", compact, false},
		{"compact correlated", compact, true}} {
		for seed := range uint64(3) {
			o := Options{Requests: len(rows), Seed: seed, KeepCorrelation: c.keep}
			a, err := Analyze(draw(t, c.model, o), 512)
			if err != nil {
				t.Fatal(err)
			}
			f, err := c.model.Forecast(o)
			if err != nil {
				t.Fatal(err)
			}
			mean, median, p90 := percent(a.Input.Mean, trace.Input.Mean), percent(a.Input.Median, trace.Input.Median),
				percent(a.Input.P90, trace.Input.P90)
			hits := 100 * (a.Reuse.HitBlocks - trace.Reuse.HitBlocks)
			hitTokens := 100 * (a.Reuse.HitTokens - trace.Reuse.HitTokens)
			t.Logf("%s, seed %d: input mean %+.2f %%, sd %+.1f %%, median %+.2f %%, p90 %+.2f %%; output mean %+.2f "+
				"%%; hits %+.2f of blocks, %+.2f of tokens; forecast %.2f (drawn %.2f), limit %.2f, of tokens "+
				"%.2f; mean %.0f", c.name, seed,
				mean, percent(a.Input.SD, trace.Input.SD), median, p90, percent(a.Output.Mean, trace.Output.Mean), hits,
				hitTokens, 100*f.HitBlocks, 100*a.Reuse.HitBlocks, 100*f.LimitBlocks, 100*f.LimitTokens, f.MeanInput)
			if math.Abs(mean) > 1 || math.Abs(hits) > 2 || math.Abs(hitTokens) > 2 {
				t.Errorf("%s, seed %d: mean %+.2f %%, hits %+.2f", c.name, seed, mean, hits)
			}
			if c.keep && (math.Abs(median) > 2 || math.Abs(p90) > 2) {
				t.Errorf("%s, seed %d: median %+.2f %%, p90 %+.2f %%", c.name, seed, median, p90)
			}
		}
	}
}

// What Dynamo's algorithm gives of the same trace: independent draws of every part,
// with the last block of a row that ends in the tree taken to be full.
func TestOriginalAlgorithm(t *testing.T) {
	rows := conversation(t)
	trace, err := Analyze(rows, 512)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Fit(rows, 512, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	lost := 0
	for i, n := range m.nodes {
		lost += n.ends * (512 - n.last)
		if n.ends > 0 {
			m.nodes[i].last = 512
		}
	}
	var means, medians, p90s, sds, hits []float64
	o := Options{Requests: len(rows), Independent: true}
	for o.Seed = range uint64(20) {
		a, err := Analyze(draw(t, m, o), 512)
		if err != nil {
			t.Fatal(err)
		}
		means = append(means, percent(a.Input.Mean, trace.Input.Mean))
		medians = append(medians, percent(a.Input.Median, trace.Input.Median))
		p90s = append(p90s, percent(a.Input.P90, trace.Input.P90))
		sds = append(sds, percent(a.Input.SD, trace.Input.SD))
		hits = append(hits, 100*(a.Reuse.HitBlocks-trace.Reuse.HitBlocks))
	}
	f, err := m.Forecast(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		xs   []float64
	}{{"input mean, %", means}, {"input median, %", medians}, {"input p90, %", p90s}, {"input sd, %", sds},
		{"hits of blocks, points", hits}} {
		mean, sd := meanAndSD(c.xs)
		t.Logf("%s: %+.2f, sd %.2f over 20 seeds", c.name, mean, sd)
	}
	t.Logf("partial blocks of shared ends: %+.3f %% of the mean; hits expected %.2f %%, limit %.2f %%",
		100*float64(lost)/float64(trace.Reuse.Tokens), 100*f.HitBlocks, 100*f.LimitBlocks)
	if _, sd := meanAndSD(means); sd < 0.5 {
		t.Errorf("the means of independent draws vary by %.2f %% only: the dealer would not be needed", sd)
	}
	if got, _ := meanAndSD(hits); math.Abs(got+100*(trace.Reuse.HitBlocks-f.HitBlocks)) > 0.4 {
		t.Errorf("hits %+.2f points, forecast %.2f %%", got, 100*f.HitBlocks)
	}
}

func BenchmarkAnalyze(b *testing.B) {
	path := shared(b, "mooncake_conversation_trace.jsonl")
	for b.Loop() {
		trace, err := workload.ReadTraceFile(path, workload.TraceOptions{})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := Analyze(trace.Rows, 512); err != nil {
			b.Fatal(err)
		}
	}
}

// The whole way: the trace is read, fitted, and 500,000 rows are written to a file.
func BenchmarkSynthesize(b *testing.B) {
	path := shared(b, "mooncake_conversation_trace.jsonl")
	out := filepath.Join(b.TempDir(), "out.jsonl")
	for b.Loop() {
		if err := synthesizeFile(path, out, Options{Requests: 500_000}); err != nil {
			b.Fatal(err)
		}
	}
	if info, err := os.Stat(out); err == nil {
		b.ReportMetric(float64(info.Size())/1e6, "MB")
	}
}

func synthesizeFile(in, out string, o Options) error {
	trace, err := workload.ReadTraceFile(in, workload.TraceOptions{})
	if err != nil {
		return err
	}
	m, err := Fit(trace.Rows, 512, Limits{})
	if err != nil {
		return err
	}
	f, err := os.Create(out)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := Write(f, m.Draw(o)); err != nil {
		return err
	}
	return f.Close()
}

func BenchmarkDraw(b *testing.B) {
	m, err := Preset("mooncake-conversation")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if n, err := Write(io.Discard, m.Draw(Options{Requests: 10_000})); err != nil || n != 10_000 {
			b.Fatal(n, err)
		}
	}
}
