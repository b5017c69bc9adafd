// Package written holds what headway writes against Dynamo's own resource
// definitions: an API server with them, their rules in CEL included, takes every
// file of a search as it would when the file is deployed, and keeps nothing.
// `make test-kube` runs it; without TEST_KUBE_BIN, or without the definitions beside
// the project, its tests are skipped.
package written

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"headway/test/kube/plane"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"
)

// judge is an API server that knows Dynamo's objects.
type judge struct {
	client  dynamic.Interface
	headway string
}

// start starts it for as long as the test runs, and builds headway.
func start(t *testing.T) judge {
	t.Helper()
	bin := os.Getenv("TEST_KUBE_BIN")
	if bin == "" {
		t.Skip("TEST_KUBE_BIN is not set; make test-kube sets it")
	}
	if _, err := os.Stat(dynamo); err != nil {
		t.Skipf("Dynamo's resource definitions are not beside the project: %v", err)
	}
	j := judge{headway: filepath.Join(t.TempDir(), "headway")}
	if given := os.Getenv("TEST_KUBE_PROGRAM"); given != "" {
		j.headway = given
	} else {
		build := exec.CommandContext(t.Context(), "go", "build", "-o", j.headway, "./cmd/headway")
		build.Dir = filepath.Join("..", "..", "..")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("building headway: %v\n%s", err, out)
		}
	}
	p, err := plane.Start(t.Context(), plane.Config{Bin: bin, Dir: t.TempDir(), Prepare: install})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Error(err)
		}
	})
	if j.client, err = dynamic.NewForConfig(p.Rest(plane.Admin)); err != nil {
		t.Fatal(err)
	}
	return j
}

// objects are those of a file of several; what is no object of Kubernetes is left
// out.
func objects(t *testing.T, text []byte) (all []*unstructured.Unstructured) {
	t.Helper()
	reader := utilyaml.NewYAMLReader(newReader(text))
	for {
		part, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(part, &o.Object); err != nil {
			t.Fatalf("%v in\n%s", err, part)
		}
		if o.GetKind() != "" {
			all = append(all, o)
		}
	}
}

