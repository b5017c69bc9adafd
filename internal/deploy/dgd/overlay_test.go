package dgd

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"
)

// parsed is an override as YAML says it.
func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	o, err := decodeObject(text)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// standing is what stands at a path of a deployment, on one line; numbers of the path are
// places in lists.
func standing(d *Document, steps ...any) string {
	v, _ := lookup(d.objects[d.at], path(steps))
	out, err := yaml.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

func overlaid(t *testing.T, d *Document, text string) (*Document, []string) {
	t.Helper()
	next, ignored, err := d.Overlay(parsed(t, text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return next, ignored
}

func alphaDefault(t *testing.T) *Document {
	t.Helper()
	d, err := Default(VLLM)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func betaInput(t *testing.T) *Document {
	t.Helper()
	d, _ := input(t, "vllm-v1beta1")
	return d
}

// Mappings are merged, lists by the keys of their items, other lists are replaced,
// and arguments of workers in v1alpha1 are added.
func TestOverlay(t *testing.T) {
	d := alphaDefault(t)
	next, ignored := overlaid(t, d, `
apiVersion: nvidia.com/v1alpha1
kind: DynamoGraphDeployment
metadata: {name: other, uid: "1", namespace: n, labels: {a: b}, annotations: {nvidia.com/dgd-x: "1", c: d}}
spec:
  envs: [{name: A, value: "1"}]
  services:
    Nobody: {replicas: 3}
    Frontend: {extraPodSpec: {mainContainer: {args: [--http-port, "80"]}}}
    decode:
      replicas: 4
      resources: {limits: {memory: 10Gi}}
      extraPodSpec:
        mainContainer: {args: [--max-num-seqs, "64"], command: [python3, -m, dynamo.vllm, --x]}
        tolerations: [{key: k}]
`)
	for _, c := range []struct {
		at   []any
		want string
	}{
		{[]any{"metadata"}, "annotations: c: d labels: a: b name: other"},
		{[]any{"spec", "envs"}, `- name: A value: "1"`},
		{[]any{"spec", "services", "decode", "replicas"}, "4"},
		{[]any{"spec", "services", "decode", "resources", "limits"}, `gpu: "1" memory: 10Gi`},
		{[]any{"spec", "services", "decode", "extraPodSpec", "tolerations"}, "- key: k"},
		{[]any{"spec", "services", "decode", "extraPodSpec", "mainContainer", "command"},
			"- python3 - -m - dynamo.vllm - --x"},
		{[]any{"spec", "services", "Frontend", "extraPodSpec", "mainContainer", "args"}, `- --http-port - "80"`},
		{[]any{"spec", "services", "Nobody"}, "null"},
	} {
		if got := standing(next, c.at...); got != c.want {
			t.Errorf("%v is %s; want %s", c.at, got, c.want)
		}
	}
	args := standing(next, "spec", "services", "decode", "extraPodSpec", "mainContainer", "args")
	if !strings.HasPrefix(args, "- --model ") || !strings.HasSuffix(args, `- --max-num-seqs - "64"`) {
		t.Errorf("the decode worker has %s", args)
	}
	for _, want := range []string{"metadata.uid", "metadata.namespace", "nvidia.com/dgd-x", "spec.services.Nobody"} {
		if !strings.Contains(strings.Join(ignored, "\n"), want) {
			t.Errorf("nothing is said of %s: %v", want, ignored)
		}
	}
	if !strings.HasPrefix(string(next.YAML()), "# vLLM, where no deployment is given.") {
		t.Error("the comments are gone")
	}
}

// An override of one version and a deployment of the other: the fields that both
// have, under their names there.
func TestOverlayVersions(t *testing.T) {
	alpha, _ := overlaid(t, alphaDefault(t), `
apiVersion: nvidia.com/v1beta1
kind: DynamoGraphDeployment
spec:
  env: [{name: A, value: "1"}]
  components:
  - name: decode
    type: decode
    replicas: 2
    podTemplate:
      metadata: {labels: {a: b}}
      spec:
        priorityClassName: high
        containers:
        - {name: side, image: s}
        - name: main
          args: [--only]
          resources: {limits: {nvidia.com/gpu: "4", cpu: "8", rdma/ib: "1"}}
`)
	want := `componentType: worker envFromSecret: hf-token-secret extraPodMetadata: labels: a: b extraPodSpec: ` +
		`containers: - image: s name: side mainContainer: args: - --only command: - python3 - -m - dynamo.vllm ` +
		`image: example.invalid/vllm-runtime:set-with-dgd-image priorityClassName: high replicas: 2 ` +
		`resources: limits: cpu: "8" custom: rdma/ib: "1" gpu: "4" subComponentType: decode`
	if got := standing(alpha, "spec", "services", "decode"); got != want {
		t.Errorf("decode is\n%s\nwant\n%s", got, want)
	}
	if got := standing(alpha, "spec", "envs"); got != `- name: A value: "1"` {
		t.Error(got)
	}
	const i = 1 // the decode worker
	beta, _ := overlaid(t, betaInput(t), `
spec:
  services:
    VllmDecodeWorker:
      componentType: worker
      subComponentType: decode
      envs: [{name: A, value: "1"}]
      envFromSecret: token
      resources: {limits: {gpu: "4", custom: {rdma/ib: "1"}}}
      extraPodSpec: {mainContainer: {args: [--more]}, priorityClassName: high}
`)
	main := []any{"spec", "components", i, "podTemplate", "spec", "containers", 0}
	if got := standing(beta, append(main, "args")...); !strings.HasSuffix(got, "- --more") || len(got) < 30 {
		t.Errorf("the arguments are %s", got)
	}
	if got := standing(beta, append(main, "resources", "limits")...); !strings.Contains(got, `nvidia.com/gpu: "4"`) ||
		!strings.Contains(got, `rdma/ib: "1"`) {
		t.Errorf("the limits are %s", got)
	}
	if got := standing(beta, "spec", "components", i, "type"); got != "decode" {
		t.Errorf("the type is %s", got)
	}
}

// What has no counterpart, and what is no deployment, is refused.
func TestOverlayFaults(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"apiVersion: nvidia.com/v1beta1\nspec: {components: [{name: decode, sharedMemorySize: 1Gi}]}",
			"spec.components[name=decode].sharedMemorySize: has no counterpart in nvidia.com/v1alpha1"},
		{"apiVersion: nvidia.com/v1beta1\nspec: {components: [{replicas: 1}]}",
			"spec.components[0]: has to be an object"},
		{"spec: {services: {decode: 5}}", "spec.services.decode: has to be an object"},
		{"spec: {services: []}", "spec.services: has to be an object"},
		{"spec: 5", "spec: has to be an object"},
		{"other: {}", "other: there is no such field"},
		{"spec: {services: {decode: {extraPodSpec: {mainContainer: {args: --x}}}}}", "the arguments of decode: "},
	} {
		_, _, err := alphaDefault(t).Overlay(parsed(t, c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v; want %s", c.text, err, c.want)
		}
	}
}

// Merging what is there already changes no byte, and merging twice is merging once,
// but for arguments of workers in v1alpha1.
func TestOverlayAgain(t *testing.T) {
	d := betaInput(t)
	same, _, err := d.Overlay(d.Object())
	if err != nil || string(same.YAML()) != string(d.YAML()) {
		t.Errorf("merged with itself it is another text: %v", err)
	}
	names := d.Services()
	rapid.Check(t, func(r *rapid.T) {
		name := rapid.SampledFrom(names).Draw(r, "component")
		env := rapid.SampledFrom([]string{"A", "B", "HF_HOME"}).Draw(r, "variable")
		value := rapid.StringMatching(`[ -~]{0,8}`).Draw(r, "value")
		over := map[string]any{"apiVersion": V1Beta1, "spec": map[string]any{"components": []any{map[string]any{
			"name": name, "replicas": int64(rapid.IntRange(1, 9).Draw(r, "replicas")),
			"podTemplate": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "main",
				"env":  []any{map[string]any{"name": env, "value": value}},
				"args": []any{rapid.StringMatching(`--[a-z]{1,5}`).Draw(r, "argument")}}}}}}}}}
		once, _, err := d.Overlay(over)
		if err != nil {
			r.Fatal(err)
		}
		twice, _, err := once.Overlay(over)
		if err != nil || !reflect.DeepEqual(once.Object(), twice.Object()) {
			r.Fatalf("%v\n%s\n%s", err, once.YAML(), twice.YAML())
		}
	})
}

