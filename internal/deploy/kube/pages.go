package kube

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"headway/internal/options"
)

// owns says whether a pod is one of the deployment's now.
func (d *deployment) owns(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.pods {
		if p.Metadata.Name == name {
			return true
		}
	}
	return false
}

// telling are the pods of a deployment that have a page of metrics beside what they
// serve, by name: workers and routers, and not what plans or takes requests.
func (c *Cluster) telling(ctx context.Context, deployment string) (list []pod, err error) {
	var all *unstructured.UnstructuredList
	err = persist(ctx, callLimit, "listing the pods of "+deployment, func(ctx context.Context) (err error) {
		all, err = c.in(podResource).List(ctx, metav1.ListOptions{})
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range all.Items {
		var p pod
		if err := decode(&all.Items[i], &p); err != nil {
			return nil, err
		}
		if p.belongs(deployment) && p.worker(deployment) && p.systemPort() > 0 {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b pod) int { return cmp.Compare(a.Metadata.Name, b.Metadata.Name) })
	return list, nil
}

// mostPages is of how many pods of a deployment the pages are read: each may need a
// way of its own, and is read at every interval.
const mostPages = 64

// pagesOf are the ways to the pages of a deployment's workers and routers, by the name
// of the pod. One to which there is no way is left out and told: no measurement fails for it.
// The caller closes the ways.
func (c *Cluster) pagesOf(ctx context.Context, deployment string, note func(string, ...any)) (
	pages []options.Page, ways []*Forward,
) {
	pods, err := c.telling(ctx, deployment)
	if err != nil {
		note("note: the metrics of the workers of %s are not read: %v", deployment, err)
	}
	if len(pods) > mostPages {
		note("note: of %d pods of %s the metrics of the first %d are read", len(pods), deployment, mostPages)
		pods = pods[:mostPages]
	}
	for _, p := range pods {
		address, way, err := c.wayTo(ctx, &p)
		if err != nil {
			note("note: the metrics of pod %s are not read: %v", p.Metadata.Name, err)
			continue
		}
		if way != nil {
			ways = append(ways, way)
		}
		pages = append(pages, options.Page{Name: p.Metadata.Name, URL: address})
	}
	return pages, ways
}

// wayTo is the address of a pod's page: its own inside the cluster, a port-forward
// outside, which the caller closes.
func (c *Cluster) wayTo(ctx context.Context, p *pod) (string, *Forward, error) {
	if c.Inside {
		if p.Status.IP == "" {
			return "", nil, errors.New("it has no address")
		}
		return "http://" + net.JoinHostPort(p.Status.IP, strconv.FormatInt(p.systemPort(), 10)), nil, nil
	}
	f, err := c.forwardPod(ctx, p.Metadata.Name, p.systemPort())
	if err != nil {
		return "", nil, err
	}
	return f.URL(), f, nil
}

// pages are those of the deployment's workers and routers, read beside that of the
// frontend.
func (e *engine) pages(ctx context.Context) []options.Page {
	pages, ways := e.bench.cfg.Cluster.pagesOf(ctx, e.d.name, e.bench.cfg.Note)
	e.ways = append(e.ways, ways...)
	return pages
}
