package report

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestReadShapes(t *testing.T) {
	const metric = `"request_latency":{"unit":"ms","avg":5.0}`
	for _, c := range []struct {
		name, in    string
		concurrency int
		rate        float64
		model       string
		gpus        int
	}{
		{"0.1", `{` + metric + `,"input_config":{"endpoint":{"model_names":["m"]},"loadgen":{"concurrency":7}}}`, 7, 0,
			"m", 0},
		{"phases", `{` + metric +
			`,"input_config":{"models":{"items":[{"name":"m"}]},"phases":[{"kind":"warmup","concurrency":2},` +
			`{"kind":"profiling","concurrency":9,"rate":2.5}]}}`, 9, 2.5, "m", 0},
		{"phases by name", `{` + metric +
			`,"input_config":{"phases":[{"name":"warmup","concurrency":2},{"name":"profiling","concurrency":9}]}}`, 9,
			0, "", 0},
		{"variation", `{` + metric + `,"run_info":{"variation_values":{"phases.profiling.concurrency":4}}}`, 4, 0, "",
			0},
		{"ours wins", `{` + metric +
			`,"input_config":{"loadgen":{"concurrency":7}},"headway":{"concurrency":3,"num_gpus":8,"model":"ours"}}`, 3,
			0, "ours", 8},
		{"nothing", `{` + metric + `}`, 0, 0, "", 0},
		{"nonsense", `{` + metric +
			`,"input_config":{"loadgen":{"concurrency":-1}},"headway":{"concurrency":1.5,"num_gpus":"8"}}`, 0, 0, "",
			0},
		{"wrong types", `{` + metric + `,"input_config":[],"run_info":3,"headway":"x"}`, 0, 0, "", 0},
	} {
		l, err := Read(strings.NewReader(c.in), "f")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if l.Concurrency != c.concurrency || l.Rate != c.rate || l.Model != c.model || l.GPUs != c.gpus {
			t.Errorf("%s: concurrency %d, rate %g, model %q, %d GPUs", c.name, l.Concurrency, l.Rate, l.Model, l.GPUs)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "cut off"},
		{`{"request_latency":{"unit":"ms",`, "cut off"},
		{"{\n\"a\": ?}", "(line 2)"},
		{`[]`, "not a JSON object"},
		{`{"a":1}`, "no metric in it"},
		{`{"a":1} {}`, "more than one JSON value"},
		{strings.Repeat("[", 1000), "nested too deeply"},
	} {
		if _, err := Read(strings.NewReader(c.in), "some/file"); err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), "some/file") {
			t.Errorf("Read(%.20q) gives %v, want %q and the path", c.in, err, c.want)
		}
	}
}

// TestReadsOwn holds the reader against the writer.
func TestReadsOwn(t *testing.T) {
	r := reportOf(t, made{C: 4, N: 30, Failures: true, Seed: 1, GPUs: 2, Simulated: true})
	l, err := Read(bytes.NewReader(render(t, func(b *bytes.Buffer) error { return r.WriteJSON(b) })), "f")
	if err != nil {
		t.Fatal(err)
	}
	if !l.Headway || !l.Simulated || l.Schema != "1.4" || l.Concurrency != 4 || l.GPUs != 2 ||
		l.Model != "Qwen/Qwen3-0.6B" {
		t.Errorf("%+v", l)
	}
	for _, s := range r.Result.Summaries {
		for _, stat := range []string{"avg", "p50", "p99"} {
			want := within(r.Result, s.Metric.Tag, stat)
			got, known := l.Value(s.Metric.Tag, stat)
			if finite(want.Value) != known || known && got != want.Value {
				t.Errorf("%s %s: %v %v, want %v", s.Metric.Tag, stat, got, known, want.Value)
			}
		}
	}
	if listed, known := l.Metrics["time_to_first_token"].Values["p99"]; !known || listed < 29 {
		t.Errorf("the p99 of answered requests is %v, as aiperf's readers see it", listed)
	}
}

