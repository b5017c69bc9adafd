package sla

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/fault"
	"headway/report"
)

func words(f fault.Field) string { return "<" + string(f) + ">" }

func shown(t *testing.T, d *report.Document, page report.ConsoleOptions) string {
	t.Helper()
	var b strings.Builder
	if err := d.Write(&b, page); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// What a search left shows and writes again what the search did, to the same bytes.
func TestFolderOfSearch(t *testing.T) {
	c := small(t)
	c.Search.SLO.TTFT = .001 // missed, so that there are remedies and no pools
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if met, err := s.Run(t.Context(), c.bench()); met || err != nil {
		t.Fatalf("met %v, %v", met, err)
	}
	f := &Folder{Dir: c.Search.Dir, Version: "test", Name: words}
	if found, err := f.Read(); !found || err != nil {
		t.Fatal(found, err)
	}
	before, _, _ := strings.Cut(shown(t, s.Document(), report.ConsoleOptions{}), "results: ")
	now := shown(t, f.Document(), report.ConsoleOptions{})
	if !strings.HasPrefix(now, before) || !strings.Contains(now, "To meet it:") {
		t.Errorf("it shows\n%s\nafter\n%s", now, before)
	}
	for _, want := range []string{"prefill in depth\n", "decode in depth\n"} {
		if !strings.Contains(now, want) {
			t.Errorf("no %q in\n%s", want, now)
		}
	}
	var drawn []string
	for _, p := range f.Pictures() {
		drawn = append(drawn, p.Name)
	}
	want := "prefill_performance decode_performance cost_sla pareto " +
		"prefill_ttft_interpolation prefill_throughput_interpolation decode_itl_curves decode_throughput_curves " +
		"decode_itl_interpolation decode_itl_surface decode_throughput_interpolation decode_throughput_surface"
	if strings.Join(drawn, " ") != want {
		t.Errorf("its pictures are %s, want %s", drawn, want)
	}
	again := t.TempDir()
	if err := f.Write(again); err != nil {
		t.Fatal(err)
	}
	if n := sameFiles(t, again, c.Search.Dir); n < 20 {
		t.Errorf("only %d files were written", n)
	}
	text, err := json.Marshal(f.JSON())
	if err != nil || !bytes.HasPrefix(text, []byte(`{"decode":{"points":[`)) {
		t.Errorf("%.80s, %v", text, err)
	}
}

// sameFiles holds every file in one folder against that of its name in another.
func sameFiles(t *testing.T, dir, original string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		n++
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		got, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		want, err := os.ReadFile(filepath.Join(original, rel))
		if err == nil && !bytes.Equal(got, want) {
			t.Errorf("%s is another", rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A result of the first versions has no demand: what follows from it is said, and
// nothing is made up. A folder without anything is none.
func TestFolderOfOthers(t *testing.T) {
	dir := t.TempDir()
	f := &Folder{Dir: dir}
	if found, err := f.Read(); found || err != nil {
		t.Errorf("an empty folder: %v, %v", found, err)
	}
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, ResultName), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	put("{")
	if found, err := f.Read(); found || err == nil {
		t.Errorf("half a result: %v, %v", found, err)
	}
	put(`{"headway_version":"0.0","model":"m","gpu":"h200_sxm","search":"fast","on":"sim","isl":10,"osl":10,"ttft_target_ms":100,"itl_target_ms":1,
"prefill":{"outcomes":[{"version":1,"phase":"prefill","mapping":"TP=1","status":"measured","gpus":1,"trials":[{"concurrency":1,
"ttft_s":{"mean":0.05,"std":0,"repeats":1},"tokens_per_second_per_gpu":{"mean":100,"std":0,"repeats":1}}]}]},
"decode":{"outcomes":[{"version":1,"phase":"decode","mapping":"TP=1","status":"failed","problem":"x","gpus":1}]},
"aggregated_outcomes":[{"mapping":"TP=1","gpus":1}],"x-defects-avoided":["y"],"warnings":["disaggregated: none: a phase has no measured worker"]}`)
	if found, err := f.Read(); !found || err != nil {
		t.Fatal(found, err)
	}
	text := shown(t, f.Document(), report.ConsoleOptions{Markdown: true})
	for _, want := range []string{"- prefill: TP=1 on 1 GPU: TTFT 50.0 (one run) ms",
		"- decode: no candidate could be measured",
		"- disaggregated: none: a phase", "- aggregated: none\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if untold := strings.Join(f.Untold(), "\n"); !strings.Contains(untold,
		"did not keep what the pools were sized for") {
		t.Errorf("untold: %s", untold)
	}
	if err := f.Write(t.TempDir()); err != nil {
		t.Error(err)
	}
}

// A search that was ended has its outcomes; what is missing is said.
func TestFolderOfUnfinishedSearch(t *testing.T) {
	c := small(t)
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(t.Context(), c.bench()); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(c.Search.Dir, ResultName)); err != nil {
		t.Fatal(err)
	}
	f := &Folder{Dir: c.Search.Dir, Name: words}
	if found, err := f.Read(); !found || err != nil {
		t.Fatal(found, err)
	}
	text, untold := shown(t, f.Document(), report.ConsoleOptions{}), strings.Join(f.Untold(), "\n")
	if !strings.Contains(text, "prefill     TP=1     1  simulated") || strings.Contains(text, "disaggregated") {
		t.Errorf("it shows\n%s", text)
	}
	if !strings.Contains(untold, "has not come to its end") || !strings.Contains(untold, "<resume> goes on") {
		t.Errorf("untold: %s", untold)
	}
}