// What a request asks of every service, of the frontend, of workers and of pools.
func TestAdjust(t *testing.T) {
	for _, d := range []*Document{alphaDefault(t), betaInput(t)} {
		all := d
		for _, change := range []func(*Document) (*Document, error){
			func(d *Document) (*Document, error) { return d.WithRuntimeVersion("1.6.1") },
			func(d *Document) (*Document, error) {
				return d.WithTolerations([]any{map[string]any{"key": "gpu"}, map[string]any{"key": "gpu"}})
			},
			func(d *Document) (*Document, error) { return d.WithTolerations([]any{map[string]any{"key": "gpu"}}) },
			func(d *Document) (*Document, error) { return d.WithKVRouter(VLLM) },
			func(d *Document) (*Document, error) { return d.WithTrust(VLLM) },
			func(d *Document) (*Document, error) { return d.WithTrust(VLLM) },
			func(d *Document) (*Document, error) { return d.WithReplicas(VLLM, 3, 2) },
		} {
			var err error
			if all, err = change(all); err != nil {
				t.Fatal(err)
			}
		}
		text := string(all.YAML())
		services := len(d.Services())
		for what, n := range map[string]int{"runtimeVersionOverride: 1.6.1": services, "key: gpu": services,
			"DYN_ROUTER_MODE": 1, "--trust-remote-code": 2, "replicas: 3": 1, "replicas: 2": 1} {
			if got := strings.Count(text, what); got != n {
				t.Errorf("%d times %s, and not %d:\n%s", got, what, n, text)
			}
		}
	}
}

// Mock engines without a planner keep the data that they answer by.
func TestMockEngines(t *testing.T) {
	d, err := alphaDefault(t).MockEngines(VLLM, selection())
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(d.Services()); got != "[Frontend decode prefill]" {
		t.Errorf("it has %s", got)
	}
	if text := string(d.YAML()); strings.Count(text, "--planner-profile-data") != 2 ||
		!strings.HasPrefix(text, "apiVersion: v1\nkind: ConfigMap") {
		t.Error(text)
	}
}
