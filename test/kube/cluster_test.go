// Package kube drives the real headway program against a real Kubernetes
// control plane. `make test-kube` builds what it needs and runs it; without
// TEST_KUBE_BIN its tests are skipped. TEST_KUBE_PROGRAM names a program to be
// tested instead of one built from this tree.
package kube

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"headway/test/kube/cluster"
	"headway/test/kube/operator"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// The nodes of the tests: room for a candidate of eight GPUs on one, and of
// sixteen on both.
const (
	nodes       = 2
	gpusPerNode = 8
)

// rig is a cluster, and the program that is tested on it.
type rig struct {
	*cluster.Cluster
	graphs  dynamic.NamespaceableResourceInterface
	headway string // the program
	bin     string // the folder of the control plane's programs
}

// TestKube runs everything on one control plane, which takes longer to start
// than most tests.
func TestKube(t *testing.T) {
	c := start(t)
	t.Run("Operator", c.testOperator)
	t.Run("Faults", c.testFaults)
	t.Run("Forward", c.testForward)
	t.Run("Manifests", c.testManifests)
	t.Run("Search", c.testSearch)
}

// start starts a cluster that ends with the test, and checks that nothing of
// it is left.
func start(t *testing.T) *rig {
	t.Helper()
	c := &rig{bin: os.Getenv("TEST_KUBE_BIN"), headway: filepath.Join(t.TempDir(), "headway")}
	if c.bin == "" {
		t.Skip("TEST_KUBE_BIN is not set; make test-kube sets it")
	}
	if given := os.Getenv("TEST_KUBE_PROGRAM"); given != "" {
		c.headway = given
	} else {
		build := exec.CommandContext(t.Context(), "go", "build", "-o", c.headway, "./cmd/headway")
		build.Dir = filepath.Join("..", "..")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("building headway: %v\n%s", err, out)
		}
	}
	var err error
	c.Cluster, err = cluster.Start(t.Context(), cluster.Config{Bin: c.bin, Dir: t.TempDir(), Headway: c.headway,
		Nodes: nodes, GPUs: gpusPerNode, GPU: "h200_sxm"})
	if err != nil {
		t.Fatal(err)
	}
	c.graphs = c.Dynamic.Resource(operator.Graphs)
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
		if n := c.Kubelet.Programs(); n != 0 {
			t.Errorf("%d programs of pods still run", n)
		}
		for name, pid := range c.Plane.Processes() {
			if err := syscall.Kill(-pid, 0); err != syscall.ESRCH {
				t.Errorf("%s (%d) is still there: %v", name, pid, err)
			}
		}
	})
	return c
}

// namespace makes a namespace that is deleted after the test, and waits until
// pods can be made in it.
func (c *rig) namespace(t *testing.T) string {
	t.Helper()
	ns, err := c.Typed.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Typed.CoreV1().Namespaces().Delete(context.Background(), ns.Name, metav1.DeleteOptions{})
	})
	wait(t, 30*time.Second, "the default ServiceAccount", func() error {
		_, err := c.Typed.CoreV1().ServiceAccounts(ns.Name).Get(t.Context(), "default", metav1.GetOptions{})
		return err
	})
	return ns.Name
}

// wait asks again and again until there is no error, and fails after limit.
func wait(t *testing.T, limit time.Duration, what string, ask func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waiting %v for %s: %v", limit, what, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// create makes a graph in a namespace, through the version it is written in.
func (c *rig) create(t *testing.T, namespace string, graph *unstructured.Unstructured) {
	t.Helper()
	kind := graph.GroupVersionKind()
	graphs := c.Dynamic.Resource(operator.Graphs.GroupResource().WithVersion(kind.Version))
	if _, err := graphs.Namespace(namespace).Create(t.Context(), graph, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

// remove deletes a graph and waits until its pods are gone.
func (c *rig) remove(t *testing.T, namespace, name string) {
	t.Helper()
	if err := c.graphs.Namespace(namespace).Delete(t.Context(), name, metav1.DeleteOptions{}); err != nil &&
		!apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	c.empty(t, namespace)
}

// empty waits until a namespace holds nothing of any graph.
func (c *rig) empty(t *testing.T, namespace string) {
	t.Helper()
	wait(t, 30*time.Second, "the objects to be gone", func() error {
		ctx, o := t.Context(), metav1.ListOptions{}
		graphs, err := c.graphs.Namespace(namespace).List(ctx, o)
		if err != nil {
			return err
		}
		deployments, err := c.Typed.AppsV1().Deployments(namespace).List(ctx, o)
		if err != nil {
			return err
		}
		services, err := c.Typed.CoreV1().Services(namespace).List(ctx, o)
		if err != nil {
			return err
		}
		pods, err := c.Typed.CoreV1().Pods(namespace).List(ctx,
			metav1.ListOptions{LabelSelector: "nvidia.com/dynamo-graph-deployment-name"})
		if err != nil {
			return err
		}
		if n := len(graphs.Items) + len(deployments.Items) + len(services.Items) + len(pods.Items); n > 0 {
			return fmt.Errorf("%d graphs, %d deployments, %d services and %d pods are left", len(graphs.Items),
				len(deployments.Items), len(services.Items), len(pods.Items))
		}
		return nil
	})
}
