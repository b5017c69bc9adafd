package study

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sync/atomic"
	"testing"
	"time"

	"headway/internal/audit"
	"headway/internal/settings"
	"headway/metric"
	"headway/record"
	"headway/report"
	"headway/workload"
)

// echo answers every request with one word, or fails it.
type echo struct {
	fail    func(workload.Request) bool
	started atomic.Int64
	onStart func(n int64)
}

func (e *echo) Start(ctx context.Context, r workload.Request, tape *record.Tape, done func()) {
	tape.Start = tape.Clock.Now()
	if n := e.started.Add(1); e.onStart != nil {
		e.onStart(n)
	}
	go func() {
		defer done()
		tape.Streamed = true
		switch {
		case ctx.Err() != nil:
			tape.Fail(&record.Failure{Class: record.ClassCancelled, Code: 499, Type: "RequestCancellationError",
				Message: "cancelled"})
		case e.fail != nil && e.fail(r):
			tape.Fail(&record.Failure{Class: record.ClassHTTP5, Code: 500, Type: "Internal Server Error",
				Message: "no"})
		default:
			tape.Arrive(record.Arrival{At: tape.Clock.Now()}, nil, nil, []byte("word"))
			tape.Outcome = record.OK
		}
		tape.Done = tape.Clock.Now()
	}()
}

func requests(n int) workload.Source {
	return func(yield func(workload.Request, error) bool) {
		for i := range n {
			if !yield(workload.Request{Index: i, Session: fmt.Sprint("s", i), Turns: 1,
				Prompt: workload.Prompt{Text: "hello"}}, nil) {
				return
			}
		}
	}
}

func measurement(t *echo, dir string, n, level int) Measurement {
	return Measurement{
		Header: record.Header{Version: "test", Model: "m", Concurrency: level, Streaming: true},
		Plan:   workload.Plan{Source: requests(n), Concurrency: level}, Target: t,
		Render:  func(_ context.Context, s workload.Source) workload.Source { return s },
		Count:   func(s record.Sink) record.Sink { return counted{s} },
		Metrics: metric.Options{Streaming: true, Concurrency: level},
		Body:    func(workload.Request) (json.RawMessage, error) { return json.RawMessage(`{"model":"m"}`), nil },
		Dir:     dir, Names: report.FileNames(""), Lines: true,
	}
}

// counted sets the counts that a tokenizer would.
type counted struct{ next record.Sink }

func (c counted) Take(r *record.Record) error {
	if r.Outcome == record.OK {
		r.TokensIn, r.TokensOut, r.TokensReasoning = 1, 1, 0
	}
	return c.next.Take(r)
}

func TestMeasurementWritesEveryFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	m := measurement(&echo{fail: func(r workload.Request) bool { return r.Index == 3 }}, dir, 8, 2)
	warm := workload.Plan{Source: workload.InPhase(requests(2), workload.Warmup), Concurrency: 1}
	m.Warmup = &warm
	rep, err := m.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r := rep.Result; r.OK != 7 || r.Failed != 1 || r.Planned != 8 || r.Warmup == nil || r.Warmup.OK != 2 {
		t.Errorf("result: %d ok, %d failed, %d planned, warm-up %+v", r.OK, r.Failed, r.Planned, r.Warmup)
	}
	for _, name := range []string{"records.jsonl", "schedule.jsonl", "inputs.json", "profile_export.jsonl",
		"profile_export_aiperf.json", "profile_export_aiperf.csv", "profile_export_console.txt"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || len(b) == 0 {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	var inputs struct {
		Data []struct{ Payloads []json.RawMessage } `json:"data"`
	}
	b, err := os.ReadFile(filepath.Join(dir, "inputs.json"))
	if err = errors.Join(err, json.Unmarshal(b, &inputs)); err != nil || len(inputs.Data) != 8 {
		t.Errorf("inputs.json has %d sessions (%v); the warm-up's do not belong there", len(inputs.Data), err)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	again, err := Reread(filepath.Join(dir, "records.jsonl"), m.Metrics, m.Secrets)
	if err != nil || again == nil || again.Result.OK != 7 || again.Result.Warmup.OK != 2 {
		t.Errorf("read back: %+v, %v", again, err)
	}
}

// What waited behind the wire is in the audit, and in the file.
func TestAuditSaysWhatWaited(t *testing.T) {
	m := measurement(&echo{}, t.TempDir(), 5, 2)
	m.Audit = &audit.Options{}
	rep, err := m.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b := rep.Run.Audit.Backlog
	if b == nil || b.Records < 1 || b.Bytes < b.Records || b.Limit < b.Bytes || b.HeldRequests != 0 {
		t.Errorf("%+v", b)
	}
	again, err := Reread(filepath.Join(m.Dir, "records.jsonl"), m.Metrics, m.Secrets)
	if err != nil || !reflect.DeepEqual(again.Run.Audit.Backlog, b) {
		t.Errorf("read back: %+v, %v", again.Run.Audit.Backlog, err)
	}
}

func TestCancelledMeasurementKeepsWhatThereIs(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	e := &echo{onStart: func(n int64) {
		if n == 5 {
			cancel()
		}
	}}
	dir := t.TempDir()
	rep, err := measurement(e, dir, 100, 1).Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r := rep.Result
	if !rep.Run.Cancelled || r.OK+r.Cancelled+r.Dropped != 100 || r.Dropped < 94 {
		t.Errorf("cancelled %v: %d ok, %d cancelled, %d dropped", rep.Run.Cancelled, r.OK, r.Cancelled, r.Dropped)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "profile_export_aiperf.json")); err != nil || !json.Valid(b) {
		t.Errorf("no result of the cancelled run: %v", err)
	}
}

func TestSweepResumes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	e := &echo{}
	s := Sweep{Dir: dir, Levels: []int{1, 2}, Runs: 1, Settings: settings.Settings{"seed": "a"}}
	s.Measure = func(level, run int, d string) (Measurement, error) { return measurement(e, d, 4, level), nil }
	if all, err := s.Run(t.Context()); err != nil || len(all) != 2 || e.started.Load() != 8 {
		t.Fatalf("%d levels, %d requests, %v", len(all), e.started.Load(), err)
	}
	if _, err := s.Run(t.Context()); !errors.Is(err, ErrHasResults) {
		t.Errorf("a second run over the first: %v", err)
	}
	s.Resume, s.Levels = true, []int{1, 2, 3}
	if err := os.Remove(filepath.Join(dir, "c2", "profile_export_aiperf.json")); err != nil {
		t.Fatal(err)
	}
	e.started.Store(0)
	if all, err := s.Run(t.Context()); err != nil || len(all) != 3 || e.started.Load() != 8 {
		t.Errorf("resumed: %d levels, %d new requests (level 2 was not whole, level 3 is new), %v", len(all),
			e.started.Load(), err)
	}
	s.Settings = settings.Settings{"seed": "b"}
	if _, err := s.Run(t.Context()); !errors.Is(err, settings.ErrChanged) {
		t.Errorf("resumed with other settings: %v", err)
	}
	s.Resume, s.Overwrite, s.Levels = false, true, []int{5}
	if _, err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "c1")); !os.IsNotExist(err) {
		t.Errorf("an overwritten sweep kept an old level: %v", err)
	}
}

func TestRepeatWritesAggregate(t *testing.T) {
	dir := t.TempDir()
	e := &echo{}
	r := Repeat{Dir: dir, Runs: 3, Cooldown: time.Nanosecond, Confidence: 0.9}
	r.Measure = func(run int, d string) (Measurement, error) { return measurement(e, d, 3, 1), nil }
	all, err := r.Run(t.Context())
	if err != nil || len(all) != 3 {
		t.Fatalf("%d reports, %v", len(all), err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "aggregate", report.AggregateJSON))
	var doc struct {
		Metadata struct {
			Runs int     `json:"num_successful_runs"`
			Conf float64 `json:"confidence_level"`
		} `json:"metadata"`
	}
	if err = errors.Join(err, json.Unmarshal(b, &doc)); err != nil || doc.Metadata.Runs != 3 ||
		doc.Metadata.Conf != 0.9 {
		t.Errorf("aggregate: %+v, %v", doc, err)
	}
}

func TestUnwritableFolder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	e := &echo{}
	s := Sweep{Dir: filepath.Join(file, "sub"), Levels: []int{1}}
	s.Measure = func(level, run int, d string) (Measurement, error) { return measurement(e, d, 4, level), nil }
	if _, err := s.Run(t.Context()); err == nil || e.started.Load() != 0 {
		t.Errorf("%v after %d requests", err, e.started.Load())
	}
}
