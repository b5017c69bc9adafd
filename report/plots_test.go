package report

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// ours writes a sweep of ours below dir.
func ours(t *testing.T, dir, name string, m made) {
	t.Helper()
	for _, c := range []int{1, 2, 5, 10, 50, 100, 250} {
		m.c, m.n = c, max(3*c, 10)
		if err := m.report(t).WriteFiles(filepath.Join(dir, name, "c"+strconv.Itoa(c)), FileNames("")); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPlotFiles(t *testing.T) {
	dir := t.TempDir()
	ours(t, dir, "agg", made{seed: 3, gpus: 8, sim: true})
	all, warnings, err := Tree(dir, nil)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	out := filepath.Join(dir, "plots")
	written, err := Plot(out, all, PlotOptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"SUMMARY.txt"}
	for _, n := range []string{"avg_inter_token_latency_vs_concurrency", "avg_time_to_first_token_vs_concurrency",
		"efficiency_tok_s_gpu_vs_user", "p50_inter_token_latency_vs_concurrency", "request_throughput_vs_concurrency"} {
		want = append(want, n+".png", n+".svg")
	}
	entries, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) || len(written) != len(want) {
		t.Errorf("files %v, want %v", got, want)
	}
	svg := read(t, filepath.Join(out, "efficiency_tok_s_gpu_vs_user.svg"))
	for _, text := range []string{"SIMULATED", "tok/s/GPU", ">250<"} {
		if !strings.Contains(svg, text) {
			t.Errorf("the efficiency picture lacks %q", text)
		}
	}
	golden(t, "SUMMARY.txt", []byte(read(t, filepath.Join(out, "SUMMARY.txt"))))
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestAiperfPlotsTheSame turns aiperf's tree into one as headway writes it, the
// same figures with our key beside them, and expects the same bytes in every
// picture.
func TestAiperfPlotsTheSame(t *testing.T) {
	dir := t.TempDir()
	root := os.DirFS("testdata/aiperf-tree")
	if err := os.CopyFS(dir, root); err != nil {
		t.Fatal(err)
	}
	files, err := find(dir)
	if err != nil || len(files) != 18 {
		t.Fatal(len(files), err)
	}
	for _, path := range files {
		l, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal([]byte(read(t, path)), &doc); err != nil {
			t.Fatal(err)
		}
		doc["schema_version"], doc["input_config"] = "1.4", map[string]any{}
		doc["headway"] = map[string]any{"format": 1, "version": "0.1.0", "simulated": false, "model": l.Model, "concurrency": l.Concurrency}
		b, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		write(t, string(b), path)
	}
	theirs, _, err := Tree("testdata/aiperf-tree", nil)
	if err != nil {
		t.Fatal(err)
	}
	mine, _, err := Tree(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for out, e := range map[string][]Experiment{a: theirs, b: mine} {
		if _, err := Plot(out, e, PlotOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := os.ReadDir(a)
	if err != nil || len(entries) != 11 {
		t.Fatal(len(entries), err)
	}
	for _, e := range entries {
		if read(t, filepath.Join(a, e.Name())) != read(t, filepath.Join(b, e.Name())) {
			t.Errorf("%s differs", e.Name())
		}
	}
	golden(t, "aiperf-SUMMARY.txt", []byte(read(t, filepath.Join(a, "SUMMARY.txt"))))
}

// point makes a level of runs with one throughput each.
func point(c, gpus int, throughputs ...float64) Point {
	p := Point{Concurrency: c}
	for _, v := range throughputs {
		p.Runs = append(p.Runs, &Loaded{GPUs: gpus, Metrics: map[string]Stats{
			"request_throughput":      {Unit: "requests/sec", Values: map[string]float64{"avg": v}},
			"output_token_throughput": {Unit: "tokens/sec", Values: map[string]float64{"avg": 100 * v}},
			"decode_speed_per_user":   {Unit: "tokens/sec/user", Values: map[string]float64{"avg": 10 * v}},
		}})
	}
	return p
}

// What failed requests reach into and what is only bounded stands so in
// SUMMARY.txt, is never the best, and has no place in a picture.
func TestLatenciesThatAreOpen(t *testing.T) {
	ttft := func(key, value string) *Loaded {
		text := `{"headway":{"format":1,"lead":"whole","whole":{"in_flight":1,"time_to_first_token":{"unit":"ms","` + key + `":` + value + `}}},` +
			`"request_throughput":{"unit":"requests/sec","avg":1}}`
		l, err := Read(strings.NewReader(text), "f")
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	endless, least, plain := ttft("avg", `"Infinity"`), ttft("avg_at_least", "20"), ttft("avg", "40")
	for _, test := range []struct {
		runs []*Loaded
		want string
	}{
		{[]*Loaded{endless}, "∞"}, {[]*Loaded{plain, endless}, "∞"}, {[]*Loaded{least, endless}, "∞"},
		{[]*Loaded{least}, "≥20.0"}, {[]*Loaded{plain, least}, "≥30.0"}, {[]*Loaded{plain}, "40.0"},
	} {
		all := []Experiment{{Name: "e", Points: []Point{{Concurrency: 1, Runs: test.runs}}}}
		if got := all[0].Points[0].latency("time_to_first_token", "avg").cell(); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
		var b strings.Builder
		if err := WriteSummary(&b, all, PlotOptions{}); err != nil {
			t.Fatal(err)
		}
		open := test.want != "40.0"
		if strings.Contains(b.String(), "Lowest time to first token") == open ||
			strings.Contains(b.String(), "∞ reaches into") != (test.want == "∞") {
			t.Errorf("%s:\n%s", test.want, b.String())
		}
		for _, p := range Pictures(all, PlotOptions{}) {
			if err := p.Chart.Validate(); err != nil {
				t.Errorf("%s: %s: %v", test.want, p.Name, err)
			}
		}
	}
}

func picture(t *testing.T, all []Picture, name string) Picture {
	t.Helper()
	i := slices.IndexFunc(all, func(p Picture) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("no picture %s", name)
	}
	return all[i]
}

func TestWhiskersOfRepeats(t *testing.T) {
	e := []Experiment{{Name: "a", Points: []Point{point(1, 4, 1, 2, 3), point(2, 4, 5)}}}
	all := Pictures(e, PlotOptions{})
	c := picture(t, all, "request_throughput_vs_concurrency").Chart
	p := c.Series[0].Points
	// Mean 2, standard deviation 1, t(2) = 4.3027: 2 ± 2.484, and no
	// throughput is below zero.
	if p[0].Y != 2 || p[0].Low != 0 || p[0].High < 4.48 || p[0].High > 4.49 {
		t.Errorf("three runs: %+v", p[0])
	}
	if p[1].Y != 5 || p[1].Low != 0 || p[1].High != 0 {
		t.Errorf("one run: %+v", p[1])
	}
	if !strings.Contains(c.Note, "up to 3 runs") {
		t.Errorf("note %q", c.Note)
	}
	ttft := picture(t, all, "avg_time_to_first_token_vs_concurrency").Chart
	if len(ttft.Series) != 1 || !strings.Contains(ttft.Empty, "streaming") {
		t.Errorf("a run that did not stream: %+v", ttft)
	}
}

func TestEfficiencyUnit(t *testing.T) {
	known := Experiment{Name: "a", Points: []Point{point(1, 4, 2)}}
	unknown := Experiment{Name: "b", Points: []Point{point(1, 0, 2)}}
	for _, c := range []struct {
		name  string
		e     []Experiment
		o     PlotOptions
		label string
		y     float64
	}{
		{"of the file", []Experiment{known}, PlotOptions{}, "tok/s/GPU", 50},
		{"of the option", []Experiment{known, unknown}, PlotOptions{GPUs: 2}, "tok/s/GPU", 100},
		{"one unknown", []Experiment{known, unknown}, PlotOptions{}, "tok/s (GPUs not given)", 200},
	} {
		p := picture(t, Pictures(c.e, c.o), "efficiency_tok_s_gpu_vs_user").Chart
		if p.Y.Label != c.label || p.Series[0].Points[0].Y != c.y || p.Series[0].Points[0].Label != "1" {
			t.Errorf("%s: %q %+v", c.name, p.Y.Label, p.Series[0].Points)
		}
	}
}

func TestTooManyExperiments(t *testing.T) {
	var all []Experiment
	for i := range 13 {
		all = append(all, Experiment{Name: "e" + strconv.Itoa(i), Points: []Point{point(1, 1, 1)}})
	}
	dir := t.TempDir()
	if _, err := Plot(dir, all, PlotOptions{}); err == nil || !strings.Contains(err.Error(), "--benchmark-name") {
		t.Errorf("13 experiments give %v", err)
	}
	for _, p := range Pictures(all[:12], PlotOptions{}) {
		if err := p.Chart.Validate(); err != nil {
			t.Errorf("12 experiments give %v", err)
		}
	}
}

func TestSimulatedNames(t *testing.T) {
	sim := Experiment{Name: "s", Points: []Point{point(1, 1, 1)}}
	sim.Points[0].Runs[0].Simulated = true
	real := Experiment{Name: "r", Points: []Point{point(1, 1, 1)}}
	both := picture(t, Pictures([]Experiment{sim, real}, PlotOptions{}), "request_throughput_vs_concurrency").Chart
	if both.Series[0].Name != "s (simulated)" || both.Series[1].Name != "r" || strings.Contains(both.Note, "SIMULATED") {
		t.Errorf("mixed: %q %q %q", both.Series[0].Name, both.Series[1].Name, both.Note)
	}
	only := picture(t, Pictures([]Experiment{sim}, PlotOptions{}), "request_throughput_vs_concurrency").Chart
	if only.Series[0].Name != "s" || !strings.Contains(only.Note, "SIMULATED") {
		t.Errorf("only: %q %q", only.Series[0].Name, only.Note)
	}
	var b bytes.Buffer
	if err := WriteSummary(&b, []Experiment{sim, real}, PlotOptions{}); err != nil || strings.Count(b.String(), "SIMULATED") != 1 {
		t.Errorf("%v:\n%s", err, b.String())
	}
}
