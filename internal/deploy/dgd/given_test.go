package dgd

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/diff"

	"headway/internal/model"
)

func TestFacts(t *testing.T) {
	for name, want := range map[string]Facts{
		"sglang-v1alpha1": {Model: "Qwen/Qwen3-30B-A3B", Served: "qwen", Frontend: "Frontend", Prefill: "prefill",
			Decode:  "decode",
			Service: "sglang-disagg-frontend", Port: 8000, Image: "registry.example/sglang-runtime:1.5.0",
			Services: []string{"Frontend", "Planner", "decode", "prefill"}},
		"sglang-v1beta1": {Model: "Qwen/Qwen3-30B-A3B", Served: "Qwen/Qwen3-30B-A3B", Frontend: "Frontend",
			Prefill: "prefill", Decode: "decode",
			Service: "sglang-disagg-frontend", Port: 8080, Image: "registry.example/sglang-runtime:1.5.0",
			Services: []string{"Frontend", "prefill", "decode"}},
		"vllm-shell": {Model: "Qwen/Qwen3-0.6B", Served: "Qwen/Qwen3-0.6B", Frontend: "Frontend",
			Prefill: "VllmPrefillWorker", Decode: "VllmDecodeWorker",
			Service: "vllm-disagg-frontend", Port: 8000, Image: "registry.example/vllm-runtime:0.7",
			Services: []string{"Frontend", "VllmDecodeWorker", "VllmPrefillWorker"}},
	} {
		d, _ := input(t, name)
		got, err := d.Facts(inputs[name])
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	d := mustRead(t, head+`    Frontend: {componentType: frontend, extraPodSpec: {mainContainer: {args: [--http-port=99999]}}}
    decode: {extraPodSpec: {mainContainer: {command: [sh, -c, 'python3 -m dynamo.vllm --model "$MODEL"']}}}
`)
	_, err := d.Facts(VLLM)
	wants(t, err, `--http-port "99999" is no port`, `"$MODEL" is only known to the shell`)
}

// A model and an image, set on every kind of file.
func TestGivenGolden(t *testing.T) {
	var out bytes.Buffer
	for _, name := range keys(inputs) {
		d, before := input(t, name)
		for _, m := range []Model{
			{Path: "org/other", Served: "other"},
			{Path: "org/other", PVC: "model-cache", Mount: "/models", Folder: "hub/other"},
		} {
			next, err := d.WithModel(inputs[name], m)
			if err == nil {
				next, err = next.WithImage("registry.example/new:2")
			}
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&out, "==== %s %+v\n", name, m)
			out.Write(diff.Diff("before", before, "after", next.YAML()))
			again, err := next.WithModel(inputs[name], m)
			if err != nil || !bytes.Equal(again.YAML(), next.YAML()) {
				t.Errorf("%s: setting the model twice changes it again: %v", name, err)
			}
		}
	}
	golden(t, "given.diff", out.Bytes())
}

// The folder of a model is not put below the mount twice.
func TestModelFolder(t *testing.T) {
	for _, c := range []struct{ mount, folder, want string }{
		{"/models", "hub/x", "/models/hub/x"},
		{"/models/", "/hub/x/", "/models/hub/x"},
		{"/models", "/models/hub/x", "/models/hub/x"},
		{"/models", "models/hub/x", "/models/hub/x"},
		{"/models", "modelsx", "/models/modelsx"},
		{"/models", "", "/models"},
	} {
		if got := (Model{PVC: "c", Mount: c.mount, Folder: c.folder}).folder(); got != c.want {
			t.Errorf("%q in %q is %q, want %q", c.folder, c.mount, got, c.want)
		}
	}
	d, _ := input(t, "vllm-shell")
	_, err := d.WithModel(VLLM, Model{PVC: "c", Mount: "models"})
	wants(t, err, "name is empty", "does not begin with /")
	_, err = d.WithModel(VLLM, Model{Path: "x", Mount: "/models"})
	wants(t, err, "no claim")
	_, err = d.WithImage("a b")
	wants(t, err, "no image's name")
}

func TestDefaults(t *testing.T) {
	for _, backend := range Backends() {
		d, err := Default(backend)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Check(backend); err != nil {
			t.Error(err)
		}
		wants(t, d.Deployable(), "service Frontend has the image", "service decode", "service prefill", "dgd-image")
		if d, err = d.WithImage("registry.example/runtime:1"); err != nil || d.Deployable() != nil {
			t.Errorf("%s with an image: %v, %v", backend, err, d.Deployable())
		}
		if _, err := d.Final(backend, selection()); err != nil {
			t.Error(err)
		}
		for _, phase := range []string{PhasePrefill, PhaseDecode, PhaseAggregated} {
			c, err := d.Candidate(backend, phase, model.Mapping{Kind: model.TP, Size: 2}, 8)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(c.YAML()), "--disaggregation-mode") {
				t.Errorf("the %s candidate of %s is disaggregated", phase, backend)
			}
			if c, err = c.Suffixed("0af3"); err != nil || c.Name() != backend+"-agg-0af3" {
				t.Errorf("the name is %q, %v", c.Name(), err)
			}
		}
	}
	if _, err := Default("x"); err == nil {
		t.Error("a default for an unknown backend")
	}
}

// What a dynamic client gets: whole numbers as int64, and a copy.
func TestObject(t *testing.T) {
	d, _ := input(t, "sglang-v1alpha1")
	o := d.Object()
	nodes, _ := lookup(o, path{"spec", "services", "prefill", "multinode", "nodeCount"})
	if n, ok := nodes.(int64); !ok || n != 2 {
		t.Errorf("nodeCount is %T %v", nodes, nodes)
	}
	delete(o, "spec")
	if _, ok := d.Object()["spec"]; !ok {
		t.Error("the object is not a copy")
	}
	others := d.Others()
	if len(others) != 1 || others[0]["kind"] != "ConfigMap" {
		t.Errorf("the others are %v", others)
	}
	j, err := d.JSON()
	if err != nil || !strings.HasPrefix(string(j), `{"apiVersion":"nvidia.com/v1alpha1"`) {
		t.Errorf("JSON is %.50s, %v", j, err)
	}
	if d.Name() != "sglang-disagg" || d.Namespace() != "" || d.APIVersion() != V1Alpha1 {
		t.Error("name, namespace or version are wrong")
	}
}
