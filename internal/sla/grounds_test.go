package sla

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/deploy"
	"headway/internal/model"
	"headway/internal/profile"
	"headway/internal/settings"
	"headway/internal/twin"
	"headway/report"
)

// twinned is the small search with a twin of TP=1.
func twinned(t *testing.T, gpus int, asked profile.Limits) Config {
	t.Helper()
	c := small(t)
	c.Curves, c.Aggregated, c.Search.Space.MaxGPUs = false, true, gpus
	f := &twin.File{Version: twin.FileVersion, Model: twin.Usual, Engine: twin.Engine{Type: "vllm",
		MaxNumSeqs: 32, MaxNumBatchedTokens: 8192, Blocks: 10000, BlockSize: 16},
		Range:       twin.Range{ISL: [2]int{100, 2000}, OSL: [2]int{10, 200}, InFlight: [2]int{1, 500}},
		Calibration: &twin.Calibration{Model: "another"}}
	m := model.Mapping{Kind: model.TP, Size: 1}
	var err error
	if c.Fitted, err = deploy.NewFitted(f, m, c.Served.Backend, asked, &c.Search.Space); err != nil {
		t.Fatal(err)
	}
	return c
}

// found runs a search with a twin, and gives its result, its text and its warnings.
func found(t *testing.T, c Config) (r Result, text, warned string) {
	t.Helper()
	var warnings []string
	c.Warn = func(format string, args ...any) { warnings = append(warnings, fmt.Sprintf(format, args...)) }
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.Announce()
	if _, err := s.Run(t.Context(), &deploy.Sim{Setup: c.Search.Space.Setup, Fitted: c.Fitted}); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := s.Document().Write(&b, report.ConsoleOptions{}); err != nil {
		t.Fatal(err)
	}
	return s.Result(), b.String(), strings.Join(warnings, "\n")
}

// What the twin tells is said to be of the twin, with the limits of its server in the
// deployment; nothing needs a warning but the model's name.
func TestRestsOnTwin(t *testing.T) {
	c := twinned(t, 1, profile.Limits{})
	r, text, warned := found(t, c)
	if len(r.Recommended.RestsOn) == 0 || r.Recommended.RestsOn[0].Basis.Grounds != profile.OnTwin ||
		r.Decode.Pick.Basis.Grounds != profile.OnTwin || r.Decode.Pick.Concurrency > 32 {
		t.Errorf("%+v, %+v", r.Recommended, r.Decode.Pick)
	}
	if !strings.Contains(text, "  rests on: ") || !strings.Contains(text, "simulated") {
		t.Errorf("the text is\n%s", text)
	}
	if strings.Contains(warned, "recommendation") || !strings.Contains(warned, `calibrated on a server of "another"`) {
		t.Errorf("warned of %s", warned)
	}
	if _, note := r.captions(nil); !strings.HasSuffix(note, "simulated by a twin of a server") {
		t.Errorf("pictures say %q", note)
	}
	yaml, err := os.ReadFile(filepath.Join(c.Search.Dir, "recommended_config.yaml"))
	if err != nil || !strings.Contains(string(yaml), "--max-num-seqs") || !strings.Contains(string(yaml), "32") {
		t.Errorf("%v: %s", err, yaml)
	}
}

// A recommendation of what was never measured is warned of, on the way and in the result.
func TestRestsOnRoofline(t *testing.T) {
	c := twinned(t, 2, profile.Limits{})
	c.Fitted.File.Model.Weights = 100 // no ITL of the twin meets the target
	r, text, warned := found(t, c)
	last := r.Recommended.RestsOn[len(r.Recommended.RestsOn)-1]
	if last.Mapping != "TP=2" || last.Basis.Grounds != profile.OnRoofline {
		t.Errorf("%+v", last)
	}
	if _, note := r.captions(nil); !strings.Contains(note, "a twin of a server, other mappings by a roofline") {
		t.Errorf("pictures say %q", note)
	}
	const want = "rests on a roofline for "
	if !strings.Contains(warned, want) || !strings.Contains(strings.Join(r.Warnings, "\n"), want) ||
		!strings.Contains(text, "roofline, never measured") {
		t.Errorf("warned of %s, in the result %q, in\n%s", warned, r.Warnings, text)
	}
}

// Other settings of the twin's server are extrapolated.
func TestRestsOnExtrapolation(t *testing.T) {
	r, _, warned := found(t, twinned(t, 1, profile.Limits{Sequences: 16}))
	if b := r.Recommended.RestsOn[0].Basis; b.Grounds != profile.BeyondTwin || b.ITL != nil {
		t.Errorf("%+v", b)
	}
	if !strings.Contains(warned, "extrapolates the twin") || !strings.Contains(warned, "the requests of a batch") {
		t.Errorf("warned of %s", warned)
	}
}

// Another twin is another search, whatever its file is called.
func TestTwinIsASetting(t *testing.T) {
	of := func(weights float64) settings.Settings {
		set, c := settings.Settings{}, twinned(t, 1, profile.Limits{})
		c.Fitted.File.Model.Weights = weights
		if err := (Asked{fitted: c.Fitted}).withTwin(set); err != nil {
			t.Fatal(err)
		}
		return set
	}
	first, same, other := of(5), of(5), of(6)
	if fmt.Sprint(first) != fmt.Sprint(same) || fmt.Sprint(first) == fmt.Sprint(other) {
		t.Error(first, same, other)
	}
}

// A target inside of an interval is one that the twin does not decide.
func TestOpenTargets(t *testing.T) {
	s := &Search{}
	s.Search.SLO = profile.SLO{TTFT: .1, ITL: .02}
	b := &profile.Basis{Grounds: profile.OnTwin, TTFT: &profile.Expected{Low: .05, High: .09, Level: .9},
		ITL: &profile.Expected{Low: .018, High: .021, Level: .9}}
	r := RestsOn{Phase: profile.Aggregated, Mapping: "TP=1", Basis: b, Open: s.open(b)}
	if got := r.String(); got != "agg TP=1: twin, TTFT 50.0–90.0 ms at 90 %, ITL 18.00–21.00 ms at 90 %; "+
		"the target of ITL lies inside, so it may be missed" {
		t.Error(got)
	}
}
