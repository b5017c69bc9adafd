package sla

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/deploy"
	"headway/internal/deploy/dgd"
	"headway/internal/fault"
	"headway/internal/hub"
	"headway/internal/model"
	"headway/internal/profile"
	"headway/internal/settings"
	"headway/report"
	"headway/workload"
)

// small is a search that a simulation answers at once.
func small(t *testing.T) Config {
	t.Helper()
	from := Source{Backend: dgd.VLLM, Model: dgd.Model{Path: "qwen3-32b"}}
	served, err := from.Read()
	if err != nil {
		t.Fatal(err)
	}
	m, err := from.Find(t.Context(), hub.Options{}, served.Model)
	if err != nil {
		t.Fatal(err)
	}
	g, err := model.LookupGPU("h200_sxm")
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Served: served, On: "sim", Simulated: true, Version: "test", Curves: true, PromptSteps: 4,
		Search: profile.Search{
			Space:   profile.Space{Model: m, GPU: g, MaxGPUs: 2, ISL: 1000, OSL: 100, Context: 4096},
			SLO:     profile.SLO{TTFT: .1, ITL: .02},
			Method:  profile.Fast,
			Repeats: 2, Granularity: 3,
			Key: workload.Seed(1), Dir: t.TempDir(),
		},
		Demand: profile.Demand{ISL: 1000, OSL: 100, GPUHour: 3},
		Name:   func(f fault.Field) string { return "<" + string(f) + ">" },
	}
}

func (c Config) bench() profile.Bench { return &deploy.Sim{Setup: c.Search.Space.Setup} }

func status(t *testing.T, dir string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, profile.StatusFile))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// A search leaves every file that its status names, and says the same in its
// result and in its text. The folder is then its own.
func TestRun(t *testing.T) {
	var told []string
	c := small(t)
	c.Tell = func(format string, args ...any) { told = append(told, fmt.Sprintf(format, args...)) }
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	s.Announce()
	met, err := s.Run(t.Context(), c.bench())
	if err != nil || !met {
		t.Fatalf("met %v, %v", met, err)
	}
	said := status(t, c.Search.Dir)
	if !strings.Contains(said, "status: success") || !strings.Contains(said, "phase: Done") || len(s.outputs) < 10 {
		t.Errorf("the status is %s with %d outputs", said, len(s.outputs))
	}
	for what, name := range s.outputs {
		if _, err := os.Stat(filepath.Join(c.Search.Dir, name)); err != nil || !strings.Contains(said, what+": "+name) {
			t.Errorf("%s is to be %s: %v", what, name, err)
		}
	}
	if all := strings.Join(told, "\n"); !strings.Contains(all, "prefill: ") || !strings.Contains(all, " left") {
		t.Errorf("it told\n%s", all)
	}
	inTextAndResult(t, s)
	again, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := again.Run(t.Context(), c.bench()); !Refused(err) || status(t, c.Search.Dir) != said {
		t.Errorf("a second search in the folder: %v", err)
	}
}

// inTextAndResult holds the text against the file.
func inTextAndResult(t *testing.T, s *Search) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.dir(), "sla_result.json"))
	if err != nil {
		t.Fatal(err)
	}
	var d Result
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := s.Document().Write(&text, report.ConsoleOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"prefill: " + d.Prefill.Pick.Mapping + " on " + profile.GPUs(d.Prefill.Pick.GPUs),
		fmt.Sprintf("decode: %s on %s: %d at a time", d.Decode.Pick.Mapping, profile.GPUs(d.Decode.Pick.GPUs),
			d.Decode.Pick.Concurrency),
		fmt.Sprintf("up to %.2f", d.Disagg.RequestRate), "results: " + s.dir(),
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text has no %q:\n%s", want, text.String())
		}
	}
}

// deaf is a bench on which nothing starts.
type deaf struct {
	why  error
	then func()
}

func (d deaf) Open(context.Context, profile.Candidate) (profile.Subject, error) {
	d.then()
	return nil, d.why
}

// However a search fails, its status says so, and what can be done is said by the
// names that the caller has for the fields.
func TestFails(t *testing.T) {
	ctx, end := context.WithCancel(t.Context())
	defer end()
	for _, c := range []struct {
		name  string
		ctx   context.Context
		bench deaf
		want  []string
	}{
		{"dead", t.Context(), deaf{&profile.DeadError{Reason: profile.ReasonMemory, Message: "too large"}, func() {}},
			[]string{"no candidate could be measured:\n  prefill TP=1: ", "too large"}},
		{"broken", t.Context(), deaf{errors.New("no cluster"), func() {}},
			[]string{"no cluster", "the same call with <resume> goes on"}},
		{"interrupted", ctx, deaf{context.Canceled, end},
			[]string{"interrupted: what was measured is kept in ", "with <resume> goes on"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := small(t)
			s, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			_, err = s.Run(c.ctx, c.bench)
			said := status(t, cfg.Search.Dir)
			for _, want := range c.want {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("%v: no %q", err, want)
				}
			}
			interrupted := strings.Contains(said, "interrupted, not failed")
			if !strings.Contains(said, "status: failed") || interrupted != (c.name == "interrupted") {
				t.Errorf("the status is %s", said)
			}
		})
	}
}

// Another model under the same name is another search.
func TestSettings(t *testing.T) {
	of := func(m model.Model) string {
		t.Helper()
		set := settings.Settings{"isl": "3"}
		if err := With(set, m, model.GPU{}); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(set)
	}
	plain := of(model.Model{Name: "m"})
	if plain != of(model.Model{Name: "m", Assumed: []string{"a"}}) {
		t.Error("what was assumed on the way changes what is measured")
	}
	if plain == of(model.Model{Name: "m", Layers: 3}) {
		t.Error("another number of layers does not")
	}
}

// What is wrong with what is to be deployed is said by the field it came from.
func TestSourceFaults(t *testing.T) {
	for _, c := range []struct {
		from Source
		want string
	}{
		{Source{Backend: dgd.VLLM}, "model: name a model, or give a DynamoGraphDeployment that serves one with config"},
		{Source{Backend: dgd.VLLM, Manifest: "absent.yaml"}, "config: reading the deployment: "},
		{Source{Backend: dgd.VLLM, Manifest: "doc.go"}, "config doc.go: "},
	} {
		if _, err := c.from.Read(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%v; want %s", err, c.want)
		}
	}
}
