// Package cluster puts a test cluster together: a real control plane, nodes
// that package kubelet plays, and package operator in the place of Dynamo's.
// The program under test is what pods of headway's own image run, and what
// answers behind the frontends.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"headway/test/kube/kubelet"
	"headway/test/kube/operator"
	"headway/test/kube/plane"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Config describes a cluster.
type Config struct {
	// Bin is the folder that build.sh made, Dir an empty one for everything
	// that the cluster writes, Headway the program.
	Bin, Dir, Headway string
	// Nodes is how many there are, GPUs how many each has.
	Nodes, GPUs int
	// GPU is what frontends simulate, by its name for `headway sim serve`.
	GPU string
}

// Cluster is a cluster that runs.
type Cluster struct {
	Plane   *plane.Plane
	Kubelet *kubelet.Kubelet
	// Typed and Dynamic are its administrator's clients.
	Typed   kubernetes.Interface
	Dynamic dynamic.Interface

	cfg      Config
	operator *operator.Operator
}

// Start starts a cluster. After an error nothing of it runs.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	c := &Cluster{cfg: cfg}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context) (err error) {
	planeDir, nodeDir := filepath.Join(c.cfg.Dir, "plane"), filepath.Join(c.cfg.Dir, "nodes")
	for _, dir := range []string{planeDir, nodeDir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("folder of the cluster: %w", err)
		}
	}
	c.Plane, err = plane.Start(ctx, plane.Config{Bin: c.cfg.Bin, Dir: planeDir,
		Prepare: func(ctx context.Context, admin *rest.Config) error { return operator.Install(ctx, admin) }})
	if err != nil {
		return err
	}
	admin := c.Plane.Rest(plane.Admin)
	if c.Typed, err = kubernetes.NewForConfig(admin); err != nil {
		return err
	}
	if c.Dynamic, err = dynamic.NewForConfig(admin); err != nil {
		return err
	}
	c.Kubelet, err = kubelet.Start(ctx, c.Plane,
		kubelet.Config{Nodes: c.cfg.Nodes, GPUs: c.cfg.GPUs, Product: "NVIDIA-H200", Dir: nodeDir, Image: c.image})
	if err != nil {
		return err
	}
	c.operator, err = operator.Start(admin, operator.Config{Headway: c.cfg.Headway, GPU: c.cfg.GPU})
	return err
}

// Stop ends all of it and returns when no process is left.
func (c *Cluster) Stop() error {
	if c.operator != nil {
		c.operator.Stop()
	}
	if c.Kubelet != nil {
		c.Kubelet.Stop()
	}
	if c.Plane != nil {
		return c.Plane.Stop()
	}
	return nil
}

// image is what containers run: the operator's pods what it says, and those of
// headway's own image the program, with the variables of deploy/Dockerfile.
func (c *Cluster) image(pod *corev1.Pod, container *corev1.Container) (kubelet.Program, error) {
	if p, mine, err := operator.Image(pod); mine {
		return p, err
	}
	if name, _, _ := strings.Cut(filepath.Base(container.Image), ":"); name == "headway" {
		return kubelet.Program{Command: append([]string{c.cfg.Headway}, container.Args...),
			Env: []string{"HOME=/data", "XDG_STATE_HOME=/data/.state", "HF_HOME=/data/.huggingface"}}, nil
	}
	return kubelet.Program{}, errors.New("not found")
}
