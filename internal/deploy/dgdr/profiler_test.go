package dgdr

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"sigs.k8s.io/yaml"

	"headway/internal/deploy/dgd"
	"headway/internal/fault"
)

// profilerCase is a specification, and what Dynamo's profiler makes of it.
type profilerCase struct {
	Spec    json.RawMessage `json:"spec"`
	Differs string          `json:"differs"`
	Read    *profilerSpec   `json:"read"`
	Error   string          `json:"error"`
}

type profilerSpec struct {
	Model     string          `json:"model"`
	Backend   string          `json:"backend"`
	Runtime   *string         `json:"runtimeVersionOverride"`
	Strategy  string          `json:"searchStrategy"`
	Cache     map[string]any  `json:"modelCache"`
	Hardware  map[string]any  `json:"hardware"`
	Workload  map[string]any  `json:"workload"`
	SLA       map[string]any  `json:"sla"`
	Overrides map[string]any  `json:"overrides"`
	Derived   profilerDerived `json:"derived"`
}

type profilerDerived struct {
	WorkerImage  string  `json:"workerImage"`
	PlannerImage string  `json:"plannerImage"`
	Planner      bool    `json:"planner"`
	Mocker       bool    `json:"mocker"`
	KVRouter     bool    `json:"kvRouter"`
	Tolerations  []any   `json:"tolerations"`
	ModelPath    *string `json:"modelPath"`
}

func profilerCases(t *testing.T) map[string]*profilerCase {
	t.Helper()
	dir := filepath.Join("testdata", "profiler")
	cases, err := os.ReadFile(filepath.Join(dir, "cases.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]*profilerCase{}
	if err := yaml.Unmarshal(cases, &all); err != nil {
		t.Fatal(err)
	}
	made, err := os.ReadFile(filepath.Join(dir, "read.json"))
	if err != nil {
		t.Fatal(err)
	}
	read := struct{ Cases map[string]profilerCase }{}
	if err := json.Unmarshal(made, &read); err != nil {
		t.Fatal(err)
	}
	if len(read.Cases) != len(all) {
		t.Fatalf("%d cases, and the profiler read %d: run test/dynamo/requests/profiler.py", len(all), len(read.Cases))
	}
	for name, c := range all {
		c.Read, c.Error = read.Cases[name].Read, read.Cases[name].Error
	}
	return all
}

// Requests are read as the profiler of Dynamo 1.6.1 reads them, defaults and refusals
// included, but for what says why not (test/dynamo/requests/profiler.py made read.json).
func TestProfiler(t *testing.T) {
	for name, c := range profilerCases(t) {
		t.Run(name, func(t *testing.T) {
			r, err := Read(c.Spec)
			refused := c.Error != ""
			if _, ok := r.imageOf(err); !ok {
				err = errors.New("the workers have no image")
			}
			switch {
			case c.Differs != "":
				if refused == (err != nil) {
					t.Errorf("it does not differ (any more): %q, %v", c.Error, err)
				}
			case refused != (err != nil):
				t.Errorf("the profiler says %q, and headway %v", c.Error, err)
			case !refused:
				c.Read.compare(t, r)
			}
		})
	}
}

// imageOf is the image of vLLM's workers, where the request could be read.
func (r *Request) imageOf(err error) (string, bool) {
	if err != nil {
		return "", true
	}
	return r.WorkerImage(dgd.VLLM)
}

// compare holds headway's reading against the profiler's.
func (p profilerSpec) compare(t *testing.T, r *Request) {
	t.Helper()
	for option, want := range map[fault.Field]any{
		"model": p.Model, "gpu": p.Hardware["gpuSku"], "total-gpus": p.Hardware["totalGpus"],
		"num-gpus-per-node": p.Hardware["numGpusPerNode"], "isl": p.Workload["isl"], "osl": p.Workload["osl"],
		"concurrency": p.Workload["concurrency"], "request-rate": p.Workload["requestRate"],
		"ttft": p.SLA["ttft"], "itl": p.SLA["itl"], "model-cache-pvc-name": p.Cache["pvcName"],
	} {
		equal(t, string(option), r.Of(option), want)
	}
	if vram, is := p.Hardware["vramMb"].(float64); is {
		equal(t, "memory", r.Of("gpu-memory-gib"), vram/1024)
	}
	if latency, is := p.SLA["e2eLatency"].(float64); is {
		equal(t, "latency", r.Latency*1e3, latency)
	}
	backend := "auto"
	if !r.AnyBackend {
		backend = r.Of("backend").(string)
	}
	equal(t, "backend", backend, p.Backend)
	equal(t, "thorough", r.Of("search") == "thorough", p.Strategy == "thorough")
	p.compareFinal(t, r, backend)
}

// compareFinal does so with what is done to the deployment in the end.
func (p profilerSpec) compareFinal(t *testing.T, r *Request, backend string) {
	t.Helper()
	if backend == "auto" {
		backend = dgd.VLLM
	}
	image, _ := r.WorkerImage(backend)
	d := p.Derived
	equal(t, "workers' image", image, d.WorkerImage)
	equal(t, "planner's image", r.PlannerImage, d.PlannerImage)
	equal(t, "planner", r.Planner, d.Planner)
	equal(t, "mocker", r.Mocker, d.Mocker)
	equal(t, "router", r.Final.KVRouter, d.KVRouter)
	equal(t, "tolerations", len(r.Final.Tolerations), len(d.Tolerations))
	equal(t, "trust", r.Final.TrustRemoteCode, p.Overrides["trustRemoteCode"] == true)
	if p.Runtime != nil {
		equal(t, "version", r.Final.RuntimeVersion, *p.Runtime)
	}
	if over, is := p.Overrides["dgd"].(map[string]any); is && !reflect.DeepEqual(r.Final.Override, over) {
		t.Errorf("the override is %v; the profiler has %v", r.Final.Override, over)
	}
	if d.ModelPath == nil {
		return
	}
	text := func(option fault.Field) string { s, _ := r.Of(option).(string); return s }
	doc, err := dgd.Default(backend)
	if err != nil {
		t.Fatal(err)
	}
	doc, err = doc.WithModel(backend, dgd.Model{Path: p.Model, PVC: text("model-cache-pvc-name"),
		Mount: text("model-cache-pvc-mount-path"), Folder: text("model-cache-pvc-path")})
	if err != nil {
		t.Fatal(err)
	}
	facts, err := doc.Facts(backend)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "model's path", facts.Model, *d.ModelPath)
}

// equal compares values, numbers whatever their types.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s is %v; the profiler has %v", what, got, want)
	}
}
