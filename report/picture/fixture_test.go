package picture

import (
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"headway/report"
	"headway/report/internal/fixture"
)

// ours writes a sweep of ours below dir.
func ours(t *testing.T, dir, name string, m fixture.Made) {
	t.Helper()
	for _, c := range []int{1, 2, 5, 10, 50, 100, 250} {
		m.C, m.N = c, max(3*c, 10)
		put(t, reportOf(t, m), dir, name, "c"+strconv.Itoa(c))
	}
}

func reportOf(t *testing.T, m fixture.Made) *report.Report {
	t.Helper()
	run, result := m.Run(t)
	return &report.Report{Run: run, Result: result}
}

func put(t *testing.T, r *report.Report, parts ...string) {
	t.Helper()
	if err := r.WriteFiles(filepath.Join(parts...), report.FileNames("")); err != nil {
		t.Fatal(err)
	}
}

// summaries are the files of figures below dir.
func summaries(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == report.FileNames("").JSON {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
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
func point(c, gpus int, throughputs ...float64) report.Point {
	p := report.Point{Concurrency: c}
	for _, v := range throughputs {
		p.Runs = append(p.Runs, &report.Loaded{GPUs: gpus, Metrics: map[string]report.Stats{
			"request_throughput":      {Unit: "requests/sec", Values: map[string]float64{"avg": v}},
			"output_token_throughput": {Unit: "tokens/sec", Values: map[string]float64{"avg": 100 * v}},
			"decode_speed_per_user":   {Unit: "tokens/sec/user", Values: map[string]float64{"avg": 10 * v}},
		}})
	}
	return p
}
