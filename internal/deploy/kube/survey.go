package kube

import (
	"context"
	"fmt"
	"net/url"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Survey is what stands in a namespace, and in its cluster as far as that may be
// looked at. Each part has its own error: what one account may not list says nothing
// of the rest.
type Survey struct {
	Namespace, Server string
	// Unreachable is why the API server does not answer; the rest is then empty.
	Unreachable error
	// Missing says that there is no such namespace.
	Missing bool
	// Rights are what a search on this cluster and a port-forward need.
	Rights Part[Right]
	// Kinds are the resources of Dynamo's API with their versions, as in
	// "dynamographdeployments.v1alpha1".
	Kinds Part[string]
	Nodes Part[Node]
	// Pods are those of the namespace. Others are pods of all namespaces that belong
	// to Dynamo's platform, or, where those may not be listed, of this one; Everywhere
	// says which.
	Pods, Others Part[Pod]
	Everywhere   bool
	Quotas       Part[Quota]
	// Works are the deployments, graphs, requests and jobs of the namespace.
	Works Part[Work]
}

// Part is a list of what was read.
type Part[T any] struct {
	List []T
	// Err is why it could not be read; Denied says that the right is missing, and
	// Unknown that the cluster does not know what was asked for.
	Err             error
	Denied, Unknown bool
	// More says that there is more than was read.
	More bool
}

// Right is one thing that may or may not be done in the namespace.
type Right struct {
	Name    string // "create pods/portforward"
	Allowed bool
}

// How much of a cluster is read, and for how long.
const (
	mostObjects = 1000
	mostLogs    = 12
	oneCall     = 6 * time.Second
)

// Survey looks through the namespace. It changes nothing, and returns within some
// fifteen seconds, or when ctx ends.
func (c *Cluster) Survey(ctx context.Context) *Survey {
	s := &Survey{Namespace: c.Namespace, Server: c.Server}
	if s.Unreachable = c.Reach(ctx); s.Unreachable != nil {
		return s
	}
	err := c.discover(ctx, "/api/v1/namespaces/"+url.PathEscape(c.Namespace), &struct{}{})
	if s.Missing = apierrors.IsNotFound(err); s.Missing {
		return s
	}
	var wg sync.WaitGroup
	for _, part := range []func(context.Context, *Survey){c.surveyRights, c.surveyKinds, c.surveyNodes, c.surveyPods,
		c.surveyOthers, c.surveyQuotas, c.surveyWorks} {
		wg.Go(func() {
			within, cancel := context.WithTimeout(ctx, oneCall)
			defer cancel()
			part(within, s)
		})
	}
	wg.Wait()
	c.surveyLogs(ctx, s)
	s.account()
	return s
}

// failed notes why a part could not be read.
func (p *Part[T]) failed(err error) {
	p.Err, p.Denied, p.Unknown = err, apierrors.IsForbidden(err), apierrors.IsNotFound(err)
}

// list reads objects of a namespace, or of all where that is empty.
func (c *Cluster) list(
	ctx context.Context, r schema.GroupVersionResource, namespace string,
) (items []unstructured.Unstructured, more bool, err error) {
	list, err := c.dynamic.Resource(r).Namespace(namespace).List(ctx, metav1.ListOptions{Limit: mostObjects})
	if err != nil {
		return nil, false, fmt.Errorf("listing %s: %w", r.Resource, err)
	}
	return list.Items, list.GetContinue() != "", nil
}

// listed reads objects of a namespace into a part, each made of what was sent. What
// cannot be read is left out.
func listed[T any](
	ctx context.Context, c *Cluster, p *Part[T], r schema.GroupVersionResource, namespace string,
	made func(o *unstructured.Unstructured) (T, bool),
) {
	items, more, err := c.list(ctx, r, namespace)
	if err != nil {
		p.failed(err)
		return
	}
	p.More = more
	for i := range items {
		if one, of := made(&items[i]); of {
			p.List = append(p.List, one)
		}
	}
}

func (c *Cluster) surveyRights(ctx context.Context, s *Survey) {
	for _, r := range benchRights(c.Inside) {
		allowed, _, err := c.may(ctx, r)
		if err != nil {
			s.Rights.failed(err)
			return
		}
		s.Rights.List = append(s.Rights.List, Right{r.String(), allowed})
	}
}

// surveyKinds asks for the versions of Dynamo's API, and what they have.
func (c *Cluster) surveyKinds(ctx context.Context, s *Survey) {
	var group metav1.APIGroup
	if err := c.discover(ctx, "/apis/nvidia.com", &group); err != nil {
		s.Kinds.failed(err)
		return
	}
	for _, v := range group.Versions {
		var list metav1.APIResourceList
		if err := c.discover(ctx, "/apis/"+v.GroupVersion, &list); err != nil {
			s.Kinds.failed(err)
			return
		}
		for _, r := range list.APIResources {
			s.Kinds.List = append(s.Kinds.List, r.Name+"."+v.Version)
		}
	}
}

// Quota is a bound of the namespace on one resource.
type Quota struct {
	Name, Resource, Used, Hard string
	// Full says that no more of it is given.
	Full bool
}

func (c *Cluster) surveyQuotas(ctx context.Context, s *Survey) {
	items, more, err := c.list(ctx, schema.GroupVersionResource{Version: "v1", Resource: "resourcequotas"}, c.Namespace)
	if err != nil {
		s.Quotas.failed(err)
		return
	}
	s.Quotas.More = more
	for i := range items {
		var q struct {
			Status struct {
				Hard map[string]any `json:"hard"`
				Used map[string]any `json:"used"`
			} `json:"status"`
		}
		if decode(&items[i], &q) != nil {
			continue
		}
		for _, name := range sortedKeys(q.Status.Hard) {
			hard, used := amount(q.Status.Hard[name]), amount(q.Status.Used[name])
			s.Quotas.List = append(s.Quotas.List, Quota{Name: items[i].GetName(), Resource: name, Used: used.String(),
				Hard: hard.String(), Full: used.Cmp(hard) >= 0})
		}
	}
}
