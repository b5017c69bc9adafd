package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// cut is a run that was ended before its time.
func cut(t *testing.T, c int, aborted string) *Report {
	r := reportOf(t, made{C: c, N: 5, Seed: 3, GPUs: 8})
	r.Run.Cancelled, r.Run.Aborted = aborted == "", aborted
	return r
}

func TestCutRunsSaySo(t *testing.T) {
	for aborted, want := range map[string]string{"": "cancelled by the user",
		"the disk was full": "the disk was full"} {
		json := string(render(t, func(b *bytes.Buffer) error { return cut(t, 4, aborted).WriteJSON(b) }))
		if !strings.Contains(json, `"is_complete": false`) ||
			!strings.Contains(json, `"incomplete_reason": "`+want+`"`) {
			t.Errorf("aborted %q: the JSON does not say so", aborted)
		}
		l, err := Read(strings.NewReader(json), "x")
		if err != nil || !l.Cut() || l.ID != "bench-c4" {
			t.Errorf("read back: %+v, %v", l, err)
		}
	}
	levels := []Level{{[]*Report{reportOf(t, made{C: 2, N: 10, Seed: 3, GPUs: 8})}}, {[]*Report{cut(t, 5, "")}},
		{[]*Report{cut(t, 10, "the disk was full")}}}
	for _, width := range []int{140, 80} {
		table := string(render(t,
			func(b *bytes.Buffer) error { return WriteLevels(b, levels, ConsoleOptions{Width: width}) }))
		for _, text := range []string{"cancelled", "cut short",
			"Incomplete at concurrency 5: cancelled by the user. Its", "concurrency 10: the disk was full."} {
			if !strings.Contains(strings.ReplaceAll(table, "\n", " "), text) {
				t.Errorf("width %d: the table lacks %q:\n%s", width, text, table)
			}
		}
		for line := range strings.SplitSeq(table, "\n") {
			if textWidth(line) > width {
				t.Errorf("width %d: a line of %d columns: %s", width, textWidth(line), line)
			}
		}
	}
}

func TestCutLevelsInSummary(t *testing.T) {
	dir := t.TempDir()
	put := func(r *Report, parts ...string) {
		if err := r.WriteFiles(filepath.Join(append([]string{dir}, parts...)...), FileNames("")); err != nil {
			t.Fatal(err)
		}
	}
	put(reportOf(t, made{C: 2, N: 10, Seed: 3, GPUs: 8}), "a", "c2")
	put(cut(t, 5, ""), "a", "c5")
	put(reportOf(t, made{C: 2, N: 0, GPUs: 8}), "b", "c2")
	put(reportOf(t, made{C: 2, N: 10, Seed: 4, GPUs: 8}), "c", "c2")
	all, warnings, err := Tree(dir, nil)
	if err != nil || len(all) != 3 || len(warnings) != 1 || warnings[0].Code != "no_data" ||
		!strings.Contains(warnings[0].Text, "experiment b:") {
		t.Fatalf("%d experiments, %v, %v", len(all), warnings, err)
	}
	summary := string(render(t, func(b *bytes.Buffer) error { return WriteSummary(b, all, 0) }))
	for _, text := range []string{"cancelled", "Incomplete at concurrency 5:", "No request was answered."} {
		if !strings.Contains(summary, text) {
			t.Errorf("the summary lacks %q:\n%s", text, summary)
		}
	}
	first, _, _ := strings.Cut(summary, "Experiment: b")
	if strings.Contains(first, "at concurrency 5\n") {
		t.Errorf("a level that was cut is among the best:\n%s", first)
	}
}

func TestPartialFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "r.jsonl")
	names := func() string {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, e := range entries {
			all = append(all, e.Name())
		}
		return strings.Join(all, " ")
	}
	begin := func(text string) *File {
		f, err := CreatePartial(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		return f
	}
	begin("of a killed run").Leave()
	second := begin("second")
	if got := names(); got != "r.jsonl.partial r.jsonl.partial-2" || read(t, path+".partial") != "of a killed run" {
		t.Errorf("files %s", got)
	}
	// What a living process writes is not cleared.
	hidden, err := Create(filepath.Join(dir, "x.json"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, "old", dir, ".x.json.tmp-1")
	if err := ClearTemporary(dir); err != nil || strings.Contains(names(), "tmp-1 ") ||
		!strings.Contains(names(), ".tmp-") {
		t.Errorf("%v, left: %s", err, names())
	}
	hidden.Abort()
	if err := ClearPartial(path); err != nil || names() != "r.jsonl.partial-2" {
		t.Errorf("%v, left: %s", err, names())
	}
	if err := second.Commit(); err != nil || names() != "r.jsonl" || read(t, path) != "second" {
		t.Errorf("%v, left: %s", err, names())
	}
	if f := begin("never"); f != nil {
		f.Abort()
	}
	if names() != "r.jsonl" {
		t.Errorf("an aborted file is left: %s", names())
	}
}
