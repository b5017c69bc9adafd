package study

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/settings"
	"headway/record"
	"headway/report"
)

func twoLevels(e *echo, dir string) Sweep {
	s := Sweep{Dir: dir, Levels: []int{1, 2}, Runs: 1, Settings: settings.Settings{"seed": "a"}}
	s.Measure = func(level, run int, d string) (Measurement, error) {
		m := measurement(e, d, 4, level)
		m.Header.ID = filepath.Base(d)
		return m, nil
	}
	return s
}

func TestPrepareChangesNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "s")
	s := twoLevels(&echo{}, dir)
	for range 2 {
		if err := s.Prepare(); err != nil {
			t.Fatal(err)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
	if _, err := s.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Prepare(); !errors.Is(err, ErrHasResults) {
		t.Errorf("over results: %v", err)
	}
	s.Overwrite = true
	if err := s.Prepare(); err != nil || !lies(dir, "c1", "records.jsonl") {
		t.Errorf("to overwrite: %v; only Run removes results", err)
	}
	s.Overwrite, s.Resume = false, true
	put(t, `{"half`, dir, "sweep.json")
	if err := s.Prepare(); !errors.Is(err, ErrHasResults) || errors.Is(err, settings.ErrChanged) ||
		!strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged sweep.json: %v", err)
	}
}

// TestForeignResults: levels that something else measured are not replaced.
func TestForeignResults(t *testing.T) {
	for _, at := range []string{
		"c1/profile_export_aiperf.json",
		"c7/m-openai-chat-concurrency7/profile_export_aiperf.json",
		"c1/records.jsonl",
	} {
		dir, e := t.TempDir(), &echo{}
		put(t, `{"x":1}`, dir, at)
		for _, resume := range []bool{false, true} {
			s := twoLevels(e, dir)
			s.Resume = resume
			_, err := s.Run(t.Context())
			if b, _ := os.ReadFile(filepath.Join(dir, at)); !errors.Is(err, ErrHasResults) || e.started.Load() != 0 ||
				string(b) != `{"x":1}` {
				t.Errorf("%s, resume %v: %v, %d requests, file %s", at, resume, err, e.started.Load(), b)
			}
		}
		s := twoLevels(e, dir)
		s.Overwrite = true
		if _, err := s.Run(t.Context()); err != nil || e.started.Load() != 8 {
			t.Errorf("%s overwritten: %v", at, err)
		}
	}
	dir := t.TempDir()
	put(t, "x", dir, "c1", "notes.txt")
	if _, err := twoLevels(&echo{}, dir).Run(t.Context()); err != nil {
		t.Errorf("a folder with other files: %v", err)
	}
}

// TestResumeMeasuresAgain: what cannot be trusted is measured again, with a
// word where it is strange.
func TestResumeMeasuresAgain(t *testing.T) {
	for name, test := range map[string]struct {
		spoil  func(dir string) error
		warned bool
	}{
		"empty records": {func(d string) error { return os.Truncate(filepath.Join(d, "records.jsonl"), 0) }, true},
		"garbage records": {func(d string) error {
			return os.WriteFile(filepath.Join(d, "records.jsonl"), []byte("x"),
				0o644)
		}, true},
		"no inputs.json": {func(d string) error { return os.Remove(filepath.Join(d, "inputs.json")) }, false},
		"another run's summary": {func(d string) error {
			path := filepath.Join(d, "profile_export_aiperf.json")
			b, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path,
				[]byte(strings.Replace(string(b), `"benchmark_id": "c1"`, `"benchmark_id": "c9"`, 1)), 0o644))
		}, false},
	} {
		dir, e := t.TempDir(), &echo{}
		s := twoLevels(e, dir)
		if _, err := s.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := test.spoil(filepath.Join(dir, "c1")); err != nil {
			t.Fatal(err)
		}
		s.Resume = true
		all, err := s.Run(t.Context())
		if err != nil || len(all) != 2 || e.started.Load() != 12 {
			t.Errorf("%s: %d levels, %d requests, %v", name, len(all), e.started.Load(), err)
			continue
		}
		if w := warning(all[0].Reports[0], "measured_again"); (w != nil) != test.warned {
			t.Errorf("%s: warning %v", name, w)
		}
	}
}

func warning(r *report.Report, code string) *record.Warning {
	for _, w := range r.Warnings() {
		if w.Code == code {
			return &w
		}
	}
	return nil
}

// FuzzSweepSettings: a sweep goes on with its own settings only, whatever
// sweep.json holds.
func FuzzSweepSettings(f *testing.F) {
	s := Sweep{Dir: "d", Resume: true, Settings: settings.Settings{"isl": "5", "url": "http://h"}}
	mine, err := s.kept()
	if err != nil {
		f.Fatal(err)
	}
	for _, text := range []string{string(mine), `{"half`, `{"isl": 5}`, "", "null", strings.Repeat("[", 20000),
		string(mine) + "\n", string(mine) + "{}"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, theirs []byte) {
		read, damaged := settings.Read(theirs)
		switch err := s.compare(theirs); {
		case damaged != nil:
			if !errors.Is(err, ErrHasResults) {
				t.Errorf("%q: %v", theirs, err)
			}
		case maps.Equal(read, s.Settings):
			if err != nil {
				t.Errorf("its own settings: %v", err)
			}
		case read["isl"] != s.Settings["isl"] && !errors.Is(err, settings.ErrChanged):
			t.Errorf("%q: %v", theirs, err)
		}
		anew := s
		anew.Resume = false
		if err := anew.compare(theirs); !errors.Is(err, ErrHasResults) {
			t.Errorf("%q, without --resume: %v", theirs, err)
		}
	})
}
