package kube

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"headway/internal/fault"
	"headway/internal/options"
)

// Forwards are ways to several services of a cluster.
type Forwards struct {
	cluster *Cluster
	targets []string
	open    []*Forward
	beside  []*Forward // to the pages of workers
}

// CheckTargets adds what is wrong with the names of services, as [ParseTarget]
// reads them.
func CheckTargets(targets []string, bad *fault.List) {
	for _, target := range targets {
		if _, _, err := ParseTarget(target); err != nil {
			bad.Add("%s %v", fault.Field("port-forward"), err)
		}
	}
}

// OpenForwards makes a way to each target, as [ParseTarget] reads them, or none.
// note hears where each leads, and when one is made anew. The caller closes them.
func OpenForwards(
	ctx context.Context, at Access, targets []string, note func(format string, args ...any),
) (*Forwards, error) {
	cluster, err := Connect(at)
	if err != nil {
		return nil, err
	}
	if err := cluster.MayForward(ctx); err != nil {
		return nil, err
	}
	f := &Forwards{cluster: cluster, targets: targets}
	for _, target := range targets {
		if err := f.add(ctx, target, note); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return f, nil
}

func (f *Forwards) add(ctx context.Context, target string, note func(string, ...any)) error {
	name, port, err := ParseTarget(target)
	if err != nil {
		return fault.Usage(fault.New("%s %w", fault.Field("port-forward"), err))
	}
	one, err := f.cluster.Forward(ctx, name, port, note)
	if err != nil {
		return err
	}
	f.open = append(f.open, one)
	note("port-forward: %s is %s in namespace %s of %s; the way there is part of every time that is measured",
		one.URL(), target, f.cluster.Namespace, f.cluster.Server)
	return nil
}

// Watch begins to watch all ways; it is a study.Way.
func (f *Forwards) Watch() (broke func(failed bool) bool) {
	var each []func(bool) bool
	for _, one := range f.open {
		each = append(each, one.watch())
	}
	return func(failed bool) bool {
		return slices.ContainsFunc(each, func(broke func(bool) bool) bool { return broke(failed) })
	}
}

// Each gives the address of every way, and the service that it leads to, in the
// order of the targets.
func (f *Forwards) Each(visit func(i int, url, service string)) {
	for i, one := range f.open {
		visit(i, one.URL(), fmt.Sprintf("%s in %s on %s", f.targets[i], f.cluster.Namespace, f.cluster.Server))
	}
}

// Workers finds the workers and routers of the DynamoGraphDeployment that each service is
// one of, by its label, and makes ways to their pages of metrics. A service that is of none
// has none. note hears what cannot be read.
func (f *Forwards) Workers(ctx context.Context, note func(format string, args ...any)) [][]options.Page {
	all := make([][]options.Page, len(f.targets))
	for i, target := range f.targets {
		name, _, err := ParseTarget(target)
		if err != nil {
			continue // it was opened
		}
		deployment, err := f.cluster.deploymentOf(ctx, name)
		if err != nil {
			note("note: the metrics of the workers behind %s are not read: %v", target, err)
		}
		if deployment == "" {
			continue
		}
		pages, ways := f.cluster.pagesOf(ctx, deployment, note)
		all[i], f.beside = pages, append(f.beside, ways...)
	}
	return all
}

// deploymentOf is the DynamoGraphDeployment of the pods behind a service; "" where they
// are of none.
func (c *Cluster) deploymentOf(ctx context.Context, service string) (string, error) {
	s, err := c.service(ctx, service)
	if err != nil {
		return "", err
	}
	p, err := s.port("")
	if err != nil {
		return "", err
	}
	one, _, err := c.behind(ctx, s, p)
	return one.Metadata.Labels[labelDeployment], err
}

// Close ends all ways.
func (f *Forwards) Close() error {
	var faults []error
	for _, one := range f.beside {
		_ = one.Close() // nothing of it is measured
	}
	for _, one := range f.open {
		faults = append(faults, one.Close())
	}
	return errors.Join(faults...)
}
