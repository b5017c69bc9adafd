package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headway/internal/audit"
	"headway/internal/profile"
	"headway/internal/study"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// runsBelow are the folders of runs below dir, by their point, and how many
// Records they have together. Each must be a whole measurement.
func runsBelow(t *testing.T, dir string) (runs map[string][]string, records int) {
	t.Helper()
	runs = map[string][]string{}
	found, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range found {
		names := report.FileNames("")
		for _, name := range []string{names.JSON, names.CSV, names.JSONL, names.Console, "schedule.jsonl"} {
			if _, err := os.Stat(filepath.Join(run, name)); err != nil {
				t.Error(err)
			}
		}
		f, err := os.Open(filepath.Join(run, names.Records))
		if err != nil {
			t.Fatal(err)
		}
		in, err := record.NewReader(f, run)
		if err != nil {
			t.Fatal(err)
		}
		for {
			if _, err = in.Next(); err != nil {
				break
			}
			records++
		}
		trailer, whole := in.Trailer()
		prepares := !strings.HasPrefix(filepath.Base(run), "repeat_")
		if err != io.EOF || !whole || (trailer.Audit == nil) != prepares {
			t.Errorf("%s: %v, whole %v, audit %v", run, err, whole, trailer.Audit)
		}
		if (trailer.Servers == nil) != prepares {
			t.Errorf("%s: what the server counted is %v", run, trailer.Servers)
		}
		if h := in.Header(); h.NumGPUs != 1 || h.Tokenizer.Fingerprint == "" || h.TokenCount == "" || h.Ahead == nil {
			t.Errorf("%s: %+v", run, h)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		runs[filepath.Base(filepath.Dir(run))] = append(runs[filepath.Base(filepath.Dir(run))], filepath.Base(run))
	}
	return runs, records
}

// Every point of a live profile has its runs on disk, with a Record for each
// request that the server has answered.
func TestEveryPointHasItsRecords(t *testing.T) {
	t.Parallel()
	sweep := profile.Grid{MaxContext: 900, Granularity: 2, Repeats: 2, MostRepeats: 2, ReplyTokens: 20,
		Key: workload.Seed(8)}
	cfg, truth := simulated(t, true)
	e, log, stop := serve(t, cfg, profile.Facts{KVTokens: truth.capacity / 16})
	e.cfg.Run.Audit = &audit.Options{}
	e.describe()
	surface, err := profile.MeasureDecode(t.Context(), e, sweep)
	// On a busy machine replies come in too few reads to have a pace, and their points
	// make no surface. What lies on disk is the same.
	if err != nil && !strings.Contains(err.Error(), "in too few reads") {
		t.Fatal(err)
	}
	stop()
	runs, records := runsBelow(t, filepath.Join(e.cfg.Dir, "decode_points"))
	// One request asks which fields the server takes, and is of no run.
	if served := bytes.Count(log.Bytes(), []byte("\n")) - 1; records != served || records == 0 {
		t.Errorf("%d records of %d served requests", records, served)
	}
	if err == nil && len(runs) != len(surface.Points) {
		t.Errorf("%d points and the folders %v", len(surface.Points), runs)
	}
	for point, names := range runs {
		// On a busy machine a repeat may be left out, and another made for it.
		want := []string{"fill"}
		for i := range max(2, len(names)-1) {
			want = append(want, fmt.Sprintf("repeat_%d", i+1))
		}
		if slices.Sort(names); !slices.Equal(names, want) {
			t.Errorf("%s has %v", point, names)
		}
	}
	for _, p := range surface.Points {
		if slices.ContainsFunc(p.Warnings, func(w string) bool { return strings.Contains(w, "another seed") }) {
			t.Errorf("prompts that are meant to be in the cache are warned of: %v", p.Warnings)
		}
	}
}

// What an earlier call left of a point stays until a request of this call was
// answered, and is then gone whole; another point's stays unless all is new.
func TestPointsReplaceEarlierOnes(t *testing.T) {
	t.Parallel()
	cfg, _ := simulated(t, true)
	e, _, stop := serve(t, cfg, profile.Facts{})
	old := func(point, run string) string {
		dir := filepath.Join(e.cfg.Dir, "s", point, run)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "records.jsonl.partial")
		if err := os.WriteFile(path, []byte("{}\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	there := func(path string) bool { _, err := os.Stat(path); return err == nil }
	part := profile.Part{Section: "s", Point: "a", Run: "repeat_1"}
	part.Plan = workload.Plan{Requests: 2, Concurrency: 1,
		Source: workload.Synthetic{Key: 1, Requests: 2, ISL: workload.Length{Mean: 30},
			OSL: workload.Length{Mean: 5}}.Source()}
	same, sibling := old("a", "repeat_7"), old("b", "repeat_1")
	nothing := sinkFunc(func(*record.Record) error { return nil })
	for range 2 {
		if _, err := e.Run(t.Context(), part, nothing); err != nil {
			t.Fatal(err)
		}
	}
	if there(same) || !there(sibling) || !there(filepath.Join(e.cfg.Dir, "s", "a", "repeat_1_2", "records.jsonl")) {
		t.Error("the same point was to be replaced, and nothing else")
	}
	part.Anew, part.Point = true, "c"
	if _, err := e.Run(t.Context(), part, nothing); err != nil || there(sibling) {
		t.Errorf("a new section was to replace all of the old one: %v", err)
	}
	stop()
	kept := old("d", "repeat_1")
	part.Anew, part.Point = false, "d"
	if _, err := e.Run(t.Context(), part, nothing); err == nil || !there(kept) {
		t.Errorf("nothing was answered, so that the old records were to stay: %v", err)
	}
	if _, err := e.Run(t.Context(), profile.Part{Plan: part.Plan}, nothing); !errors.Is(err, profile.ErrNotKept) {
		t.Errorf("a run without a name: %v", err)
	}
}

// What cannot be kept ends a profile at once, and is not a failure of points.
func TestUnkeptPointsEndAProfile(t *testing.T) {
	cfg, _ := simulated(t, true)
	e, log, stop := serve(t, cfg, profile.Facts{})
	if err := os.WriteFile(filepath.Join(e.cfg.Dir, "prefill_points"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := profile.MeasurePrefill(t.Context(), e, profile.Grid{MaxContext: 1100, Granularity: 3})
	stop()
	// It is only asked which fields it takes.
	if served := bytes.Count(log.Bytes(), []byte("\n")); !errors.Is(err, profile.ErrNotKept) || served != 1 {
		t.Errorf("%v after %d requests", err, served)
	}
}

// A run that was cut off is in the files of its point.
func TestInterruptedPointIsKept(t *testing.T) {
	t.Parallel()
	cfg, _ := simulated(t, true)
	e, _, _ := serve(t, cfg, profile.Facts{})
	ctx, cancel := context.WithCancelCause(t.Context())
	j, err := profile.OpenJournal(e.cfg.Dir, profile.Prefill, nil, false, false)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	why := errors.New("enough")
	sweep := profile.Grid{MaxContext: 1100, Granularity: 3, Journal: j, Progress: func(s profile.Step) {
		if s.Repeat == 2 {
			cancel(why)
		}
	}}
	if _, err := profile.MeasurePrefill(ctx, e, sweep); !errors.Is(err, why) {
		t.Errorf("%v", err)
	}
	// Nothing of the point is lost to the interrupt, and nothing is left over.
	runs, records := runsBelowLoose(t, filepath.Join(e.cfg.Dir, "prefill_points"))
	if runs < 2 || records < 4 {
		t.Errorf("%d runs with %d records", runs, records)
	}
	if left, err := (study.Recovery{Dir: e.cfg.Dir}).Run(); err != nil || len(left) != 0 {
		t.Errorf("left to recover: %v, %v", left, err)
	}
}

// runsBelowLoose counts runs and their Records.
func runsBelowLoose(t *testing.T, dir string) (runs, records int) {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*", "*", "records.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		records += bytes.Count(data, []byte("\n")) - 2 // beside header and trailer
	}
	return len(found), records
}
