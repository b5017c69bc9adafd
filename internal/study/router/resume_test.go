package router

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"

	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/settings"
	"headway/internal/study"
	"headway/workload"
)

// call is a call of a benchmark on the simulated cluster, as options describe it.
type call struct {
	options.Comparison
	options.Trace
	options.Tiers
}

const twoTalks = `{"session_id": "a", "input_length": 640, "output_length": 129}
{"session_id": "a", "input_length": 31, "output_length": 5}
{"session_id": "b", "input_length": 640, "output_length": 129}
{"session_id": "b", "input_length": 31, "output_length": 5}
`

// calls are benchmarks that go every way through a study: repeats, tiers, and
// conversations whose replies are counted over all runs.
var calls = map[string]func(t *testing.T, c *call, seed uint64) (Benchmark, error){
	"prefix-ratio": func(_ *testing.T, c *call, _ uint64) (Benchmark, error) {
		o := options.PrefixRatio{Ratios: options.Floats{0.2, 0.8}, ISL: 600, OSL: 5,
			Requests: 6, Concurrency: 2, Prefixes: 2}
		return PrefixRatio(o, 1), nil
	},
	"priority": func(_ *testing.T, c *call, seed uint64) (Benchmark, error) {
		c.Comparison.Modes, c.Trace.Preset = []string{"kv"}, "mooncake-conversation"
		c.Trace.Requests, c.Synthesis.Speedup = 12, 50
		return Priority(c.Trace, c.Tiers, seed, nil)
	},
	"sessions": func(t *testing.T, _ *call, _ uint64) (Benchmark, error) {
		path := filepath.Join(t.TempDir(), "talks.jsonl")
		if err := os.WriteFile(path, []byte(twoTalks), 0o644); err != nil {
			t.Fatal(err)
		}
		return Sessions(options.Conversations{Dataset: path, Concurrency: 1, BlockSize: 512}, 1)
	},
}

// newStudy is a call of a benchmark into a folder. Every plan is made through the
// hook.
func newStudy(t *testing.T, name, dir string, hook func(), args ...string) *Study {
	t.Helper()
	var c call
	parser, err := kong.New(&c)
	if err == nil {
		_, err = parser.Parse(append([]string{"--workers=2", "--repeats=2", "--output-dir=" + dir}, args...))
	}
	if err != nil {
		t.Fatal(err)
	}
	const seed = 7
	b, err := calls[name](t, &c, seed)
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range b.Loads {
		b.Loads[i].Plan = func(key workload.Key, repeat int) (workload.Plan, error) {
			hook()
			return l.Plan(key, repeat)
		}
	}
	var bad fault.List
	variants := Variants(&c.Comparison, options.Caller{}, &bad, 1)
	if b.Tiers != nil {
		variants = Pairs(variants)
	}
	if err := bad.Err(); err != nil {
		t.Fatal(err)
	}
	return &Study{Benchmark: b, Options: &c.Comparison, Variants: variants, Seed: seed,
		settings: settings.Settings{"isl": "3", "seed": "7"}}
}