// take has the API server judge an object and keep nothing. A field that the
// definition does not have is a fault, too.
func (j judge) take(t *testing.T, o *unstructured.Unstructured) error {
	t.Helper()
	kind := o.GroupVersionKind()
	resource := kind.GroupVersion().WithResource(strings.ToLower(kind.Kind) + "s")
	_, err := j.client.Resource(resource).Namespace("default").Create(t.Context(), o,
		metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
	return err
}

// search runs a simulated search and gives its folder.
func (j judge) search(t *testing.T, args ...string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	cmd := exec.CommandContext(t.Context(), j.headway, append([]string{"profile", "sla", "--output-dir", dir, "--quiet"},
		args...)...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("headway %s: %v\n%s", strings.Join(cmd.Args[1:], " "), err, out)
	}
	return dir
}

// written takes every file of a folder, and gives the names of those with objects.
func (j judge) written(t *testing.T, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".yaml" {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found := objects(t, text)
		for _, o := range found {
			if err := j.take(t, o); err != nil {
				t.Errorf("%s, %s %s: %v\n%s", e.Name(), o.GroupVersionKind(), o.GetName(), err, text)
			}
		}
		if len(found) > 0 {
			name, err := filepath.Rel(dir, path)
			names = append(names, name)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// quick are options of a search that takes a second.
var quick = []string{"--model", "qwen3-32b", "--isl", "1000", "--osl", "100", "--ttft", "100", "--itl", "20",
	"--max-context-length", "8192", "--max-num-gpus-per-engine", "2", "--prefill-interpolation-granularity", "4",
	"--decode-interpolation-granularity", "3"}

// What is wrong is refused, and every file that a search writes is taken.
func TestWritten(t *testing.T) {
	j := start(t)
	t.Run("planted", j.testPlanted)
	t.Run("of", func(t *testing.T) { // ends before the API server does
		for _, backend := range []string{"vllm", "sglang", "trtllm"} {
			for _, of := range forms() {
				t.Run(backend+" "+of.name(), func(t *testing.T) { t.Parallel(); j.testForm(t, backend, of) })
			}
			t.Run(backend+" over nodes", func(t *testing.T) { t.Parallel(); j.testNodes(t, backend) })
			t.Run(backend+" of a request", func(t *testing.T) { t.Parallel(); j.testRequest(t, backend) })
		}
		examples, err := filepath.Glob(dynamo + "examples/*-*agg*.yaml")
		if err != nil || len(examples) == 0 {
			t.Fatalf("there are no examples: %v", err)
		}
		for _, file := range examples {
			t.Run(filepath.Base(file), func(t *testing.T) { t.Parallel(); j.testExample(t, file) })
		}
	})
}

// On every backend, of its default deployment and of both kinds in both versions,
// with pools apart and with workers that do both.
func (j judge) testForm(t *testing.T, backend string, of form) {
	args := append(slices.Clone(quick), "--backend", backend)
	if of.version != "" {
		file := filepath.Join(t.TempDir(), "config.yaml")
		if err := os.WriteFile(file, of.text(backend), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, o := range objects(t, of.text(backend)) {
			if err := j.take(t, o); err != nil {
				t.Fatalf("what is given is refused: %v", err)
			}
		}
		args = append(args, "--config", file)
	}
	base := "disagg_config.yaml"
	if of.aggregated {
		base = "agg_config.yaml"
	}
	apart := j.written(t, j.search(t, append(args, "--no-compare-aggregated")...))
	same(t, apart, []string{base, "config_with_planner.yaml", "mocker_config_with_planner.yaml",
		"recommended_config.yaml", "selected_decode_interpolation/config.yaml",
		"selected_prefill_interpolation/config.yaml"})
	whole := j.written(t, j.search(t, append(args, "--no-interpolation", "--total-gpus", "1")...))
	same(t, whole, []string{base, "config_with_planner.yaml", "recommended_config.yaml"})
}

// Workers with more GPUs than a node has.
func (j judge) testNodes(t *testing.T, backend string) {
	dir := j.search(t, "--model", "qwen3-235b-a22b", "--backend", backend, "--isl", "1000", "--osl", "100",
		"--ttft", "2000", "--itl", "60", "--max-context-length", "8192", "--min-num-gpus-per-engine", "16",
		"--max-num-gpus-per-engine", "16", "--no-interpolation")
	text, err := os.ReadFile(filepath.Join(dir, "recommended_config.yaml"))
	if err != nil || !bytes.Contains(text, []byte("nodeCount: 2")) {
		t.Errorf("%v: no worker over two nodes in\n%s", err, text)
	}
	j.written(t, dir)
}

// Dynamo's own examples, as they are.
func (j judge) testExample(t *testing.T, file string) {
	backend, _, _ := strings.Cut(filepath.Base(file), "-")
	names := j.written(t, j.search(t, append(slices.Clone(quick), "--backend", backend, "--config", file)...))
	if len(names) != 6 {
		t.Errorf("files with objects are %v, want 6", names)
	}
}

// same compares names of files.
func same(t *testing.T, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("files with objects are %v, want %v", got, want)
	}
}

// What is wrong is refused: by the schema, for a field that there is not, and by a
// rule in CEL.
func (j judge) testPlanted(t *testing.T) {
	for _, c := range []struct {
		name, was, is, want string
	}{
		{"type", "replicas: 1", "replicas: one", "replicas"},
		{"field", "replicas: 1", "replica: 1", "unknown field"},
		{"rule", "replicas: 1", "replicas: 1, minAvailable: 2", "minAvailable must be less than or equal to replicas"},
	} {
		for _, of := range forms() {
			if of.version == "" {
				continue
			}
			text := bytes.ReplaceAll(of.text("vllm"), []byte(c.was), []byte(c.is))
			for _, o := range objects(t, text) {
				if err := j.take(t, o); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%s in %s: %v, want %q", c.name, of.name(), err, c.want)
				}
			}
		}
	}
	o := objects(t, fmt.Appendf(nil, "apiVersion: %s\nkind: DynamoGraphDeployment\nmetadata: {name: x}\nspec:\n  "+
		"components: [{name: A}, {name: a}]\n", "nvidia.com/v1beta1"))[0]
	if err := j.take(t, o); err == nil || !strings.Contains(err.Error(), "unique case-insensitively") {
		t.Errorf("two components of one name: %v", err)
	}
}
