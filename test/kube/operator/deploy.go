package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"headway/test/kube/kubelet"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// deploy makes the Deployment of a component and says whether its pods are
// ready. A component of several nodes has a pod on each.
func (o *Operator) deploy(ctx context.Context, graph *unstructured.Unstructured, c component,
	program string) (ready bool, err error) {
	deployments := o.typed.AppsV1().Deployments(graph.GetNamespace())
	want := int32(c.replicas * c.nodes)
	d, err := deployments.Get(ctx, partName(graph, c), metav1.GetOptions{})
	if errors.IsNotFound(err) {
		d, err = deployments.Create(ctx, deployment(graph, c, want, program), metav1.CreateOptions{})
	}
	if err != nil {
		return false, fmt.Errorf("deployment of %s: %w", c.name, err)
	}
	return d.Status.ObservedGeneration >= d.Generation && d.Status.ReadyReplicas >= want, nil
}

// program is what a component's pods are played by, for their annotation.
func (o *Operator) program(graph *unstructured.Unstructured, c component, all []component) (string, error) {
	var p kubelet.Program
	var err error
	switch {
	case c.worker():
		var f Fault
		if f, err = fault(graph.GetAnnotations()[FaultsAnnotation], c); err == nil {
			if f == NoImage {
				return string(NoImage), nil
			}
			p, err = worker(c, f)
		}
	case c.kind == "frontend":
		p, err = o.frontend(decoder(all), graph.GetAnnotations()[SpeedupAnnotation])
	}
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(p)
	return string(b), err
}

// decoder is the worker whose timing the frontend has: the one that answers.
func decoder(all []component) component {
	var found component
	for _, c := range all {
		if c.worker() && (found.name == "" || c.sub == "decode") {
			found = c
		}
	}
	return found
}

func partName(graph *unstructured.Unstructured, c component) string {
	return graph.GetName() + "-" + strings.ToLower(c.name)
}

func owner(graph *unstructured.Unstructured) []metav1.OwnerReference {
	return []metav1.OwnerReference{*metav1.NewControllerRef(graph, graph.GroupVersionKind())}
}

func labels(graph *unstructured.Unstructured, c component) map[string]string {
	l := map[string]string{
		selectorLabel: partName(graph, c), graphLabel: graph.GetName(), componentLabel: c.name, kindLabel: c.kind,
		namespaceLabel: graph.GetNamespace() + "-" + graph.GetName(),
	}
	if c.sub != "" {
		l[subLabel] = c.sub
	}
	return l
}

// deployment is a component's Deployment.
func deployment(graph *unstructured.Unstructured, c component, pods int32, program string) *appsv1.Deployment {
	main := corev1.Container{Name: "main", Image: c.main.Image, Command: c.main.Command, Args: c.main.Args,
		Resources: c.main.Resources}
	if main.Image == "" {
		main.Image = "headway.test/frontend"
	}
	if c.kind == "frontend" {
		main.Ports = []corev1.ContainerPort{{Name: "http", ContainerPort: frontendPort}}
	}
	l := labels(graph, c)
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: partName(graph, c), Namespace: graph.GetNamespace(), Labels: l,
			OwnerReferences: owner(graph)},
		Spec: appsv1.DeploymentSpec{
			Replicas: &pods,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{selectorLabel: l[selectorLabel]}},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: l, Annotations: map[string]string{programAnnotation: program}},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{main}},
			},
		},
	}
}

// expose makes the frontend's Service. Its endpoints are the control plane's.
func (o *Operator) expose(ctx context.Context, graph *unstructured.Unstructured) error {
	name := graph.GetName() + "-frontend"
	_, err := o.typed.CoreV1().Services(graph.GetNamespace()).Create(ctx, &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: graph.GetNamespace(), OwnerReferences: owner(graph),
			Labels: map[string]string{graphLabel: graph.GetName()}},
		Spec: corev1.ServiceSpec{
			Selector: map[string]string{graphLabel: graph.GetName(), kindLabel: "frontend"},
			Ports:    []corev1.ServicePort{{Name: "http", Port: frontendPort, TargetPort: intstr.FromString("http")}},
		},
	}, metav1.CreateOptions{})
	if err != nil && !errors.IsAlreadyExists(err) {
		return fmt.Errorf("service %s: %w", name, err)
	}
	return nil
}
