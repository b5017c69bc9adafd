package study

import (
	"errors"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headway/internal/filelock"
	"headway/record"
	"headway/report"
	"headway/workload"
)

func paths(files map[string]string) iter.Seq[string] { return maps.Keys(files) }

// leave writes what a killed run leaves: n Records of the 8 that were planned.
func leave(t *testing.T, dir, number string, began time.Time, n int) {
	t.Helper()
	var text, planned strings.Builder
	w, err := record.NewWriter(&text,
		record.Header{ID: "killed" + number, Model: "m", Concurrency: 2, Streaming: true, Origin: began,
			Arrivals: "concurrency_burst",
			Config: []byte(`{"goodput":["request_latency:1"],"objective":["ttft p50 < 1s"],` +
				`"export-level":"records"}`)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		at := record.Time(1e9 * (i + 1))
		r := &record.Record{Index: i, Session: "s", Planned: at, Start: at + 1, Done: at + 5e8, Streamed: true,
			Outcome: record.OK, TokensIn: 1, TokensOut: 1,
			Arrivals: []record.Arrival{{At: at + 1e8, Kind: record.Content, Bytes: 4}}}
		if err := w.Take(r); err != nil {
			t.Fatal(err)
		}
	}
	w.Leave()
	if _, err := workload.WriteSchedule(&planned, requests(8)); err != nil {
		t.Fatal(err)
	}
	put(t, text.String()+`{"index":7,"ses`, dir, "records.jsonl.partial"+number)
	put(t, planned.String(), dir, "schedule.jsonl.partial"+number)
	put(t, "half", dir, ".inputs.json.tmp-1")
}

func TestRecover(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "c2")
	leave(t, dir, "", time.Unix(100, 0), 2)
	leave(t, dir, "-2", time.Unix(200, 0), 5)
	all, err := Recovery{Dir: filepath.Dir(dir)}.Run()
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	r := all[0]
	if r.Records != 5 || r.Planned != 8 || r.Report.Result.OK != 5 || r.Report.Complete() ||
		len(r.Report.Result.Verdicts) != 1 {
		t.Errorf("%d of %d: %+v", r.Records, r.Planned, r.Report.Result)
	}
	for _, want := range []string{"3 of 8 planned requests have no record", "a line of the records could not be read",
		"client was good enough"} {
		if !strings.Contains(strings.Join(r.Missing, "\n"), want) {
			t.Errorf("%q is not among %q", want, r.Missing)
		}
	}
	l, err := report.Load(filepath.Join(dir, "profile_export_aiperf.json"))
	if err != nil || !l.Cut() || l.ID != "killed-2" || len(l.Warnings) == 0 || l.Warnings[0].Code != "recovered" {
		t.Errorf("the summary: %+v, %v", l, err)
	}
	if again, err := Reread(filepath.Join(dir, "records.jsonl"), measurement(&echo{}, dir, 8, 2).Metrics,
		report.Redactor{}); err != nil || again == nil || again.Run.Begin != 1e9 || again.Run.End != 5.5e9 {
		t.Errorf("its records: %+v, %v", again, err)
	}
	for _, name := range []string{"profile_export.jsonl", "profile_export_aiperf.csv", "profile_export_console.txt",
		"schedule.jsonl", "records.jsonl.partial"} {
		if !lies(dir, name) {
			t.Errorf("%s is missing", name)
		}
	}
	for _, name := range []string{"records.jsonl.partial-2", "schedule.jsonl.partial-2", ".inputs.json.tmp-1"} {
		if lies(dir, name) {
			t.Errorf("%s is left", name)
		}
	}
	// The older one is another run's, whose place is taken.
	if _, err := (Recovery{Dir: dir}).Run(); !errors.Is(err, ErrHasResults) {
		t.Errorf("a second time: %v", err)
	}
	if all, err = (Recovery{Dir: dir, Overwrite: true}).Run(); err != nil || len(all) != 1 || all[0].Records != 2 {
		t.Errorf("a second time, to overwrite: %+v, %v", all, err)
	}
	if all, err = (Recovery{Dir: dir}).Run(); err != nil || len(all) != 0 {
		t.Errorf("a third time: %+v, %v", all, err)
	}
}

// A run that was killed between its records and its summary has its own summary
// afterwards; one in which nothing had ended has none.
func TestRecoverHalf(t *testing.T) {
	dir := t.TempDir()
	m := measurement(&echo{}, dir, 4, 1)
	m.Header.ID = "whole"
	if _, err := m.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "profile_export_aiperf.json")); err != nil {
		t.Fatal(err)
	}
	leave(t, filepath.Join(dir, "none"), "", time.Unix(1, 0), 0)
	put(t, "", dir, "empty/records.jsonl.partial")
	all, err := Recovery{Dir: dir}.Run()
	if err != nil || len(all) != 3 {
		t.Fatalf("%+v, %v", all, err)
	}
	for _, r := range all {
		if whole := r.Dir == dir; whole != (r.Report != nil) ||
			whole && (!r.Report.Complete() || r.Records != 4 || len(r.Missing) != 0) {
			t.Errorf("%s: %+v", r.Dir, r)
		}
	}
	if l, err := report.Load(filepath.Join(dir, "profile_export_aiperf.json")); err != nil ||
		l.ID != "whole" || l.Cut() {
		t.Errorf("the summary: %+v, %v", l, err)
	}
}

// What a living process writes is left alone.
func TestRecoverLeavesTheLiving(t *testing.T) {
	dir := t.TempDir()
	f, err := report.CreatePartial(filepath.Join(dir, "records.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Leave()
	if _, err := record.NewWriter(f, record.Header{ID: "live"}); err != nil {
		t.Fatal(err)
	}
	if _, err := (Recovery{Dir: dir}).Run(); err == nil || !strings.Contains(err.Error(), "still runs") {
		t.Errorf("%v", err)
	}
}

// A folder below, which another process has for itself, is left alone; what
// locks of dead processes are left goes.
func TestRecoverLeavesLockedFolders(t *testing.T) {
	dir := t.TempDir()
	bench := filepath.Join(dir, "bench")
	leave(t, filepath.Join(bench, "c1"), "", time.Unix(1, 0), 3)
	leave(t, filepath.Join(dir, "dead"), "", time.Unix(1, 0), 3)
	put(t, `{"pid":1}`, dir, "dead/"+filelock.Name)
	lock, err := filelock.LockDir(bench, "headway bench")
	if err != nil {
		t.Fatal(err)
	}
	all, err := Recovery{Dir: dir}.Run()
	if len(all) != 1 || !errors.Is(err, filelock.ErrBusy) || lies(dir, "dead/"+filelock.Name) {
		t.Errorf("%+v, %v", all, err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	if all, err := (Recovery{Dir: dir + "/"}).Run(); len(all) != 1 || err != nil {
		t.Errorf("afterwards: %+v, %v", all, err)
	}
}
