package place

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"headway/internal/deploy"
	"headway/internal/deploy/kube"
	"headway/internal/fault"
	"headway/internal/options/profiling"
)

func words(f fault.Field) string { return "<" + string(f) + ">" }

// A simulation needs no endpoint, and what ends it has nothing to remove; what runs
// on this host begins with how it is spoken to.
func TestOpen(t *testing.T) {
	asked := 0
	no := errors.New("no tokenizer")
	p := Place{SLA: &profiling.SLA{}, Note: t.Logf, Endpoint: func(context.Context) (deploy.EndpointConfig, error) {
		asked++
		return deploy.EndpointConfig{}, no
	}}
	p.On, p.LoadRate, p.Backend = "sim", 2, "sglang"
	bench, end, err := p.Open(t.Context())
	if err != nil || asked != 0 || end() != nil {
		t.Fatal(bench, err)
	}
	if sim := bench.(*deploy.Sim); sim.LoadRate != 2e9 || sim.Engine != "sglang" {
		t.Errorf("%+v", sim)
	}
	p.On = "process"
	if _, _, err := p.Open(t.Context()); !errors.Is(err, no) || asked != 1 {
		t.Errorf("%v after %d calls", err, asked)
	}
}

// Commands that cannot be are refused before anything runs, and the list of what
// was started is given up.
func TestOpenProcesses(t *testing.T) {
	state := t.TempDir()
	p := Place{SLA: &profiling.SLA{}, Note: t.Logf, Endpoint: func(context.Context) (deploy.EndpointConfig, error) {
		return deploy.EndpointConfig{}, nil
	}}
	p.On, p.OutputDir, p.GPUs = "process", t.TempDir(), "1"
	p.Caller.Environ = []string{"XDG_STATE_HOME=" + state}
	p.Command, p.MaxKV = "serve {nonsense}", 1
	if _, _, err := p.Open(t.Context()); err == nil || !errors.As(err, new(fault.UsageError)) {
		t.Errorf("%v", err)
	}
	p.Command = "serve --port {port}"
	if _, _, err := p.Open(t.Context()); err == nil || !strings.Contains(err.Error(), "exactly one is needed") {
		t.Errorf("%v", err)
	}
	if n, err := deploy.List(deploy.StateDir(p.Caller.Getenv), t.Logf); n != 0 || err != nil {
		t.Errorf("%d things are on a list, %v", n, err)
	}
}

func TestCleanup(t *testing.T) {
	var said []string
	c := Cleanup{State: t.TempDir(), Name: words,
		Say: func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }}
	if n, err := c.Run(t.Context()); n != 0 || err != nil || len(said) != 0 {
		t.Errorf("%d, %v: %v", n, err, said)
	}
	c.Namespace = "ns"
	f := kube.Found{Name: "d", Candidate: "prefill_tp1", Owner: deploy.Owner{Host: "h", PID: 7}}
	if got := c.became(f); got != "left alone: ns/d (prefill_tp1) of process 7 on h, which may still run; <all> "+
		"removes it" {
		t.Errorf("%q", got)
	}
	f.Removed = true
	if got := c.became(f); got != "removed DynamoGraphDeployment ns/d (prefill_tp1)" {
		t.Errorf("%q", got)
	}
}