// tree are the files below a folder, by path.
func tree(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err == nil {
			all[rel], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// whole are the records of the runs in a folder that came to their end.
func whole(t *testing.T, dir string) map[string]os.FileInfo {
	t.Helper()
	all := map[string]os.FileInfo{}
	for name, content := range tree(t, dir) {
		if filepath.Base(name) == "records.jsonl" && bytes.Contains(content, []byte(`"cancelled":false`)) {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			all[name] = info
		}
	}
	return all
}

// After an interrupt in a run the same call with resume gives the bytes of one
// that was not interrupted, and makes no run again that had ended.
func TestResumeGivesTheSame(t *testing.T) {
	for name := range calls {
		t.Run(name, func(t *testing.T) {
			once := t.TempDir()
			runs := 0
			if _, err := newStudy(t, name, once, func() { runs++ }).Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := tree(t, once)
			for _, n := range []int{2, runs} {
				dir := t.TempDir()
				interrupt(t, name, dir, n)
				before := whole(t, dir)
				if len(before) != n-1 {
					t.Fatalf("interrupted in run %d: %d runs are whole", n, len(before))
				}
				resumed := newStudy(t, name, dir, func() {}, "--resume")
				if _, err := resumed.Run(t.Context()); err != nil {
					t.Fatal(err)
				}
				same(t, want, tree(t, dir))
				after := whole(t, dir)
				for path, info := range before {
					if !os.SameFile(info, after[path]) {
						t.Errorf("interrupted in run %d: %s was made again", n, path)
					}
				}
			}
		})
	}
}

// interrupt ends a call in its n-th run.
func interrupt(t *testing.T, name, dir string, n int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	made := 0
	s := newStudy(t, name, dir, func() {
		if made++; made == n {
			cancel()
		}
	})
	if _, err := s.Run(ctx); err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
}

func same(t *testing.T, want, got map[string][]byte) {
	t.Helper()
	names := slices.Sorted(maps.Keys(want))
	if also := slices.Sorted(maps.Keys(got)); !slices.Equal(names, also) {
		t.Errorf("files %v, want %v", also, names)
	}
	for _, name := range names {
		if !bytes.Equal(want[name], got[name]) {
			t.Errorf("%s differs", name)
		}
	}
}

// What would lose or mix results is refused before anything is measured.
func TestFolderOfAnotherCall(t *testing.T) {
	dir := t.TempDir()
	if _, err := newStudy(t, "prefix-ratio", dir, func() {}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := tree(t, dir)
	for _, c := range []struct {
		args   []string
		spoil  func(s *Study)
		cause  error
		saying string
	}{
		{nil, func(*Study) {}, study.ErrHasResults, "resume goes on with them"},
		{[]string{"--resume"}, func(s *Study) { s.settings["isl"] = "4" }, settings.ErrChanged, "--isl was 3 and is 4"},
	} {
		runs := 0
		s := newStudy(t, "prefix-ratio", dir, func() { runs++ }, c.args...)
		c.spoil(s)
		_, err := s.Run(t.Context())
		if !errors.Is(err, c.cause) || !Refused(err) || !strings.Contains(err.Error(), c.saying) || runs != 0 {
			t.Errorf("%v: %v after %d runs", c.args, err, runs)
		}
		same(t, before, tree(t, dir))
	}
	if err := os.Remove(filepath.Join(dir, "prefix-ratio", "settings.json")); err != nil {
		t.Fatal(err)
	}
	_, err := newStudy(t, "prefix-ratio", dir, func() {}, "--resume").Run(t.Context())
	if !errors.Is(err, study.ErrHasResults) || !strings.Contains(err.Error(), "with which settings is not known") {
		t.Errorf("a folder of a version without settings: %v", err)
	}
}

// A run that an earlier call made of another load, whose id says so, is not kept.
func TestResumeAddsRuns(t *testing.T) {
	dir := t.TempDir()
	if _, err := newStudy(t, "prefix-ratio", dir, func() {}, "--router-modes=kv").Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	before := whole(t, dir)
	more := newStudy(t, "prefix-ratio", dir, func() {}, "--resume", "--router-modes=kv,random", "--repeats=3")
	got, err := more.Run(t.Context())
	if err != nil || len(got.Cases) != 2 || len(got.Cases[0].Arms) != 2 || len(got.Cases[0].Arms[1].Runs()) != 3 {
		t.Fatalf("%+v, %v", got, err)
	}
	after := whole(t, dir)
	for path, info := range before {
		if !os.SameFile(info, after[path]) {
			t.Errorf("%s was made again", path)
		}
	}
	if len(before) != 4 || len(after) != 12 {
		t.Errorf("%d runs, then %d", len(before), len(after))
	}
	over := newStudy(t, "prefix-ratio", dir, func() {}, "--overwrite", "--router-modes=random")
	if _, err := over.Run(t.Context()); err != nil || len(whole(t, dir)) != 4 {
		t.Errorf("overwritten: %d runs, %v", len(whole(t, dir)), err)
	}
}
