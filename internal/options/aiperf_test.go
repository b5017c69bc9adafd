package options

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// planOf is a plan of a trace file.
func planOf(t *testing.T, text string, given ...string) *Plan {
	t.Helper()
	path := filepath.Join(t.TempDir(), "trace.jsonl")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	r := usual()
	p := &Plan{Prompts: r.Prompts, Load: r.Load, Given: map[string]bool{}}
	p.InputFile = path
	for _, name := range given {
		p.Given[name] = true
	}
	return p
}

const timedTrace = `{"timestamp":0,"input_length":9,"session_id":"s"}
{"delay":5000,"input_length":9,"session_id":"s"}
`

// A file's own order is what a fixed schedule has.
func TestSamplingOfFixedSchedule(t *testing.T) {
	for sampling, fault := range map[string]string{"sequential": "",
		"shuffle": "a fixed schedule has the file's order"} {
		p := planOf(t, timedTrace, "dataset-sampling-strategy")
		p.Sampling = sampling
		if err := p.Read(); (err == nil) != (fault == "") || err != nil && !strings.Contains(err.Error(), fault) {
			t.Errorf("%s: %v, want %q", sampling, err, fault)
		}
	}
}

// Pauses between turns are cut to the cap, or left out.
func TestDelays(t *testing.T) {
	second, off := Seconds(time.Second), false
	for _, test := range []struct {
		set  func(*Plan)
		want time.Duration
	}{
		{func(*Plan) {}, 5 * time.Second},
		{func(p *Plan) { p.DelayCap = &second }, time.Second},
		{func(p *Plan) { p.NoDelays, p.FixedSchedule = true, &off }, 0},
	} {
		p := planOf(t, timedTrace)
		test.set(p)
		if err := p.Read(); err != nil {
			t.Fatal(err)
		}
		plan, err := p.Make(1)
		if err != nil {
			t.Fatal(err)
		}
		for r, err := range plan.Source {
			if err != nil || r.Turn == 1 && r.Delay != test.want {
				t.Errorf("a pause of %v (%v), want %v", r.Delay, err, test.want)
			}
			if r.Turn == 1 {
				break
			}
		}
	}
	p := planOf(t, timedTrace)
	p.NoDelays = true
	if err := p.Read(); err == nil || !strings.Contains(err.Error(), "a fixed schedule has the file's times") {
		t.Errorf("no pauses of a fixed schedule: %v", err)
	}
}

// A pattern without a rate shapes nothing: with a concurrency that is a note.
func TestPatternWithoutRate(t *testing.T) {
	for _, set := range []bool{false, true} {
		r := usual()
		p := &Plan{Prompts: r.Prompts, Load: r.Load, ISL: 9, Given: map[string]bool{"arrival-pattern": true}}
		p.Pattern, p.Concurrency = "constant", One[int]{Value: 2, Set: set}
		faults, notes := p.Faults(), p.IdleNotes(1)
		if (len(faults) == 0) != set || (len(notes) == 1) != set {
			t.Errorf("concurrency given %v: faults %v, notes %v", set, faults, notes)
		}
	}
}

// A system message is read before anything is sent.
func TestSystemPrompt(t *testing.T) {
	dir := t.TempDir()
	text, broken := filepath.Join(dir, "text"), filepath.Join(dir, "broken")
	for path, content := range map[string]string{text: "be brief\n", broken: "\xff"} {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := planOf(t, `{"text":"a"}`)
	p.SystemFile = text
	if err := p.Read(); err != nil {
		t.Fatal(err)
	}
	plan, err := p.Make(1)
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range plan.Source {
		if err != nil || r.Prompt.System != "be brief\n" {
			t.Errorf("system %q, %v", r.Prompt.System, err)
		}
		break
	}
	p.SystemFile = broken
	if err := p.Read(); err == nil || !strings.Contains(err.Error(), "must hold text in UTF-8") {
		t.Errorf("%v", err)
	}
	p = planOf(t, `{"payload":{"prompt":"x"}}`)
	p.System = "x"
	if err := p.Read(); err == nil || !strings.Contains(err.Error(), "request bodies that are sent as they are") {
		t.Errorf("%v", err)
	}
}
