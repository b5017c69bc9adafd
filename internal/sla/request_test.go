package sla

import (
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"headway/internal/deploy"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/options/profiling"
	"headway/internal/settings"
)

// askedBy is a small search that a request asks for, and what it says on the way.
func askedBy(t *testing.T, request string, named ...string) (Asked, *strings.Builder) {
	t.Helper()
	var told strings.Builder
	q := Asked{
		SLA:    &profiling.SLA{},
		Caller: options.Caller{Given: map[string]bool{}, Named: map[string]bool{}},
		Settings: func() (settings.Settings, error) {
			return settings.Settings{}, nil
		},
		Note: func(format string, args ...any) { fmt.Fprintf(&told, format+"\n", args...) },
		Name: func(f fault.Field) string { return "--" + string(f) },
	}
	q.SLAModel = profiling.SLAModel{DGDR: request, Backend: "vllm", GPU: "h200_sxm", MemoryShare: .9, ComputeEff: .6,
		MemoryEff: .8, KVDType: "auto"}
	q.SLATarget = profiling.SLATarget{ISL: 3000, OSL: 500, TTFT: options.Milliseconds(50 * time.Millisecond),
		ITL: options.Milliseconds(10 * time.Millisecond), MaxContext: 4096, GPUHour: 3}
	q.SLASearch = profiling.SLASearch{Method: "fast", MinGPUs: 1, MaxGPUs: 2, Repeats: 2, Parallel: 1, Error: 30,
		PrefillG: 4, DecodeG: 3}
	q.SLAOn = profiling.SLAOn{On: "sim", LoadRate: 2, DeployWithin: options.Seconds(time.Minute),
		Unschedulable: options.Seconds(time.Minute)}
	q.OutputDir = t.TempDir()
	for _, name := range named {
		q.Caller.Named[name] = true
	}
	return q, &told
}

// spec is a bare request of a model with a sentence more.
func spec(more string) string {
	return `{"model": "qwen3-32b", "backend": "vllm", "hardware": {"gpuSku": "h200_sxm"}, ` + more + `}`
}

