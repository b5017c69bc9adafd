package dgdr

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"headway/internal/fault"
)

func read(t *testing.T, name string) *Request {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	if !Holds(data) {
		t.Fatalf("%s is not taken for a request", name)
	}
	r, err := Read(data)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return r
}

// said is what a request says, a line each.
func said(r *Request) string {
	var b strings.Builder
	for _, v := range r.Values {
		fmt.Fprintf(&b, "%s = %v (%s)", string(v.Option), v.V, v.Path)
		if v.Default {
			b.WriteString(" default")
		}
		b.WriteString("\n")
	}
	for _, u := range r.Unused {
		fmt.Fprintf(&b, "unused %s\n", u.Path)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(&b, "note %s\n", n.Path)
	}
	return b.String()
}

// The fields of Dynamo's three examples of v1alpha1 and of v1beta1, as options.
func TestRead(t *testing.T) {
	for _, c := range []struct{ file, want, measured, simulated string }{
		{"aic.yaml", `model = Qwen/Qwen3-32B (spec.model)
backend = trtllm (spec.backend)
isl = 3000 (spec.profilingConfig.config.sla.isl)
osl = 150 (spec.profilingConfig.config.sla.osl)
ttft = 500 (spec.profilingConfig.config.sla.ttft)
itl = 30 (spec.profilingConfig.config.sla.itl)
gpu = h200_sxm (spec.profilingConfig.config.sweep.aicSystem)
dgd-image = registry.example/tensorrtllm-runtime:my-tag (spec.deploymentOverrides.workersImage)
unused spec.profilingConfig.profilerImage
unused spec.autoApply
note spec.profilingConfig.config.sweep.useAiConfigurator
`, "", "spec.profilingConfig.config.sweep.useAiConfigurator"},
		{"online.yaml", `model = Qwen/Qwen3-0.6B (spec.model)
backend = vllm (spec.backend)
isl = 3000 (spec.profilingConfig.config.sla.isl)
osl = 150 (spec.profilingConfig.config.sla.osl)
ttft = 200 (spec.profilingConfig.config.sla.ttft)
itl = 20 (spec.profilingConfig.config.sla.itl)
dgd-image = registry.example/vllm-runtime:my-tag (spec.deploymentOverrides.workersImage)
unused spec.profilingConfig.profilerImage
unused spec.autoApply
`, "spec.profilingConfig.config.sweep.useAiConfigurator false", ""},
		{"moe.yaml", `model = deepseek-ai/DeepSeek-R1 (spec.model)
backend = sglang (spec.backend)
model-cache-pvc-name = model-cache (spec.profilingConfig.config.deployment.modelCache.pvcName)
model-cache-pvc-path = deepseek-r1 (spec.profilingConfig.config.deployment.modelCache.pvcPath)
model-cache-pvc-mount-path = /opt/model-cache (spec.profilingConfig.config.deployment.modelCache.mountPath) default
min-num-gpus-per-engine = 8 (spec.profilingConfig.config.hardware.minNumGpusPerEngine)
max-num-gpus-per-engine = 16 (spec.profilingConfig.config.hardware.maxNumGpusPerEngine)
num-gpus-per-node = 8 (spec.profilingConfig.config.hardware.numGpusPerNode)
isl = 3000 (spec.profilingConfig.config.sla.isl)
osl = 150 (spec.profilingConfig.config.sla.osl)
ttft = 200 (spec.profilingConfig.config.sla.ttft)
itl = 20 (spec.profilingConfig.config.sla.itl)
dgd-image = registry.example/sglang-runtime:my-tag (spec.deploymentOverrides.workersImage)
unused spec.profilingConfig.profilerImage
unused spec.autoApply
`, "spec.profilingConfig.config.sweep.useAiConfigurator false", ""},
		{"whole.yaml", `namespace = inference (metadata.namespace)
model = Qwen/Qwen3-32B (spec.model)
backend = sglang (spec.backend)
model-cache-pvc-name = model-cache (spec.modelCache.pvcName)
model-cache-pvc-path = qwen3-32b (spec.modelCache.pvcModelPath)
model-cache-pvc-mount-path = /models (spec.modelCache.pvcMountPath)
gpu = h100_sxm (spec.hardware.gpuSku)
gpu-memory-gib = 79.6474609375 (spec.hardware.vramMb)
total-gpus = 16 (spec.hardware.totalGpus)
num-gpus-per-node = 8 (spec.hardware.numGpusPerNode)
isl = 3000 (spec.workload.isl)
osl = 150 (spec.workload.osl)
request-rate = 7.5 (spec.workload.requestRate)
ttft = 500 (spec.sla.ttft)
itl = 30 (spec.sla.itl)
search = thorough (spec.searchStrategy)
unused spec.overrides.profilingJob.template.spec.serviceAccountName
unused spec.autoApply
`, "spec.searchStrategy thorough", ""},
	} {
		r := read(t, c.file)
		if got := said(r); got != c.want {
			t.Errorf("%s:\n%swant\n%s", c.file, got, c.want)
		}
		if r.Measured != c.measured || r.Simulated != c.simulated {
			t.Errorf("%s: measured %q, simulated %q", c.file, r.Measured, r.Simulated)
		}
	}
	if r := read(t, "moe.yaml"); r.BaseRef != "deepseek-r1-config/disagg-16gpu.yaml" || r.Base != nil {
		t.Errorf("it starts from %q", r.BaseRef)
	}
}

