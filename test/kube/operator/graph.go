package operator

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// component is one service of a graph, of either version of the format.
type component struct {
	name, kind, sub string // as spelled; frontend, worker, …; prefill, decode
	replicas, nodes int
	main            corev1.Container
}

// components reads a DynamoGraphDeployment: spec.services of v1alpha1, or
// spec.components of v1beta1.
func components(graph *unstructured.Unstructured) ([]component, error) {
	services, _, err := unstructured.NestedMap(graph.Object, "spec", "services")
	if err != nil {
		return nil, err
	}
	list, _, err := unstructured.NestedSlice(graph.Object, "spec", "components")
	if err != nil {
		return nil, err
	}
	var all []component
	for _, name := range slices.Sorted(maps.Keys(services)) {
		c, err := alpha(name, services[name])
		if err != nil {
			return nil, fmt.Errorf("service %s: %w", name, err)
		}
		all = append(all, c)
	}
	for _, o := range list {
		c, err := beta(o)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("neither spec.services nor spec.components names anything")
	}
	return all, nil
}

// recode reads what an object says into a struct.
func recode(from, to any) error {
	b, err := json.Marshal(from)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, to)
}

type multinode struct {
	NodeCount int `json:"nodeCount"`
}

func alpha(name string, o any) (component, error) {
	var s struct {
		ComponentType, SubComponentType string
		Replicas                        *int
		Multinode                       multinode
		Resources                       struct{ Limits struct{ GPU string } }
		ExtraPodSpec                    struct{ MainContainer corev1.Container }
	}
	if err := recode(o, &s); err != nil {
		return component{}, err
	}
	c := component{name: name, kind: s.ComponentType, sub: s.SubComponentType, replicas: 1,
		nodes: max(1, s.Multinode.NodeCount), main: s.ExtraPodSpec.MainContainer}
	if s.Replicas != nil {
		c.replicas = *s.Replicas
	}
	if s.Resources.Limits.GPU != "" {
		n, err := resource.ParseQuantity(s.Resources.Limits.GPU)
		if err != nil {
			return c, fmt.Errorf("resources.limits.gpu %q: %w", s.Resources.Limits.GPU, err)
		}
		c.main.Resources.Limits = corev1.ResourceList{gpuResource: n}
	}
	return c, nil
}

func beta(o any) (component, error) {
	var s struct {
		Name, Type  string
		Replicas    *int
		Multinode   multinode
		PodTemplate corev1.PodTemplateSpec
	}
	if err := recode(o, &s); err != nil {
		return component{}, err
	}
	c := component{name: s.Name, kind: s.Type, sub: s.Type, replicas: 1, nodes: max(1, s.Multinode.NodeCount)}
	if s.Replicas != nil {
		c.replicas = *s.Replicas
	}
	i := slices.IndexFunc(s.PodTemplate.Spec.Containers, func(c corev1.Container) bool { return c.Name == "main" })
	if i >= 0 {
		c.main = s.PodTemplate.Spec.Containers[i]
	} else if c.kind != "frontend" {
		return c, fmt.Errorf("component %s: podTemplate has no container named main", s.Name)
	}
	return c, nil
}

// gpus is how many one replica uses on all its nodes.
func (c component) gpus() int {
	n := c.main.Resources.Limits[gpuResource]
	return int(n.Value()) * c.nodes
}

func (c component) worker() bool { return c.kind != "frontend" && c.kind != "planner" }

// words are the command and its arguments, a shell's one string taken apart.
func (c component) words() []string {
	var all []string
	for _, a := range append(slices.Clone(c.main.Command), c.main.Args...) {
		if strings.HasPrefix(a, "{") {
			all = append(all, a)
			continue
		}
		all = append(all, strings.Fields(a)...)
	}
	return all
}

// backend is whose worker the command starts.
func (c component) backend() (string, error) {
	for _, w := range c.words() {
		if b, found := strings.CutPrefix(w, "dynamo."); found {
			return b, nil
		}
	}
	return "", fmt.Errorf("component %s: its command names none of dynamo.sglang, dynamo.vllm, dynamo.trtllm", c.name)
}

// value is the value of the first of some options that is given.
func (c component) value(names ...string) string {
	words := c.words()
	for i, w := range words {
		name, value, joined := strings.Cut(w, "=")
		if !slices.Contains(names, name) {
			continue
		}
		if joined {
			return value
		}
		if i+1 < len(words) {
			return words[i+1]
		}
	}
	return ""
}

func (c component) has(names ...string) bool {
	return slices.ContainsFunc(c.words(), func(w string) bool { return slices.Contains(names, w) })
}

func (c component) number(names ...string) int {
	n, _ := strconv.Atoi(c.value(names...))
	return max(1, n)
}

// mapping is how headway sim serve spells the parallelism of a worker.
func (c component) mapping(backend string) (kind string, size int, err error) {
	tp, dp := c.number("--tp", "-tp", "--tp-size", "--tensor-parallel-size"),
		c.number("--dp", "--dp-size", "--data-parallel-size")
	experts := c.number("--ep", "--ep-size", "--expert-parallel-size") > 1 || c.has("--enable-expert-parallel")
	if backend == "trtllm" {
		o, err := c.overrides()
		if err != nil {
			return "", 0, err
		}
		tp, experts = max(1, o.TP), o.EP > 1
		if o.Parallel {
			dp = tp
		}
	}
	switch {
	case dp > 1:
		return "--dep", max(tp, dp), nil
	case experts:
		return "--tep", tp, nil
	}
	return "--tp", tp, nil
}

// overrides are what TensorRT-LLM's workers get as JSON.
type overrides struct {
	TP        int  `json:"tensor_parallel_size"`
	EP        int  `json:"moe_expert_parallel_size"`
	Parallel  bool `json:"enable_attention_dp"`
	Sequences int  `json:"max_batch_size"`
	Tokens    int  `json:"max_num_tokens"`
}

func (c component) overrides() (o overrides, err error) {
	if text := c.value("--override-engine-args"); text != "" {
		if err := json.Unmarshal([]byte(strings.Trim(text, "'")), &o); err != nil {
			return o, fmt.Errorf("component %s: --override-engine-args: %w", c.name, err)
		}
	}
	return o, nil
}

// limits are the sequences and tokens of a step, all ranks together; 0 where
// the worker's arguments leave them to the engine. vLLM counts tokens by rank.
func (c component) limits(backend string, ranks int) (sequences, tokens int, err error) {
	number := func(name string) int {
		n, _ := strconv.Atoi(c.value(name))
		return n
	}
	switch backend {
	case "sglang":
		return number("--max-running-requests"), number("--chunked-prefill-size"), nil
	case "vllm":
		return number("--max-num-seqs"), number("--max-num-batched-tokens") * ranks, nil
	}
	o, err := c.overrides()
	return o.Sequences, o.Tokens, err
}
