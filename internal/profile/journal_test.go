package profile

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"headway/internal/settings"
)

// An attempt that was cut off goes on where it stopped, with prompts that were
// not sent before; a line that was cut off is measured again.
func TestJournal(t *testing.T) {
	dir := t.TempDir()
	mine := settings.Settings{"a": "1"}
	e := plain()
	e.before = func(run int) error {
		if run == 10 {
			return &DeadError{Reason: ReasonCrash, Message: "gone"}
		}
		return nil
	}
	attempt := func(resume bool) (PrefillCurve, error) {
		t.Helper()
		j, err := OpenJournal(dir, Prefill, mine, resume, false)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		s := sweep()
		s.Journal = j
		return MeasurePrefill(t.Context(), e, s)
	}
	if _, err := attempt(false); err == nil {
		t.Fatal("did not die")
	}
	path := JournalPath(dir, Prefill)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:len(whole)-20], 0o644); err != nil {
		t.Fatal(err)
	}
	e.before = nil
	sent, runs := len(e.known), e.runs
	c, err := attempt(true)
	if err != nil || len(c.Points) != 4 || e.runs-runs != 3*4 || len(e.known)-sent != 3*(3+3*4) {
		t.Errorf("%v: %d points, %d runs and %d prompts more", err, len(c.Points), e.runs-runs, len(e.known)-sent)
	}
	runs = e.runs
	again, err := attempt(true)
	if err != nil || e.runs != runs || fmt.Sprint(again.Points) != fmt.Sprint(c.Points) {
		t.Errorf("nothing was left to do: %v, %d runs, %v", err, e.runs-runs, again.Points)
	}
	if _, err := OpenJournal(dir, Prefill, mine, false, false); !errors.Is(err, ErrHasPoints) {
		t.Errorf("a second call: %v", err)
	}
	if _, err := OpenJournal(dir, Prefill, settings.Settings{"a": "2"}, true, false); !errors.Is(err,
		settings.ErrChanged) {
		t.Errorf("other settings: %v", err)
	}
	j, err := OpenJournal(dir, Prefill, settings.Settings{"a": "2"}, false, true)
	if err != nil || j.Kept() != 0 {
		t.Fatalf("overwriting: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if again, err = attempt(true); err != nil || e.runs != runs || len(again.Points) != 4 {
		t.Errorf("overwriting without a point loses those before: %v, %d runs", err, e.runs-runs)
	}
	if j, err = OpenJournal(dir, Prefill, settings.Settings{"a": "2"}, false, true); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(j.keep(journalLine{Prefill: &PrefillPoint{ISL: 7}}, ""), j.Close()); err != nil {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(path); err != nil || strings.Count(string(now), `"prefill":{`) != 1 ||
		!strings.Contains(string(now), `"a":"2"`) {
		t.Errorf("overwriting with a point leaves %s (%v)", now, err)
	}
	if err := os.WriteFile(path, []byte("{\"version\":9}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenJournal(dir, Prefill, mine, true, false); err == nil ||
		!strings.Contains(err.Error(), "format version 9") {
		t.Errorf("another version: %v", err)
	}
}

// Whatever a journal holds, reading it does not fail but for its first line, and
// what is kept are whole lines.
func FuzzJournal(f *testing.F) {
	first := `{"version":1,"phase":"prefill","settings":{}}` + "\n"
	f.Add([]byte(first + `{"prefill":{"isl":100}}` + "\n" + `{"attempt":1}` + "\n" + "nonsense\n" +
		`{"decode":{"isl":1`))
	f.Add([]byte(first + "null\n[]\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		j := &Journal{prefills: map[int]PrefillPoint{}, decodes: map[[2]int]DecodePoint{}}
		whole, err := j.read(data, Prefill, "j", nil)
		if err != nil {
			return
		}
		if whole > 0 && data[whole-1] != '\n' || j.Skipped < 0 ||
			j.attempts+j.Kept()+j.Skipped > strings.Count(string(data), "\n") {
			t.Errorf("%d bytes of %q: %d attempts, %d points, %d skipped", whole, data, j.attempts, j.Kept(), j.Skipped)
		}
	})
}
