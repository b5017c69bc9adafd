package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// ours writes a sweep of ours below dir.
func ours(t *testing.T, dir, name string, m made) {
	t.Helper()
	for _, c := range []int{1, 2, 5, 10, 50, 100, 250} {
		m.C, m.N = c, max(3*c, 10)
		if err := reportOf(t, m).WriteFiles(filepath.Join(dir, name, "c"+strconv.Itoa(c)), FileNames("")); err != nil {
			t.Fatal(err)
		}
	}
}

// A summary is made of our files and of those of aiperf.
func TestSummaries(t *testing.T) {
	dir := t.TempDir()
	ours(t, dir, "agg", made{Seed: 3, GPUs: 8, Simulated: true})
	for name, tree := range map[string]string{"SUMMARY.txt": dir, "aiperf-SUMMARY.txt": "testdata/aiperf-tree"} {
		all, warnings, err := Tree(tree, nil)
		if err != nil || len(warnings) > 0 {
			t.Fatal(err, warnings)
		}
		golden(t, name, render(t, func(b *bytes.Buffer) error { return WriteSummary(b, all, 0) }))
	}
}

// Where only some experiments are simulated, the head of the summary does not say so.
func TestSummaryOfSimulatedAndReal(t *testing.T) {
	sim := Experiment{Name: "s", Points: []Point{point(1, 1, 1)}}
	sim.Points[0].Runs[0].Simulated = true
	real := Experiment{Name: "r", Points: []Point{point(1, 1, 1)}}
	var b bytes.Buffer
	if err := WriteSummary(&b, []Experiment{sim, real}, 0); err != nil || strings.Count(b.String(), "SIMULATED") != 1 {
		t.Errorf("%v:\n%s", err, b.String())
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
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
// SUMMARY.txt, and is never the best.
func TestLatenciesThatAreOpen(t *testing.T) {
	ttft := func(key, value string) *Loaded {
		text := `{"headway":{"format":1,"lead":"whole","whole":{"in_flight":1,"time_to_first_token":{"unit":"ms","` +
			key + `":` + value + `}}},` +
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
		if got := all[0].Points[0].Latency("time_to_first_token", "avg").cell(); got != test.want {
			t.Errorf("%s, want %s", got, test.want)
		}
		var b strings.Builder
		if err := WriteSummary(&b, all, 0); err != nil {
			t.Fatal(err)
		}
		open := test.want != "40.0"
		if strings.Contains(b.String(), "Lowest time to first token") == open ||
			strings.Contains(b.String(), "∞ reaches into") != (test.want == "∞") {
			t.Errorf("%s:\n%s", test.want, b.String())
		}
	}
}
