package main

import (
	"context"

	"headway/internal/cli"
	"headway/internal/deploy/kube"
	"headway/internal/fault"
	"headway/internal/options"
	"headway/internal/study"
)

// forwardFlags reach services of a Kubernetes cluster from outside.
type forwardFlags struct {
	options.PortForward
	way study.Way // nil without a port-forward
}

// Faults are checked before anything is sent.
func (f *forwardFlags) Faults(a cli.App, urls int, bad *fault.List) {
	f.PortForward.Faults(a.Caller, urls, bad)
	kube.CheckTargets(f.Forward, bad)
}

// open makes the port-forwards and gives the endpoints their addresses, and the pages of
// the workers behind them where no others are asked for. What it returns is called at the
// end, whatever the error is.
func (f *forwardFlags) open(ctx context.Context, a cli.App, ends []study.Endpoint, counters options.Counters) (
	end func(), err error,
) {
	if len(f.Forward) == 0 {
		return func() {}, nil
	}
	at := kube.Access{Kubeconfig: f.Kubeconfig, Context: f.Context, Namespace: f.ForwardNamespace}
	ways, err := kube.OpenForwards(ctx, at, f.Forward, a.Note)
	if err != nil {
		return func() {}, err
	}
	ways.Each(func(i int, url, service string) { ends[i].URL, ends[i].Forward = url, service })
	f.way = ways.Watch
	if !counters.NoServerMetrics && len(counters.ServerMetrics) == 0 {
		for i, pages := range ways.Workers(ctx, a.Note) {
			ends[i].Pages = pages
		}
	}
	return func() {
		if err := ways.Close(); err != nil {
			a.Note("warning: ending a port-forward: %v", err)
		}
	}, nil
}

// replace makes the port-forwards, and puts their addresses in the place of
// urls.
func (f *forwardFlags) replace(ctx context.Context, a cli.App, urls *[]string, t *options.Telemetry) (
	end func(), err error,
) {
	ends := make([]study.Endpoint, len(f.Forward))
	if end, err = f.open(ctx, a, ends, t.Counters); err != nil || len(ends) == 0 {
		return end, err
	}
	*urls = nil
	for _, e := range ends {
		*urls, t.Pages = append(*urls, e.URL), append(t.Pages, e.Pages...)
	}
	return end, nil
}
