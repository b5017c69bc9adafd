package kube

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"headway/internal/fault"
)

// service is what is read of a Service.
type service struct {
	Metadata struct {
		Name string `json:"name"`
	} `json:"metadata"`
	Spec struct {
		Selector map[string]string `json:"selector"`
		Ports    []servicePort     `json:"ports"`
	} `json:"spec"`
}

type servicePort struct {
	Name   string `json:"name"`
	Number int64  `json:"port"`
	Target any    `json:"targetPort"` // a number, or the name of a container's port
}

// service fetches a Service.
func (c *Cluster) service(ctx context.Context, name string) (*service, error) {
	var o *unstructured.Unstructured
	err := persist(ctx, callLimit, fmt.Sprintf("fetching the service %s/%s", c.Namespace, name),
		func(ctx context.Context) (err error) {
			o, err = c.in(serviceResource).Get(ctx, name, metav1.GetOptions{})
			return err
		})
	if apierrors.IsNotFound(err) {
		return nil, fault.New("%w; say which with %s, or the namespace with %s", err, fault.Field("service-name"),
			fault.Field("namespace"))
	}
	if err != nil {
		return nil, err
	}
	var s service
	return &s, decode(o, &s)
}

// port finds a port by name or number; without one it is the only port, the
// one named http, or the first.
func (s *service) port(wanted string) (servicePort, error) {
	var have []string
	for _, p := range s.Spec.Ports {
		if wanted != "" && (p.Name == wanted || strconv.FormatInt(p.Number, 10) == wanted) || wanted == "" &&
			p.Name == "http" {
			return p, nil
		}
		have = append(have, strings.TrimSuffix(fmt.Sprintf("%d (%s", p.Number, p.Name), " (")+
			strings.Repeat(")", min(len(p.Name), 1)))
	}
	if wanted == "" && len(s.Spec.Ports) > 0 {
		return s.Spec.Ports[0], nil
	}
	return servicePort{}, fmt.Errorf("the service %s has no port %q; it has %s", s.Metadata.Name, wanted,
		strings.Join(have, ", "))
}

// behindService is a ready pod behind a service's port, by its name or number, and the port
// of the pod.
func (c *Cluster) behindService(ctx context.Context, name, port string) (string, int64, error) {
	s, err := c.service(ctx, name)
	if err != nil {
		return "", 0, err
	}
	p, err := s.port(port)
	if err != nil {
		return "", 0, err
	}
	target, number, err := c.behind(ctx, s, p)
	return target.Metadata.Name, number, err
}

// behind picks a ready pod behind a port of the service, and the port of the
// pod.
func (c *Cluster) behind(ctx context.Context, s *service, p servicePort) (pod, int64, error) {
	if len(s.Spec.Selector) == 0 {
		return pod{}, 0, fmt.Errorf("the service %s selects no pods, so that there is none to forward to",
			s.Metadata.Name)
	}
	selector := labels.SelectorFromSet(s.Spec.Selector).String()
	var list *unstructured.UnstructuredList
	err := persist(ctx, callLimit, "listing the pods of the service "+s.Metadata.Name,
		func(ctx context.Context) (err error) {
			list, err = c.in(podResource).List(ctx, metav1.ListOptions{LabelSelector: selector})
			return err
		})
	if err != nil {
		return pod{}, 0, err
	}
	var ready []pod
	for i := range list.Items {
		var one pod
		if err := decode(&list.Items[i], &one); err != nil {
			return pod{}, 0, err
		}
		if one.ready() {
			ready = append(ready, one)
		}
	}
	if len(ready) == 0 {
		return pod{}, 0, fmt.Errorf("no pod behind the service %s (%s) is ready, of %d", s.Metadata.Name, selector,
			len(list.Items))
	}
	first := slices.MinFunc(ready, func(a, b pod) int { return strings.Compare(a.Metadata.Name, b.Metadata.Name) })
	number, err := first.port(p)
	return first, number, err
}

// port is the pod's port that a service's leads to.
func (p *pod) port(to servicePort) (int64, error) {
	switch target := to.Target.(type) {
	case nil:
		return to.Number, nil
	case int64:
		return target, nil
	case float64:
		return int64(target), nil
	case string:
		for _, c := range p.Spec.Containers {
			for _, have := range c.Ports {
				if have.Name == target {
					return have.Number, nil
				}
			}
		}
		if n, err := strconv.ParseInt(target, 10, 32); err == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("pod %s has no port named %v, to which the service leads", p.Metadata.Name, to.Target)
}
