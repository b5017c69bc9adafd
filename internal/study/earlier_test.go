package study

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"headway/internal/settings"
	"headway/workload"
)

func always(workload.Request) bool { return true }

// tree is everything in a folder, by path, with what is in it.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// A sweep that is to overwrite another takes nothing away before a request was
// answered, and everything then.
func TestOverwriteNeedsAReply(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	if _, err := twoLevels(&echo{}, dir).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	put(t, "old", dir, "c7/profile_export_aiperf.csv")
	before := tree(t, dir)
	s := twoLevels(&echo{fail: always}, dir)
	s.Overwrite, s.Settings = true, settings.Settings{"seed": "b"}
	if _, err := s.Run(t.Context()); !errors.Is(err, ErrOldStay) {
		t.Errorf("a sweep without a reply: %v", err)
	}
	left := tree(t, dir)
	partial := filepath.Join(dir, "c1", "records.jsonl.partial")
	if left[partial] == "" {
		t.Errorf("what it recorded is not in %s", partial)
	}
	delete(left, partial)
	if len(left) != len(before) {
		t.Errorf("%d files were there, and %d are", len(before), len(left))
	}
	for path, text := range before {
		if left[path] != text {
			t.Errorf("%s has changed", path)
		}
	}
	var mu sync.Mutex
	var seen []bool // whether c7 is there when a request starts
	e := &echo{onStart: func(int64) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, lies(dir, "c7", "profile_export_aiperf.csv"))
	}}
	s.Measure = twoLevels(e, dir).Measure
	if _, err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !seen[0] || seen[len(seen)-1] || lies(dir, "c7") {
		t.Errorf("the old level was there at the starts of requests: %v", seen)
	}
	if text := tree(t, dir)[filepath.Join(dir, "sweep.json")]; !strings.Contains(text, `"seed": "b"`) {
		t.Errorf("its settings are %s", text)
	}
}

// Several runs are replaced by the first good reply of one, whatever their number.
func TestRunsNeedAReply(t *testing.T) {
	for _, n := range []struct{ old, now int }{{1, 1}, {1, 2}, {2, 1}, {3, 2}} {
		dir := t.TempDir()
		run := func(e *echo, runs int) error {
			r := Repeat{Dir: dir, Runs: runs, Confidence: 0.95}
			r.Measure = func(_ int, d string) (Measurement, error) { return measurement(e, d, 3, 1), nil }
			_, err := r.Run(t.Context())
			return err
		}
		if err := run(&echo{}, n.old); err != nil {
			t.Fatal(err)
		}
		before := tree(t, dir)
		if err := run(&echo{fail: always}, n.now); !errors.Is(err, ErrOldStay) {
			t.Errorf("%d runs over %d: %v", n.now, n.old, err)
		}
		left := tree(t, dir)
		for path, text := range before {
			if left[path] != text {
				t.Errorf("%d runs over %d: %s has changed", n.now, n.old, path)
			}
		}
		// The first run fails, the second does not: both are results.
		good := &echo{}
		good.fail = func(workload.Request) bool { return n.now > 1 && good.started.Load() > 3 }
		if err := run(good, n.now); err != nil {
			t.Errorf("%d runs over %d: %v", n.now, n.old, err)
		}
		old := filepath.Join(dir, "profile_runs", "run_0003")
		if lies(old) || n.now == 1 && lies(dir, "profile_runs") ||
			n.now > 1 && !lies(dir, "profile_runs", "run_0002", "records.jsonl") {
			t.Errorf("%d runs over %d leave %v", n.now, n.old, slices.Collect(paths(tree(t, dir))))
		}
	}
}
