package kube

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"headway/internal/profile"
	"headway/internal/telemetry"
	"headway/record"
)

// systemPod gives a worker the port that Dynamo's operator gives it.
func systemPod(name string) map[string]any {
	o := podObject(name, "worker", "worker", running(0))
	main := o["spec"].(map[string]any)["containers"].([]any)[1].(map[string]any)
	main["ports"] = append(main["ports"].([]any), map[string]any{"name": "system", "containerPort": 9090})
	return o
}

// Beside the frontend's page those of the workers are read, each by the name of its
// pod; of GPUs those that its pods have.
func TestPagesOfWorkers(t *testing.T) {
	f := newFakeAPI(t)
	f.operate(healthy, false)
	made := f.made
	f.made = func(name string) {
		made(name)
		f.put("pods", systemPod(name))
		f.setReady(name)
	}
	b, _ := testBench(t, f, func(c *Config) {
		c.Endpoint.Sampling.Telemetry.SampleInterval = 1e9
	})
	e, err := b.Open(t.Context(), decode4())
	if err != nil {
		t.Fatal(err)
	}
	var sink counter
	ran, err := e.Run(t.Context(), profile.Part{Section: "s", Point: "p", Run: "r", Plan: plan(8)}, &sink)
	if err != nil || ran.Telemetry == nil {
		t.Fatalf("%+v, %v", ran, err)
	}
	worker := f.names(graphs)[0] + "-worker-x"
	pages := 0
	for _, s := range ran.Telemetry.Subjects {
		switch {
		case s.Kind == telemetry.KindGPU:
			t.Errorf("a GPU of another pod: %+v", s)
		case s.Kind == telemetry.KindServer:
			pages++
			if g := s.Gauges["kv_usage"]; s.Engine != telemetry.VLLM || g.Max != 0.5 {
				t.Errorf("%+v", s)
			}
		}
	}
	own := func(s record.TelemetrySource) bool { return s.Name == worker }
	if pages != 2 || !slices.ContainsFunc(ran.Telemetry.Sources, own) {
		t.Errorf("%d servers of %+v; wanted the frontend and %s", pages, ran.Telemetry.Sources, worker)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// The port is the one of that name, or what the main container is told.
func TestSystemPort(t *testing.T) {
	for name, tt := range map[string]struct {
		container string
		want      int64
	}{
		"named":     {`"ports":[{"name":"a"},{"name":"system","containerPort":9090}]`, 9090},
		"told":      {`"env":[{"name":"DYN_SYSTEM_PORT","value":"8081"}]`, 8081},
		"off":       {`"env":[{"name":"DYN_SYSTEM_PORT","value":"-1"}]`, 0},
		"elsewhere": {`"env":[{"name":"DYN_SYSTEM_PORT","valueFrom":{}}]`, 0},
	} {
		var p pod
		text := `{"spec":{"containers":[{"name":"main",` + tt.container + `}]}}`
		if err := json.Unmarshal([]byte(text), &p); err != nil || p.systemPort() != tt.want {
			t.Errorf("%s: %d, %v", name, p.systemPort(), err)
		}
	}
}

// A service of a deployment that somebody else made leads to the pages of its workers, by
// its label; one of no deployment to none.
func TestPagesBehindAService(t *testing.T) {
	f := forwardTo(t) // to pods of the deployments a and b, a first
	f.put("pods", systemPod("a"))
	f.put("pods", systemPod("b"))
	f.put("pods", podObject("a", "planner", "planner", running(0)))
	f.put("pods", map[string]any{"kind": "Pod", "apiVersion": "v1", "metadata": map[string]any{"name": "alone",
		"labels": map[string]any{"app": "alone"}}, "spec": map[string]any{"containers": []any{
		map[string]any{"name": "main", "ports": []any{map[string]any{"containerPort": 80}}}}}, "status": running(0)})
	f.put("services", map[string]any{"kind": "Service", "apiVersion": "v1", "metadata": map[string]any{"name": "alone"},
		"spec": map[string]any{"selector": map[string]any{"app": "alone"}, "ports": []any{map[string]any{"port": 80}}}})
	ways := &Forwards{cluster: f.cluster(), targets: []string{"svc/front", "svc/alone"}}
	var notes []string
	pages := ways.Workers(t.Context(), func(format string, args ...any) {
		notes = append(notes, fmt.Sprintf(format, args...))
	})
	if len(notes) > 0 || len(pages) != 2 || len(pages[1]) > 0 || len(pages[0]) != 1 ||
		pages[0][0].Name != "a-worker-x" {
		t.Fatalf("%v, %q", pages, notes)
	}
	answer, err := http.Get(pages[0][0].URL + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if err := ways.Close(); err != nil {
		t.Error(err)
	}
	if _, err := http.Get(pages[0][0].URL); err == nil {
		t.Error("the way is still there")
	}
}
