package pages

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/page"
	"headway/internal/study"
	"headway/report"
	"headway/report/picture"
)

// Values over time are drawn from the start of the measured phase, in the units of
// their pictures; a folder without samples has none, and a broken file is an error.
func TestSampled(t *testing.T) {
	dir := t.TempDir()
	r := &study.Remade{Dir: dir, Names: report.FileNames("")}
	if curves, _, err := over(r); err != nil || curves != nil {
		t.Errorf("nothing sampled: %v, %v", curves, err)
	}
	path := filepath.Join(dir, r.Names.Telemetry)
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"headway_telemetry":1,"origin":"2026-11-30T19:22:23Z","interval_s":1,"sources":["http://s","nvidia-smi"]}
{"t_s":1,"source":0,"kind":"server","engine":"vllm","values":{"running":2,"waiting":0,"kv_usage":0.25}}
{"t_s":1,"source":1,"kind":"gpu","engine":"nvidia-smi","of":"0","values":{"power":650,"utilization":0.5}}
{"t_s":2,"source":0,"kind":"server","engine":"vllm","values":{"running":4,"waiting":1,"kv_usage":0.5}}
{"t_s":3,"source":0,"kin
`)
	curves, skipped, err := over(r)
	if err != nil || len(curves) != 5 || skipped != 1 {
		t.Fatalf("%d curves, %d lines skipped, %v", len(curves), skipped, err)
	}
	for i, want := range []struct {
		name  string
		value float64
	}{{"in the batch", 2}, {"waiting", 0}, {"", 25}, {"GPU 0", 50}, {"GPU 0", 650}} {
		if c := curves[i]; c.Name != want.name || c.Values[0] != want.value || c.At[0] != 1 {
			t.Errorf("curve %d is %+v, want %+v", i, c, want)
		}
	}
	one := report.Timeline{Source: "http://s", Kind: "server"}
	two := sources([]report.Timeline{{Source: "a", Kind: "server"}, one})
	if got := nameOfCurve("waiting", one, two); got != "http://s, waiting" {
		t.Errorf("one of several servers is called %q", got)
	}
	write("no head\n")
	if _, _, err := over(r); err == nil {
		t.Error("a file without a head is no error")
	}
	gpus := sources([]report.Timeline{{Source: "a", Kind: "gpu"}, {Source: "b", Kind: "gpu"}})
	if got := nameOfCurve("", report.Timeline{Source: "b", Kind: "gpu", Of: "0"}, gpus); got != "GPU 0 b" {
		t.Errorf("a GPU of one of several hosts is called %q", got)
	}
	c := page.Content{}
	write(`{"headway_telemetry":1,"sources":["a"]}` + "\nx\n")
	(&builder{c: &c}).sampled(&picture.Run{}, r)
	if len(c.Untold) != 1 || !strings.Contains(c.Untold[0], "1 line of telemetry.jsonl cannot be read") {
		t.Errorf("%q", c.Untold)
	}
	if err := errors.Join(os.Remove(path), os.Symlink("/dev/zero", path)); err != nil {
		t.Fatal(err)
	}
	if _, _, err := over(r); err == nil || !strings.Contains(err.Error(), "/telemetry.jsonl") {
		t.Errorf("a device: %v", err)
	}
}