// What leads comes with its intervals, a throughput's too.
func TestReadsIntervals(t *testing.T) {
	r := reportOf(t, made{C: 4, N: 400, Seed: 1, GPUs: 2})
	l, err := Read(bytes.NewReader(render(t, func(b *bytes.Buffer) error { return r.WriteJSON(b) })), "f")
	if err != nil {
		t.Fatal(err)
	}
	v, ends, known, ok := l.Milliseconds("time_to_first_token", "avg")
	s, _ := r.Result.Steady.Summary("time_to_first_token")
	if !ok || !known || v != shown(s.Metric, s.Mean) ||
		ends != [2]float64{shown(s.Metric, s.MeanLow), shown(s.Metric, s.MeanHigh)} {
		t.Errorf("time to first token %v %v %v %v", v, ends, known, ok)
	}
	e := Point{Runs: []*Loaded{l}}.Figure("output_token_throughput", "avg")
	if rate, _ := r.Result.Steady.Rate("output_token_throughput"); e.Value != rate.Value || e.Low != rate.Low ||
		e.High != rate.High || !finite(e.Low) {
		t.Errorf("throughput %+v, want %+v", e, rate)
	}
}

func TestMillisecondsOfOtherUnits(t *testing.T) {
	for unit, want := range map[string]float64{"ms": 5, "s": 5000, "sec": 5000, "us": 0.005, "ns": 5 * 1e-6} {
		l, err := Read(strings.NewReader(fmt.Sprintf(`{"x":{"unit":%q,"avg":5}}`, unit)), "f")
		if err != nil {
			t.Fatal(err)
		}
		if v, _, known, ok := l.Milliseconds("x", "avg"); !ok || known || math.Abs(v-want) > 1e-15*want {
			t.Errorf("%s: %v %v %v", unit, v, known, ok)
		}
	}
	l := &Loaded{Metrics: map[string]Stats{"x": {Unit: "tokens", Values: map[string]float64{"avg": 1}}}}
	if _, _, _, ok := l.Milliseconds("x", "avg"); ok {
		t.Error("tokens are taken for a time")
	}
}

func TestLocate(t *testing.T) {
	for _, c := range []struct {
		path, experiment string
		concurrency      int
	}{
		{"exp/c5", "exp", 5},
		{"exp/concurrency_12", "exp", 12},
		{"exp/concurrency12", "exp", 12},
		{"exp/profile_runs/trial_0001/concurrency_2", "exp", 2},
		{"exp/concurrency_2/profile_runs/run_0003", "exp", 2},
		{"c5", "root", 5},
		{"", "root", 0},
		{"profile_runs/run_0001", "root", 0},
		{"Qwen-openai-chat-concurrency4", "Qwen-openai-chat", 4},
		{"Qwen-openai-chat-concurrency4-request_rate10.0", "Qwen-openai-chat", 4},
		{"exp/sub/c1", "exp/sub", 1},
		{"exp/cache", "exp/cache", 0},
	} {
		at := locate("/data/root", filepath.Join("/data/root", c.path, "profile_export_aiperf.json"))
		if at.experiment != c.experiment || at.concurrency != c.concurrency {
			t.Errorf("%q is %q at %d, want %q at %d", c.path, at.experiment, at.concurrency, c.experiment,
				c.concurrency)
		}
	}
}

func TestTreeOfAiperf(t *testing.T) {
	all, warnings, err := Tree("testdata/aiperf-tree", nil)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	var got []string
	for _, e := range all {
		line := e.Name + ":"
		for _, p := range e.Points {
			line += fmt.Sprintf(" %d×%d", p.Concurrency, len(p.Runs))
		}
		got = append(got, line)
	}
	want := "default-folder: 3×1|old: 1×1 2×1 5×1 10×1|repeats: 1×3 2×3 5×3|sglang-agg: 1×1 2×1 5×1 10×1"
	if s := strings.Join(got, "|"); s != want {
		t.Errorf("\n got %s\nwant %s", s, want)
	}
	picked, _, err := Tree("testdata/aiperf-tree", []string{"repeats", "old", "repeats"})
	if err != nil || len(picked) != 2 || picked[0].Name != "repeats" {
		t.Errorf("%v, %v", picked, err)
	}
	if _, _, err := Tree("testdata/aiperf-tree", []string{"odl"}); err == nil ||
		!strings.Contains(err.Error(), `no experiment named "odl"; there are default-folder, old`) {
		t.Errorf("an unknown name gives %v", err)
	}
}