// What is done to the deployment in the end.
func TestReadFinal(t *testing.T) {
	r := read(t, "whole.yaml")
	if got := strings.Join(r.PlannerArgs, " "); !r.Planner ||
		got != `--adjustment-interval=60 --nested={"a":[1,2]} --optimization-target=sla` {
		t.Errorf("the planner gets %s", got)
	}
	f := r.Final
	if !f.KVRouter || !f.TrustRemoteCode || f.RuntimeVersion != "1.6.1" || r.Mocker {
		t.Errorf("%+v", f)
	}
	if len(f.Tolerations) != 1 || f.Override["kind"] != "DynamoGraphDeployment" {
		t.Errorf("tolerations %v, override %v", f.Tolerations, f.Override)
	}
	if image, ok := r.WorkerImage("trtllm"); !ok || image != "registry.example:5000/team/tensorrtllm-runtime:1.6.1" {
		t.Errorf("workers have the image %s", image)
	}
	r.Image = "dynamo-planner@sha256:0123"
	if _, ok := r.WorkerImage("vllm"); ok {
		t.Error("a digest was given to another image")
	}
}

// bare is a spec alone, as Dynamo's profiler is started with.
const bare = `{"model": "qwen3-32b"}`

// A bare spec, and what the API fills in.
func TestReadDefaults(t *testing.T) {
	for _, text := range []string{bare,
		"model: qwen3-32b\nbackend: auto\nsla:\nworkload: {isl: null}\nfeatures: {}\n"} {
		if !Holds([]byte(text)) {
			t.Fatalf("%s is not taken for a request", text)
		}
		r, err := Read([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		want := "model = qwen3-32b (model)\nisl = 4000 (workload.isl) default\nosl = 1000 (workload.osl) default\n" +
			"ttft = 2000 (sla.ttft) default\nitl = 30 (sla.itl) default\nnote hardware.gpuSku\n"
		if got := said(r); got != want || !r.AnyBackend || r.Measured != "" {
			t.Errorf("%s:\n%s", text, got)
		}
	}
	r, err := Read([]byte(`{"model": "m", "sla": {"e2eLatency": 4500}, "workload": {"concurrency": 2.5}}`))
	if err != nil || r.Latency != 4.5 || r.Of("ttft") != nil || r.Of("concurrency") != 2.5 {
		t.Errorf("%+v, %v", r, err)
	}
	if Inline("dgdr.yaml") || !Inline(bare) || Holds([]byte("kind: DynamoGraphDeployment")) ||
		Holds([]byte("model: [")) || !Holds([]byte("kind: "+Kind+"\nspec: [")) {
		t.Error("a request is taken for another thing, or the other way round")
	}
}

// The keys of the older profiler with underscores are those in camelCase, and every
// one of them is read.
func TestReadSpellings(t *testing.T) {
	const text = `apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeploymentRequest
spec:
  model: m
  backend: vllm
  useMocker: true
  enableGpuDiscovery: true
  profilingConfig:
    profilerImage: i
    outputPVC: p
    resources: {limits: {cpu: "1"}}
    nodeSelector: {a: b}
    tolerations: [{key: k}]
    config:
      output_dir: out
      deployment: {namespace: ns, model: m, dgd_image: d, service_name: s,
        model_cache: {pvc_name: c, model_path_in_pvc: x, pvc_mount_path: /y}}
      engine: {backend: vllm, config: disagg.yaml, max_context_length: 8192}
      hardware: {min_num_gpus_per_engine: 0, max_num_gpus_per_engine: 4, num_gpus_per_node: 8, enable_gpu_discovery: true}
      sweep: {prefill_interpolation_granularity: 8, decode_interpolation_granularity: 4, dry_run: true,
        pick_with_webui: false, webui_port: 8000, use_ai_configurator: true, aic_system: h100_sxm, aic_hf_id: m,
        aic_model_name: m, aic_backend: vllm, aic_backend_version: "1"}
      planner: {planner_min_endpoint: 2, max_gpu_budget: 8}
  deploymentOverrides: {name: d, namespace: e, labels: {a: b}, annotations: {c: d}}
`
	snakes, err := Read([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	const want = "--max-gpu-budget=8 --min-endpoint=2"
	if got := strings.Join(snakes.PlannerArgs, " "); got != want || len(snakes.Values) != 17 || !snakes.Mocker {
		t.Errorf("%s\n%s", got, said(snakes))
	}
	if meta := fmt.Sprint(snakes.Final.Identity()); meta !=
		"map[metadata:map[annotations:map[c:d] labels:map[a:b] name:d]]" || snakes.Final.Namespace != "e" {
		t.Error(meta)
	}
	camels, err := Read([]byte(camelled(text)))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range camels.Values {
		if old := snakes.Values[i]; v.Option != old.Option || v.V != old.V {
			t.Errorf("%v is %v with underscores", v, old)
		}
	}
	if got := strings.Join(camels.PlannerArgs, " "); got != want {
		t.Error(got)
	}
}

// camelled is a configuration with its keys in camelCase.
func camelled(text string) string {
	for _, word := range strings.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(" {},\n", c) }) {
		if key, is := strings.CutSuffix(word, ":"); is && strings.Contains(key, "_") {
			text = strings.ReplaceAll(text, key+":", camel(key)+":")
		}
	}
	return text
}

// A ConfigMap in the file is what the request starts from; other objects are said to
// be left out.
func TestReadConfigMap(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "moe.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := Read(append(data, []byte(`---
apiVersion: v1
kind: ConfigMap
metadata: {name: deepseek-r1-config}
data:
  disagg-16gpu.yaml: |
    kind: DynamoGraphDeployment
---
kind: Secret
metadata: {name: token}
`)...))
	if err != nil || string(r.Base) != "kind: DynamoGraphDeployment\n" {
		t.Fatalf("%q, %v", r.Base, err)
	}
	if last := r.Unused[len(r.Unused)-1]; last.Path != "Secret token" {
		t.Errorf("unused: %v", r.Unused)
	}
}

// TestReadFaults has what the API's rules forbid, values of another type, and keys
// that are not there; each fault has its path.
func TestReadFaults(t *testing.T) {
	const alpha = `{"apiVersion":"nvidia.com/v1alpha1","kind":"DynamoGraphDeploymentRequest","spec":%s}`
	const config = `{"model":"m","backend":"vllm","profilingConfig":{"profilerImage":"i","config":%s}}`
	for _, c := range []struct{ form, spec, want string }{
		{"%s", `{"model":"m","workload":{"concurrency":3,"requestRate":2}}`,
			"workload.concurrency and workload.requestRate: give one of them"},
		{"%s", `{"model":"m","sla":{"e2eLatency":3,"ttft":2}}`, "sla.e2eLatency with sla.ttft or sla.itl"},
		{"%s", `{"model":"m","sla":{"ttft":"200"}}`,
			`sla.ttft: "200" is text, and has to be a number, in milliseconds`},
		{"%s", `{"model":"m","sla":{"ttft":0}}`, "sla.ttft: 0 must be above 0"},
		{"%s", `{"model":"m","sla":{"itl":-1.5}}`, "sla.itl: -1.5 must be above 0"},
		{"%s", `{"model":"m","sla":{"optimizationType":"latency"}}`, "sla.optimizationType: latency: "},
		{"%s", `{"model":"m","sla":{"optimizationType":"cost"}}`, `"cost" is not one of latency, throughput`},
		{"%s", `{"model":"m","sla":[]}`, "sla: the value is a list, and has to be an object with fields"},
		{"%s", `{"model":"m","hardware":{"vramMb":"80Gi"}}`,
			`hardware.vramMb: "80Gi" is text, and has to be a number, in MiB`},
		{"%s", `{"model":"m","hardware":{"gpuSku":"H100"}}`, `hardware.gpuSku: "H100" is not one of `},
		{"%s", `{"model":"m","hardware":{"totalGpus":0}}`, "hardware.totalGpus: 0 must be from 1 to 2147483647"},
		{"%s", `{"model":"m","hardware":{"rdma":"yes"}}`, `hardware.rdma: "yes" is text, and has to be true or false`},
		{"%s", `{"model":"m","workload":{"isl":3.5}}`, "workload.isl: 3.5 is a number, and has to be a whole number"},
		{"%s", `{"model":"m","workload":{"isl":3000000000}}`, "workload.isl: 3000000000 must be from 1"},
		{"%s", `{"model":"m","workload":{"Isl":3}}`, "workload.Isl: there is no such field; did you mean isl?"},
		{"%s", `{"model":"m","workloads":{}}`, "workloads: there is no such field; did you mean workload?"},
		{"%s", `{"model":""}`, "model: is empty"},
		{"%s", `{"model":null}`, "model: is missing"},
		{"%s", `{"model":"m","backend":"tgi"}`, `backend: "tgi" is not one of auto, `},
		{"%s", `{"model":"m","runtimeVersionOverride":"v1.6"}`, `runtimeVersionOverride: "v1.6" is not a version`},
		{"%s", `{"model":"m","modelCache":{"pvcModelPath":"x"}}`, "modelCache.pvcModelPath: needs modelCache.pvcName"},
		{"%s", `{"model":"m","searchStrategy":"slow"}`, `searchStrategy: "slow" is not one of rapid, thorough`},
		{"%s", `{"model":"m","overrides":{"dgd":{"kind":"Pod","apiVersion":"v1"}}}`,
			"overrides.dgd.kind: Pod has to be"},
		{"%s", `{"model":"m","overrides":{"dgd":{"kind":"DynamoGraphDeployment"}}}`, "has one of apiVersion and kind"},
		{"%s", `{"model":"m","overrides":{"dgd":{"spec":{"services":{"a":[null]}}}}}`,
			"overrides.dgd.spec.services.a[0]: is null"},
		{"%s", `{"model":"m","overrides":{"dgd":{"status":{}}}}`, "overrides.dgd.status: cannot be overridden"},
		{"%s", `{"model":"m","features":{"mocker":{"enabled":true},"planner":{"pre_deployment_sweeping_mode":"none"}}}`,
			"features.planner.pre_deployment_sweeping_mode: mock engines need a profile"},
		{alpha, `{"model":"m","backend":"vllm"}`, "spec.profilingConfig: is missing"},
		{alpha, `{"model":"m","profilingConfig":{}}`, "spec.backend: is missing"},
		{alpha, `{"model":"m","backend":"vllm","profilingConfig":{}}`,
			"spec.profilingConfig.profilerImage: is missing"},
		{alpha, `{"model":"m","backend":"vllm","sla":{}}`, "spec.sla: there is no such field"},
		{alpha, fmt.Sprintf(config, `{"sla":{"ttft":[1]}}`), "config.sla.ttft: the value is a list"},
		{alpha, fmt.Sprintf(config, `{"sweep":{"useAiConfigurater":true}}`), "did you mean use_ai_configurator?"},
		{alpha, fmt.Sprintf(config, `{"sweep":{"dryRun":true,"dry_run":true}}`),
			"config.sweep.dry_run: is the same field as spec.profilingConfig.config.sweep.dryRun: give it once"},
		{alpha, fmt.Sprintf(config, `{"sweep":{"pickWithWebui":true}}`), "sweep.pickWithWebui: is not built"},
		{alpha, fmt.Sprintf(config, `{"sweep":{"aicHfId":"other"}}`), `sweep.aicHfId: "other", and spec.model is "m"`},
		{`{"apiVersion":"nvidia.com/v2","kind":"DynamoGraphDeploymentRequest","spec":%s}`, `{}`, "apiVersion: "},
		{`{"apiVersion":"nvidia.com/v1beta1","kind":"DynamoGraphDeploymentRequest"%.0s}`, ``, "spec: is missing"},
		{"%s", "kind: DynamoGraphDeploymentRequest\n---\nkind: DynamoGraphDeploymentRequest\nmetadata: {name: b}\n",
			"it holds 2 objects of kind DynamoGraphDeploymentRequest (without a name, b)"},
		{"%s", "kind: DynamoGraphDeploymentRequest\n---\nkind: DynamoGraphDeployment\n",
			"it holds a DynamoGraphDeployment beside a DynamoGraphDeploymentRequest"},
		{"%s", "kind: Pod\n", "it holds no object of kind DynamoGraphDeploymentRequest"},
		{"%s", "model: a\nmodel: b\n", "already set"},
		{"%s", "a: [", "document 1: "},
	} {
		_, err := Read(fmt.Appendf(nil, c.form, c.spec))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %s", c.spec, err, c.want)
		}
	}
	_, err := Read([]byte(`{"model":"m","sla":{"ttft":"a","itl":"b"},"x":1}`))
	if joined, is := err.(interface{ Unwrap() []error }); !is || len(joined.Unwrap()) != 3 {
		t.Errorf("not every fault is told: %v", err)
	}
}

// FuzzRead reads what anything may have written; what it takes is the same when it is
// read again.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"aic.yaml", "moe.yaml", "whole.yaml"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(bare))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Read(data)
		if err != nil {
			return
		}
		again, err := Read(data)
		if err != nil || said(again) != said(r) {
			t.Errorf("read again it is another request: %v", err)
		}
		for _, v := range r.Values {
			if v.Option == fault.Field("") || v.Path == "" || v.V == nil {
				t.Errorf("a value without a field: %+v", v)
			}
		}
		if left := nulls(r.Final.Override, ""); r.Final.Override != nil && left != nil {
			t.Errorf("the override has nulls: %v", left)
		}
	})
}
