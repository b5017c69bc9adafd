package main

import (
	"context"
	"fmt"

	"headway/internal/deploy/kube"
)

// forwardFlags reach services of a Kubernetes cluster from outside.
type forwardFlags struct {
	Forward          []string `name:"port-forward" sep:"none" placeholder:"svc/NAME[:PORT]" help:"Measure a service of a Kubernetes cluster through a port-forward of headway's own, instead of an address; repeatable."`
	ForwardNamespace string   `name:"namespace" short:"n" placeholder:"NAME" help:"With --port-forward: the service's namespace. Default: the context's."`

	clusterAccessFlags
}

// faults are checked before anything is sent.
func (f *forwardFlags) faults(a app, urls int, bad *faultList) {
	bad.dependents(a.given, []dependents{{len(f.Forward) == 0, "namespace kubeconfig context", "--port-forward"}})
	if len(f.Forward) > 0 && urls > 0 {
		bad.add("--port-forward and an address (--url, --endpoint-url): give one of them")
	}
	for _, target := range f.Forward {
		if _, _, err := kube.ParseTarget(target); err != nil {
			bad.add("--port-forward %v", err)
		}
	}
}

// open makes the port-forwards and gives the endpoints their addresses. What
// it returns is called at the end, whatever the error is.
func (f *forwardFlags) open(ctx context.Context, a app, ends []endpoint) (end func(), err error) {
	var open []*kube.Forward
	end = func() {
		for _, one := range open {
			if err := one.Close(); err != nil {
				a.note("warning: ending a port-forward: %v", err)
			}
		}
	}
	if len(f.Forward) == 0 {
		return end, nil
	}
	cluster, err := kube.Connect(kube.Access{Kubeconfig: f.Kubeconfig, Context: f.Context, Namespace: f.ForwardNamespace})
	if err != nil {
		return end, err
	}
	if err := cluster.MayForward(ctx); err != nil {
		return end, err
	}
	for i, target := range f.Forward {
		name, port, err := kube.ParseTarget(target)
		if err != nil {
			return end, usageError{fmt.Errorf("--port-forward %w", err)}
		}
		one, err := cluster.Forward(ctx, name, port, a.note)
		if err != nil {
			return end, err
		}
		open = append(open, one)
		ends[i].url, ends[i].forward = one.URL(), fmt.Sprintf("%s in %s on %s", target, cluster.Namespace, cluster.Server)
		a.note("port-forward: %s is %s in namespace %s of %s; the way there is part of every time that is measured", one.URL(), target, cluster.Namespace, cluster.Server)
	}
	return end, nil
}

// replace makes the port-forwards, and puts their addresses in the place of
// urls.
func (f *forwardFlags) replace(ctx context.Context, a app, urls *[]string) (end func(), err error) {
	ends := make([]endpoint, len(f.Forward))
	if end, err = f.open(ctx, a, ends); err != nil || len(ends) == 0 {
		return end, err
	}
	*urls = nil
	for _, e := range ends {
		*urls = append(*urls, e.url)
	}
	return end, nil
}
