package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Node is a machine of the cluster.
type Node struct {
	Name string
	// GPUs are those that may be given to pods, Taken those that were, where the pods
	// of all namespaces could be read.
	GPUs, Taken int
	// Ready is what the kubelet says, Closed that no new pods are taken (cordoned).
	Ready, Closed bool
	// Taints keep away pods that do not tolerate them: "key=value:NoSchedule".
	Taints []string
}

func (c *Cluster) surveyNodes(ctx context.Context, s *Survey) {
	listed(ctx, c, &s.Nodes, schema.GroupVersionResource{Version: "v1", Resource: "nodes"}, "", nodeOf)
}

func nodeOf(o *unstructured.Unstructured) (Node, bool) {
	var n struct {
		Spec struct {
			Unschedulable bool `json:"unschedulable"`
			Taints        []struct {
				Key    string `json:"key"`
				Value  string `json:"value"`
				Effect string `json:"effect"`
			} `json:"taints"`
		} `json:"spec"`
		Status struct {
			Allocatable map[string]any `json:"allocatable"`
			Conditions  []condition    `json:"conditions"`
		} `json:"status"`
	}
	if decode(o, &n) != nil {
		return Node{}, false
	}
	node := Node{Name: o.GetName(), Closed: n.Spec.Unschedulable, GPUs: gpusOf(n.Status.Allocatable)}
	for _, c := range n.Status.Conditions {
		node.Ready = node.Ready || c.Type == "Ready" && c.Status == "True"
	}
	for _, t := range n.Spec.Taints {
		if t.Effect != "PreferNoSchedule" {
			node.Taints = append(node.Taints, strings.TrimSuffix(t.Key+"="+t.Value, "=")+":"+t.Effect)
		}
	}
	return node, true
}

// gpusOf counts the GPUs among resources: nvidia.com/gpu, amd.com/gpu, and slices of
// one (nvidia.com/mig-…).
func gpusOf(resources map[string]any) (n int) {
	for name, v := range resources {
		_, kind, _ := strings.Cut(name, "/")
		if kind == "gpu" || kind == "gpu.shared" || strings.HasPrefix(kind, "mig-") {
			q := amount(v)
			n += int(q.Value())
		}
	}
	return n
}

// amount is a quantity as the API server writes it, a text or a number; 0 where it is
// none.
func amount(v any) resource.Quantity {
	q, err := resource.ParseQuantity(fmt.Sprint(v))
	if err != nil {
		return resource.Quantity{}
	}
	return q
}

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// discover reads a page of the API's own description.
func (c *Cluster) discover(ctx context.Context, path string, out any) error {
	data, err := c.raw.Get().AbsPath(path).MaxRetries(0).DoRaw(ctx)
	if err != nil {
		return fmt.Errorf("asking the API server for %s: %w", path, err)
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("reading %s of the API server: %w", path, err)
	}
	return nil
}

// account puts the GPUs that pods have taken onto their nodes.
func (s *Survey) account() {
	if !s.Everywhere {
		return
	}
	taken := map[string]int{}
	for _, p := range s.Others.List {
		if p.Node != "" && p.Phase != "Succeeded" && p.Phase != "Failed" {
			taken[p.Node] += p.GPUs
		}
	}
	for i := range s.Nodes.List {
		s.Nodes.List[i].Taken = taken[s.Nodes.List[i].Name]
	}
	s.Others.List = slices.DeleteFunc(s.Others.List, func(p Pod) bool { return p.Role == "" })
}
