package written

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// asked are requests whose answers differ in kind; all of them have an override and
// what Dynamo's profiler changes beside it. Their model is the one of quick.
var asked = map[string]string{
	"pools":              "",
	"planner":            "planner: {}",
	"mock engines":       "mocker: {enabled: true}",
	"planner and mocker": "planner: {}, mocker: {enabled: true}",
}

const request = `apiVersion: nvidia.com/v1beta1
kind: DynamoGraphDeploymentRequest
metadata: {name: asked}
spec:
  model: Qwen/Qwen3-32B
  backend: BACKEND
  image: nvcr.io/nvidia/ai-dynamo/dynamo-planner:1.6.1
  hardware: {gpuSku: h200_sxm, totalGpus: 4, numGpusPerNode: 8}
  workload: {isl: 1000, osl: 100}
  sla: {ttft: 100, itl: 20}
  features: {FEATURES}
  overrides:
    profilingJob: {template: {spec: {containers: [], tolerations: [{key: gpu, operator: Exists}]}}}
    dgd:
      apiVersion: nvidia.com/v1alpha1
      kind: DynamoGraphDeployment
      metadata: {name: mine, labels: {team: a}}
      spec: {envs: [{name: HF_HOME, value: /models}]}
`

// testRequest answers requests on a backend: the file that answers is taken as well
// as the others.
func (j judge) testRequest(t *testing.T, backend string) {
	for what, features := range asked {
		t.Run(what, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "dgdr.yaml")
			text := strings.NewReplacer("BACKEND", backend, "FEATURES", features).Replace(request)
			if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			for _, o := range objects(t, []byte(text)) {
				if err := j.take(t, o); err != nil {
					t.Errorf("the request: %v", err)
				}
			}
			names := j.written(t, j.search(t, "--config", file, "--on", "sim", "--max-context-length", "8192",
				"--max-num-gpus-per-engine", "2", "--prefill-interpolation-granularity", "4",
				"--decode-interpolation-granularity", "3", "--no-compare-aggregated"))
			for _, want := range []string{"final_config.yaml", "recommended_config.yaml"} {
				if !slices.Contains(names, want) {
					t.Errorf("no %s among %v", want, names)
				}
			}
		})
	}
}
