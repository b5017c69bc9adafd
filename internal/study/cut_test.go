package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"headway/internal/settings"
	"headway/load"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// document is what is looked at of a run's summary.
type document struct {
	ID       string `json:"benchmark_id"`
	Complete bool   `json:"is_complete"`
	Headway  struct {
		Requests struct{ Planned, OK, Dropped, Cancelled int }
	}
}

func summary(t *testing.T, dir string) document {
	t.Helper()
	var d document
	b, err := os.ReadFile(filepath.Join(dir, "profile_export_aiperf.json"))
	if err = errors.Join(err, json.Unmarshal(b, &d)); err != nil {
		t.Fatal(err)
	}
	return d
}

func put(t *testing.T, text string, parts ...string) {
	t.Helper()
	path := filepath.Join(parts...)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func lies(parts ...string) bool {
	_, err := os.Stat(filepath.Join(parts...))
	return err == nil
}

// TestFaultWhileRunning: a run that a fault cut short has a Record of every
// planned request, says that it is not complete, and is measured again.
func TestFaultWhileRunning(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	e := &echo{}
	broken := true
	s := Sweep{Dir: dir, Levels: []int{2}, Settings: settings.Settings{"seed": "a"}}
	s.Measure = func(level, run int, d string) (Measurement, error) {
		m := measurement(e, d, 50, level)
		m.Body = func(r workload.Request) (json.RawMessage, error) {
			if broken && r.Index == 20 {
				return nil, errors.New("no body for it")
			}
			return json.RawMessage("{}"), nil
		}
		return m, nil
	}
	all, err := s.Run(t.Context())
	if err == nil || strings.Count(err.Error(), "no body for it") != 1 || len(all) != 1 {
		t.Fatalf("%d levels, %v", len(all), err)
	}
	if r := all[0].Reports[0]; r.Result.Planned != 50 || r.Result.Dropped != 30 ||
		!strings.Contains(r.Run.Aborted, "no body for it") {
		t.Errorf("%d planned, %d dropped, aborted %q", r.Result.Planned, r.Result.Dropped, r.Run.Aborted)
	}
	if d := summary(t, filepath.Join(dir, "c2")); d.Complete || d.Headway.Requests.Planned != 50 {
		t.Errorf("summary %+v", d)
	}
	again, err := Reread(filepath.Join(dir, "c2", "records.jsonl"), metric.Options{}, report.Redactor{})
	if err != nil || again == nil || again.Run.Aborted == "" || again.Result.Planned != 50 {
		t.Errorf("the records: %+v, %v", again, err)
	}
	broken, s.Resume = false, true
	if all, err = s.Run(t.Context()); err != nil || all[0].Reports[0].Result.OK != 50 ||
		!lies(dir, "c2", "inputs.json") {
		t.Errorf("resumed: %+v, %v", all, err)
	}
}

// full fails like a full disk after some Records.
type full struct {
	next record.Sink
	left int
}

func (f *full) Take(r *record.Record) error {
	if f.left--; f.left < 0 && r.Outcome != record.Dropped {
		return errors.Join(f.next.Take(r), fmt.Errorf("writing: %w", syscall.ENOSPC))
	}
	return f.next.Take(r)
}

func TestSinkFault(t *testing.T) {
	dir := t.TempDir()
	m := measurement(&echo{}, dir, 40, 2)
	m.Count = func(s record.Sink) record.Sink { return &full{counted{s}, 5} }
	rep, err := m.Run(t.Context())
	if !errors.Is(err, syscall.ENOSPC) || rep.Result.Planned != 40 || rep.Run.Aborted == "" {
		t.Fatalf("%v, %+v", err, rep)
	}
	if summary(t, dir).Complete {
		t.Error("the summary says that the run is complete")
	}
}

func TestInterruptedWarmup(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	e := &echo{onStart: func(n int64) {
		if n == 3 {
			cancel()
		}
	}}
	m := measurement(e, t.TempDir(), 25, 4)
	warm := workload.Plan{Source: workload.InPhase(requests(10), workload.Warmup), Concurrency: 1}
	m.Warmup = &warm
	rep, err := m.Run(ctx)
	if err != nil || !rep.Run.Cancelled || rep.Result.Planned != 25 || rep.Result.Dropped != 25 {
		t.Fatalf("%v, %+v", err, rep)
	}
	for _, w := range rep.Warnings() {
		if w.Code == "level_not_reached" {
			t.Errorf("warns beside the point: %s", w.Text)
		}
	}
}

func TestInterruptedPlanning(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dir, e, planned := t.TempDir(), &echo{}, 0
	m := measurement(e, dir, 0, 1)
	m.Plan.Source = func(yield func(workload.Request, error) bool) {
		for r := range requests(1_000_000) {
			if planned++; planned == 100 {
				cancel()
			}
			if !yield(r, nil) {
				return
			}
		}
	}
	rep, err := m.Run(ctx)
	if !errors.Is(err, context.Canceled) || rep != nil || planned != 100 || e.started.Load() != 0 {
		t.Errorf("%v, %+v, %d planned, %d sent", err, rep, planned, e.started.Load())
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestFolderHoldsOneRun: what an earlier measurement left and the new one does
// not write is gone, and what is not ours stays.
func TestFolderHoldsOneRun(t *testing.T) {
	dir := t.TempDir()
	e := &echo{}
	repeat := func(runs int, lines bool) {
		t.Helper()
		r := Repeat{Dir: dir, Runs: runs, Confidence: 0.95, Cooldown: time.Nanosecond}
		r.Measure = func(run int, d string) (Measurement, error) {
			m := measurement(e, d, 3, 1)
			m.Lines, m.Header.Repeat = lines, run
			return m, nil
		}
		if _, err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	put(t, "mine", dir, "notes.txt")
	put(t, "of a killed run", dir, "records.jsonl.partial")
	put(t, "half", dir, ".profile_export.jsonl.tmp-123")
	check := func(want string, not ...string) {
		t.Helper()
		for name := range strings.FieldsSeq(want) {
			if !lies(dir, name) {
				t.Errorf("%s is missing", name)
			}
		}
		for _, name := range not {
			if lies(dir, name) {
				t.Errorf("%s is still there", name)
			}
		}
	}
	repeat(1, true)
	check("notes.txt records.jsonl schedule.jsonl profile_export.jsonl", "records.jsonl.partial",
		".profile_export.jsonl.tmp-123")
	repeat(1, false)
	check("notes.txt records.jsonl", "profile_export.jsonl")
	repeat(3, false)
	check("notes.txt aggregate profile_runs/run_0003/records.jsonl", "records.jsonl", "profile_export_aiperf.json",
		"schedule.jsonl")
	repeat(2, false)
	check("notes.txt aggregate profile_runs/run_0002", "profile_runs/run_0003")
	repeat(1, false)
	check("notes.txt records.jsonl inputs.json", "profile_runs", "aggregate")
}

// TestKilledRunIsKept: while a run goes, its Records are in the partial file
// and the results before it are whole.
func TestKilledRunIsKept(t *testing.T) {
	dir := t.TempDir()
	put(t, "earlier", dir, "schedule.jsonl")
	put(t, "killed", dir, "records.jsonl.partial")
	looked := false
	e := &echo{}
	e.onStart = func(int64) {
		looked = true
		b, err := os.ReadFile(filepath.Join(dir, "schedule.jsonl"))
		if err != nil || string(b) != "earlier" || !lies(dir, "records.jsonl.partial-2") ||
			!lies(dir, "schedule.jsonl.partial") {
			t.Errorf("while the run goes: schedule %q, %v", b, err)
		}
	}
	if _, err := measurement(e, dir, 1, 1).Run(t.Context()); err != nil || !looked {
		t.Fatal(err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.partial*")); len(left) != 0 {
		t.Errorf("left after a complete run: %v", left)
	}
}

func TestInterruptedCooldown(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	r := Repeat{Dir: dir, Runs: 3, Cooldown: time.Hour, Confidence: 0.95}
	r.Measure = func(run int, d string) (Measurement, error) {
		m := measurement(&echo{}, d, 3, 1)
		m.Names = report.FileNames("")
		return m, nil
	}
	r.Watch = func(record.Header, workload.Phase, *load.Generator, *metric.Collector) func() {
		return func() { time.AfterFunc(20*time.Millisecond, cancel) }
	}
	all, err := r.Run(ctx)
	if err != nil || len(all) != 1 {
		t.Fatalf("%d runs, %v", len(all), err)
	}
	warned := false
	for _, w := range all[0].Warnings() {
		warned = warned || w.Code == "runs_missing" && strings.Contains(w.Text, "2 of 3")
	}
	b, err := os.ReadFile(filepath.Join(dir, "aggregate", report.AggregateJSON))
	if !warned || err != nil || !strings.Contains(string(b), `"num_profile_runs": 3`) ||
		!strings.Contains(string(b), "run_0003") {
		t.Errorf("warned %v, %v, aggregate %s", warned, err, b)
	}
}