func TestRequestGivesOptions(t *testing.T) {
	q, told := askedBy(t, spec(`"workload": {"isl": 1000, "osl": 100, "requestRate": 5},
		"sla": {"ttft": 400, "itl": 25}`),
		"isl", "concurrency", "osl")
	q.ISL, q.OSL, q.InFlight = 2000, 100, 3
	s, err := q.Search(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(s.space().ISL, s.space().OSL, s.Search.SLO.TTFT, s.Demand.RequestRate, s.InFlight); got !=
		"2000 100 0.4 0 3" {
		t.Errorf("the search has %s", got)
	}
	const want = "note: --isl 2000 takes the place of workload.isl 1000\n" +
		"note: --concurrency 3 takes the place of workload.requestRate 5\n"
	if told.String() != want {
		t.Errorf("it told\n%swant\n%s", told, want)
	}
}

// What a request gives a value to is an option by its own name, so that an option on
// the command line is found to win.
func TestRequestTargetsAreOptions(t *testing.T) {
	q, _ := askedBy(t, "")
	options := map[fault.Field]any{}
	all := reflect.ValueOf(q.SLA).Elem()
	for _, f := range reflect.VisibleFields(all.Type()) {
		if name := f.Tag.Get("name"); name != "" {
			options[fault.Field(name)] = all.FieldByIndex(f.Index).Addr().Interface()
		}
	}
	for name, to := range q.targets() {
		if options[name] != to {
			t.Errorf("%s: it is no option's name, or another option's value", name)
		}
	}
}

// A latency from end to end is kept by the targets that it is divided into, and those
// on the command line take its place together.
func TestRequestLatency(t *testing.T) {
	request := spec(`"workload": {"isl": 1000, "osl": 100}, "sla": {"e2eLatency": 4000}`)
	q, told := askedBy(t, request)
	s, err := q.Search(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if all := s.lasts(s.Search.SLO.TTFT, s.Search.SLO.ITL); math.Abs(all-4) > 1e-9 || s.Latency != 4 {
		t.Errorf("%+v come to %g s", s.Search.SLO, all)
	}
	if got := s.Search.SLO.TTFT; math.Abs(time.Duration(q.TTFT).Seconds()-got) > 1e-9 || got < .05 || got > 2 {
		t.Errorf("the option has %v, the search %g", time.Duration(q.TTFT), got)
	}
	if !strings.Contains(told.String(), "note: sla.e2eLatency 4000 is divided into --ttft ") {
		t.Error(told)
	}
	q, _ = askedBy(t, request, "ttft", "itl")
	if s, err = q.Search(t.Context()); err != nil || s.Latency != 0 || s.Search.SLO.TTFT != .05 {
		t.Errorf("%+v, %v", s, err)
	}
	q, _ = askedBy(t, request, "ttft")
	if _, err = q.Search(t.Context()); err == nil || !strings.Contains(err.Error(), "give both") {
		t.Error(err)
	}
}

// Requests in flight are the rate at the latencies of the pools that serve it.
func TestConcurrency(t *testing.T) {
	c := small(t)
	c.InFlight, c.Curves = 30, false
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Run(t.Context(), &deploy.Sim{Setup: c.Search.Space.Setup}); err != nil {
		t.Fatal(err)
	}
	r := s.Result()
	lasts := s.lasts(r.Disagg.TTFT, r.Disagg.ITL)
	if flying := r.RequestRate * lasts; math.Abs(flying-30) > .3 || r.InFlight != 30 {
		t.Errorf("%g requests/s that last %g s are %g in flight", r.RequestRate, lasts, flying)
	}
}

// Where engines of a cluster are measured they get what the request adds to them; the
// answer is made of the deployment without it, so that it is added once.
func TestRequestOnKube(t *testing.T) {
	request := spec(`"workload": {"isl": 1000}, "overrides": {"dgd": {"metadata": {"name": "mine"}, "spec": {"services":
		{"decode": {"extraPodSpec": {"mainContainer": {"args": ["--max-num-seqs", "64"]}}}}}}}`)
	for _, on := range []string{"sim", "kube"} {
		q, _ := askedBy(t, request, "on")
		q.On = on
		s, err := q.Search(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		measured := strings.Contains(string(s.Served.Document.YAML()), "--max-num-seqs")
		kept := s.Search.Settings["overrides of the request"] != ""
		if measured != (on == "kube") || kept != measured {
			t.Errorf("%s: engines have the override: %v; it is among the settings: %v", on, measured, kept)
		}
		if strings.Contains(string(s.Requested.Document.YAML()), "--max-num-seqs") {
			t.Errorf("%s: the answer would have the arguments twice", on)
		}
	}
}

// What a search cannot honour, where it is read.
func TestRequestFaults(t *testing.T) {
	for _, c := range []struct{ request, on, want string }{
		{spec(`"searchStrategy": "thorough"`), "", "searchStrategy thorough: asks for engines that are measured"},
		{`{"model": "qwen3-32b", "searchStrategy": "thorough"}`, "kube", "backend: is left open"},
		{`{"model": "qwen3-32b", "hardware": {"gpuSku": "t4"}}`, "", `hardware.gpuSku: the GPU "t4" is not known`},
		{spec(`"hardware": {}`), "", "already set"},
		{`{"model": "qwen3-32b", "hardware": {"gpuSku": "h200_sxm", "interconnect": "pcie"}}`, "",
			`hardware.interconnect: "pcie": the roofline takes NVLink`},
		{`{"model": "qwen3-32b", "hardware": {"gpuSku": "h200_sxm", "rdma": false, "numGpusPerNode": 1}}`, "",
			"hardware.rdma: false: the roofline takes"},
		{spec(`"image": "a/b@sha256:0"`), "", "image: a/b@sha256:0 names an image by its digest"},
		{spec(`"features": {"mocker": {"enabled": true}}`), "", "features.mocker.enabled: mock engines need a profile"},
		{spec(`"overrides": {"dgd": {"spec": {"services": {"decode": 1}}}}`), "", "overrides: "},
		{"absent.yaml", "", "absent.yaml"},
		{"-", "", "there is no standard input"},
	} {
		q, _ := askedBy(t, c.request)
		if c.on != "" {
			q.On, q.Caller.Named["on"] = c.on, true
		}
		_, err := q.Search(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %s", c.request, err, c.want)
		}
	}
	q, told := askedBy(t, spec(`"searchStrategy": "thorough", "workload": {"isl": 1000}`), "on")
	q.Stdin = strings.NewReader(q.DGDR)
	q.DGDR = "-"
	if s, err := q.Search(t.Context()); err != nil || s.Search.Method != "thorough" ||
		!strings.Contains(told.String(), "note: --on sim: candidates are simulated, and searchStrategy thorough asks") {
		t.Errorf("%v\n%s", err, told)
	}
}
