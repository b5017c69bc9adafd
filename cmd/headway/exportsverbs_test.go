package main

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headway/internal/cluster"
	"headway/report/llmd"
)

// telling are the options that tell everybody.
func (o *others) telling() []string {
	return []string{"--otel-url", o.URL, "--otel-traces", "--metrics-listen", "127.0.0.1:0", "--export-llmd-report",
		"--upload-url", o.URL + "/bucket/{file}?X-Amz-Signature=very-secret", "--tokenizer", "builtin", "--quiet"}
}

// ok are the answered requests that the collector was told of, by their point.
func (o *others) ok() map[string]int64 {
	all := map[string]int64{}
	for _, p := range o.metrics["headway.requests"].GetSum().GetDataPoints() {
		var names []string
		outcome := ""
		for _, a := range p.Attributes {
			name, ours := strings.CutPrefix(a.Key, "headway.")
			switch {
			case name == "outcome":
				outcome = a.Value.GetStringValue()
			case ours:
				names = append(names, name+" "+a.Value.GetStringValue())
			}
		}
		if outcome == "ok" {
			all[strings.Join(names, ", ")] = p.GetAsInt()
		}
	}
	return all
}

// count is how many files of a name lie below a folder.
func count(t *testing.T, dir, name string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == name {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Whatever loads a live endpoint tells others of each of its points.
func TestExportsOfVerbs(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		args     []string // the folder of results comes last
		points   map[string]int64
		requests int
		runs     int
		object   string
	}{
		"bench": {[]string{"bench", "--benchmark-name", "x", "--concurrencies", "1,2", "--request-count", "4",
			"--warmup-request-count", "0", "--isl", "40", "--osl", "5", "--no-plots", "--output-dir"},
			map[string]int64{"endpoint x, level 1": 4, "endpoint x, level 2": 4}, 8, 2, "x/c2/records.jsonl"},
		"router": {[]string{"router", "prefix-ratio", "--url", "a=URL", "--url", "b=URL", "--model", "m",
			"--isl", "100", "--osl", "4", "--requests", "6", "--concurrency", "2", "--prefix-ratios", "0.5",
			"--num-prefix-prompts", "1", "--output-dir"},
			map[string]int64{"load ratio_0_5, variant a": 6, "load ratio_0_5, variant b": 6}, 12, 2,
			"ratio_0_5/a/records.jsonl"},
		"profile endpoint": {[]string{"profile", "endpoint", "--mode", "prefill", "--url", "URL",
			"--model", "m", "--num-gpus", "1", "--max-context-length", "1200", "--interpolation-granularity", "3",
			"--repeats", "2", "--max-repeats", "2", "--work-dir"},
			map[string]int64{"point isl_100, section prefill_points": 8}, 32, 8,
			"prefill_points/isl_100/repeat_1/records.jsonl"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, o := filepath.Join(t.TempDir(), "out"), newOthers(t, false)
			args := append(slices.Clone(tt.args), dir)
			for i, arg := range args {
				if strings.HasSuffix(arg, "URL") {
					args[i] = strings.Replace(arg, "URL", simulatedServer(t, cluster.ServerConfig{Model: "m"}), 1)
				}
			}
			code, _, errs := runHeadway(append(args, o.telling()...)...)
			if code != 0 || strings.Contains(errs, "warning: sending") || strings.Contains(errs, "very-secret") {
				t.Fatalf("exit %d: %s", code, errs)
			}
			told := o.ok()
			for point, want := range tt.points {
				if told[point] != want {
					t.Errorf("of %s the collector was told %d requests, want %d: %v", point, told[point], want, told)
				}
			}
			if o.roots < tt.requests || count(t, dir, llmd.Name) < tt.runs {
				t.Errorf("%d traces and %d reports of llm-d", o.roots, count(t, dir, llmd.Name))
			}
			if sent := fmt.Sprint(o.objects); !strings.Contains(sent, "/"+tt.object) {
				t.Errorf("object storage has %s", sent)
			}
		})
	}
}

// A report of llm-d that an earlier call was not asked for is made of what it measured.
func TestReportOfKeptLevels(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	args := []string{"bench", "--benchmark-name", "x", "--concurrencies", "1,2", "--request-count", "2",
		"--warmup-request-count", "0", "--isl", "20", "--osl", "3", "--no-plots", "--tokenizer", "builtin", "--quiet",
		"--random-seed", "1", "--endpoint-url", simulatedServer(t, cluster.ServerConfig{Model: "m"}), "--model", "m",
		"--output-dir", dir}
	if code, _, errs := runHeadway(args...); code != 0 || count(t, dir, llmd.Name) != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	o := newOthers(t, false)
	again := append(args, "--resume", "--export-llmd-report", "--otel-url", o.URL)
	if code, _, errs := runHeadway(again...); code != 0 || count(t, dir, llmd.Name) != 2 {
		t.Fatalf("exit %d, %d reports: %s", code, count(t, dir, llmd.Name), errs)
	}
	if len(o.ok()) > 0 {
		t.Errorf("the collector was told of levels that were kept: %v", o.ok())
	}
}