// write puts a file into a tree.
func write(t *testing.T, text string, parts ...string) {
	t.Helper()
	path := filepath.Join(parts...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestTreeFaults(t *testing.T) {
	const name, good = "profile_export_aiperf.json", `{"request_throughput":{"unit":"requests/sec","avg":2.0}}`
	dir := t.TempDir()
	if _, _, err := Tree(dir, nil); err == nil || !strings.Contains(err.Error(), "no profile_export_aiperf.json") {
		t.Errorf("an empty folder gives %v", err)
	}
	if _, _, err := Tree(filepath.Join(dir, "none"), nil); err == nil ||
		!strings.Contains(err.Error(), "no such folder") {
		t.Errorf("a missing folder gives %v", err)
	}
	write(t, good[:20], dir, "exp", "c2", name)
	if _, w, err := Tree(dir, nil); err == nil || !strings.Contains(err.Error(), "none of 1 files is usable") ||
		len(w) != 1 {
		t.Errorf("nothing readable gives %v, %v", w, err)
	}
	write(t, good, dir, "exp", "c1", name)
	write(t, `{"tool":"another"}`, dir, "exp", "c3", name)
	write(t, good, dir, "exp", "rate", name)
	write(t, good, dir, "exp", "c1", "phases", "profiling", name) // repeats c1
	write(t, good, dir, "plots", "c9", name)
	write(t, good, dir, "exp", "c4", name) // stands beside its repeats
	write(t, good, dir, "exp", "c4", "profile_runs", "run_0001", name)
	write(t, good, dir, "exp", "c4", "profile_runs", "run_0002", name)
	all, warnings, err := Tree(dir, nil)
	if err != nil || len(all) != 1 || len(all[0].Points) != 2 || len(all[0].Points[0].Runs) != 1 ||
		len(all[0].Points[1].Runs) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	if len(warnings) != 3 {
		t.Fatalf("warnings %v", warnings)
	}
	for i, want := range []string{"c2", "c3", "rate"} {
		if !strings.Contains(warnings[i].Text, filepath.Join("exp", want, name)) {
			t.Errorf("warning %d does not name its file: %s", i, warnings[i].Text)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, path := range []string{"testdata/typical.json",
		"testdata/aiperf-tree/old/Qwen_Qwen3-0.6B-openai-chat-concurrency1/profile_export_aiperf.json"} {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"a":{"unit":"ms","avg":1e999},"headway":{"intervals":{"a":{"avg":[1]}}}}`))
	f.Fuzz(func(t *testing.T, in []byte) {
		l, err := Read(bytes.NewReader(in), "fuzz")
		if err != nil {
			return
		}
		e := []Experiment{{Name: "x", Points: []Point{{Concurrency: max(1, l.Concurrency), Runs: []*Loaded{l}}}}}
		if err := WriteSummary(&bytes.Buffer{}, e, 0); err != nil {
			t.Fatal(err)
		}
	})
}

// TestDocument checks that the format's page names every key of ours.
func TestDocument(t *testing.T) {
	page, err := os.ReadFile("../docs/format-aiperf.md")
	if err != nil {
		t.Fatal(err)
	}
	r := reportOf(t, typical)
	r.Run.Aborted, r.Run.Rate = "too many failures", 3
	for _, f := range r.extras() {
		if !strings.Contains(string(page), "`"+f.key+"`") {
			t.Errorf("docs/format-aiperf.md does not name headway.%s", f.key)
		}
	}
}
