package picture

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"headway/report"
	"headway/report/internal/fixture"
)

func TestPlotFiles(t *testing.T) {
	dir := t.TempDir()
	ours(t, dir, "agg", fixture.Made{Seed: 3, GPUs: 8, Simulated: true})
	all, warnings, err := report.Tree(dir, nil)
	if err != nil || len(warnings) > 0 {
		t.Fatal(err, warnings)
	}
	out := filepath.Join(dir, "plots")
	written, err := Plot(out, all, Options{})
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
}

// TestAiperfPlotsTheSame turns aiperf's tree into one as headway writes it, the
// same figures with our key beside them, and expects the same bytes in every
// picture.
func TestAiperfPlotsTheSame(t *testing.T) {
	dir := t.TempDir()
	root := os.DirFS("../testdata/aiperf-tree")
	if err := os.CopyFS(dir, root); err != nil {
		t.Fatal(err)
	}
	files := summaries(t, dir)
	if len(files) != 18 {
		t.Fatal(len(files))
	}
	for _, path := range files {
		l, err := report.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		var doc map[string]any
		if err := json.Unmarshal([]byte(read(t, path)), &doc); err != nil {
			t.Fatal(err)
		}
		doc["schema_version"], doc["input_config"] = "1.4", map[string]any{}
		doc["headway"] = map[string]any{"format": 1, "version": "0.1.0", "simulated": false, "model": l.Model,
			"concurrency": l.Concurrency}
		b, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		write(t, path, b)
	}
	theirs, _, err := report.Tree("../testdata/aiperf-tree", nil)
	if err != nil {
		t.Fatal(err)
	}
	mine, _, err := report.Tree(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for out, e := range map[string][]report.Experiment{a: theirs, b: mine} {
		if _, err := Plot(out, e, Options{}); err != nil {
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
	e := []report.Experiment{{Name: "a", Points: []report.Point{point(1, 4, 1, 2, 3), point(2, 4, 5)}}}
	all := OfExperiments(e, Options{})
	c := picture(t, all, "request_throughput_vs_concurrency").chart
	p := c.Series[0].Points
	// Mean 2, standard deviation 1, t(2) = 4.3027: 2 ± 2.484, and no
	// throughput is below zero.
	if p[0].Y != 2 || p[0].Low != 0 || p[0].High < 4.48 || p[0].High > 4.49 {
		t.Errorf("three runs: %+v", p[0])
	}
	if p[1].Y != 5 || p[1].Low != 0 || p[1].High != 0 {
		t.Errorf("one run: %+v", p[1])
	}
	if !strings.Contains(c.Note, "up to 3 runs") ||
		!strings.Contains(c.Note, "No interval, so that another run may differ: 2.") {
		t.Errorf("note %q", c.Note)
	}
	e = append(e, report.Experiment{Name: "b", Points: []report.Point{point(1, 4, 7), point(2, 4, 5)}})
	c = picture(t, OfExperiments(e, Options{}), "request_throughput_vs_concurrency").chart
	if !strings.Contains(c.Note, "may differ: a at 2; b at 1, 2.") {
		t.Errorf("note on two %q", c.Note)
	}
	c = picture(t, OfExperiments(e[1:], Options{}), "request_throughput_vs_concurrency").chart
	if !strings.Contains(c.Note, "No point has an interval") {
		t.Errorf("note without any %q", c.Note)
	}
	ttft := picture(t, all, "avg_time_to_first_token_vs_concurrency").chart
	if len(ttft.Series) != 1 || !strings.Contains(ttft.Empty, "streaming") {
		t.Errorf("a run that did not stream: %+v", ttft)
	}
}

func TestEfficiencyUnit(t *testing.T) {
	known := report.Experiment{Name: "a", Points: []report.Point{point(1, 4, 2)}}
	unknown := report.Experiment{Name: "b", Points: []report.Point{point(1, 0, 2)}}
	for _, c := range []struct {
		name  string
		e     []report.Experiment
		o     Options
		label string
		y     float64
	}{
		{"of the file", []report.Experiment{known}, Options{}, "tok/s/GPU", 50},
		{"of the option", []report.Experiment{known, unknown}, Options{GPUs: 2}, "tok/s/GPU", 100},
		{"one unknown", []report.Experiment{known, unknown}, Options{}, "tok/s (GPUs not given)", 200},
	} {
		p := picture(t, OfExperiments(c.e, c.o), "efficiency_tok_s_gpu_vs_user").chart
		if p.Y.Label != c.label || p.Series[0].Points[0].Y != c.y || p.Series[0].Points[0].Label != "1" {
			t.Errorf("%s: %q %+v", c.name, p.Y.Label, p.Series[0].Points)
		}
	}
}

func TestTooManyExperiments(t *testing.T) {
	var all []report.Experiment
	for i := range 13 {
		all = append(all, report.Experiment{Name: "e" + strconv.Itoa(i), Points: []report.Point{point(1, 1, 1)}})
	}
	dir := t.TempDir()
	if _, err := Plot(dir, all, Options{}); err == nil || !strings.Contains(err.Error(), "benchmark-name") {
		t.Errorf("13 experiments give %v", err)
	}
	for _, p := range OfExperiments(all[:12], Options{}) {
		if err := p.chart.Validate(); err != nil {
			t.Errorf("12 experiments give %v", err)
		}
	}
}

func TestSimulatedNames(t *testing.T) {
	sim := report.Experiment{Name: "s", Points: []report.Point{point(1, 1, 1)}}
	sim.Points[0].Runs[0].Simulated = true
	real := report.Experiment{Name: "r", Points: []report.Point{point(1, 1, 1)}}
	both := picture(t, OfExperiments([]report.Experiment{sim, real}, Options{}),
		"request_throughput_vs_concurrency").chart
	if both.Series[0].Name != "s (simulated)" || both.Series[1].Name != "r" ||
		strings.Contains(both.Note, "SIMULATED") {
		t.Errorf("mixed: %q %q %q", both.Series[0].Name, both.Series[1].Name, both.Note)
	}
	only := picture(t, OfExperiments([]report.Experiment{sim}, Options{}), "request_throughput_vs_concurrency").chart
	if only.Series[0].Name != "s" || !strings.Contains(only.Note, "SIMULATED") {
		t.Errorf("only: %q %q", only.Series[0].Name, only.Note)
	}
}

// spoiled are the statistics and figures that pictures are made of.
var spoiled = []string{"avg", "p50", "request_throughput", "output_token_throughput", "decode_speed_per_user"}

// Values that no axis can show cost no picture, whichever they are.
func TestPlotAbsurdValues(t *testing.T) {
	for _, value := range []float64{1e308, -1e308, 1e-300} {
		dir := t.TempDir()
		ours(t, dir, "agg", fixture.Made{Seed: 3, GPUs: 8, Simulated: true})
		files, err := filepath.Glob(filepath.Join(dir, "agg", "c5", "profile_export_aiperf.json"))
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		var doc map[string]any
		if err := json.Unmarshal([]byte(read(t, files[0])), &doc); err != nil {
			t.Fatal(err)
		}
		var spoil func(any)
		spoil = func(v any) {
			m, _ := v.(map[string]any)
			for name, inner := range m {
				if _, ok := inner.(float64); ok && slices.Contains(spoiled, name) {
					m[name] = value
				}
				spoil(inner)
			}
		}
		spoil(doc)
		b, err := json.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		write(t, files[0], b)
		all, _, err := report.Tree(dir, nil)
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(dir, "plots")
		if written, err := Plot(out, all, Options{}); err != nil || len(written) != 11 {
			t.Fatalf("%g: %d files, %v", value, len(written), err)
		}
		svg := read(t, filepath.Join(out, "request_throughput_vs_concurrency.svg"))
		if want := fmt.Sprintf("no place on the axis: %g", value); !strings.Contains(svg, want) {
			t.Errorf("the picture does not say %q", want)
		}
	}
}
