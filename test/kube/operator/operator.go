// Package operator plays Dynamo's operator: a DynamoGraphDeployment becomes a
// Deployment for each of its services and a Service for the frontend, and its
// state and conditions follow their pods. What the pods run is played by the
// tests' kubelet: workers write the lines of their backend's log, and the
// frontend is `headway sim serve` with the timing of the worker's mapping.
// Faults are played where the graph's annotation asks for them.
//
// Everything else is the control plane's: scheduling, quotas, endpoints, and
// the deletion of what belongs to a graph.
package operator

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/yaml"
)

// Graphs is the resource that the operator serves, in the version it reads.
// Objects of both versions are seen through it.
var Graphs = schema.GroupVersionResource{Group: "nvidia.com", Version: "v1alpha1", Resource: "dynamographdeployments"}

// Labels that Dynamo's operator puts on pods.
const (
	selectorLabel  = "nvidia.com/selector"
	graphLabel     = "nvidia.com/dynamo-graph-deployment-name"
	componentLabel = "nvidia.com/dynamo-component"
	kindLabel      = "nvidia.com/dynamo-component-type"
	subLabel       = "nvidia.com/dynamo-sub-component-type"
	namespaceLabel = "nvidia.com/dynamo-namespace"
)

const frontendPort = 8000

// Config says what the frontends are.
type Config struct {
	// Headway is the program, GPU what --gpu of `headway sim serve` names. The
	// model is the worker's, and has to be one that headway knows.
	Headway, GPU string
}

// Operator serves graphs until it is stopped.
type Operator struct {
	cfg    Config
	typed  kubernetes.Interface
	graphs dynamic.NamespaceableResourceInterface
	queue  workqueue.TypedRateLimitingInterface[graphName]

	cancel context.CancelFunc
	wait   sync.WaitGroup
}

// graphName names a graph.
type graphName = cache.ObjectName

//go:embed crd.yaml
var definition []byte

var definitions = schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1",
	Resource: "customresourcedefinitions"}

// Install creates the resource definition and waits until it is served.
func Install(ctx context.Context, config *rest.Config) error {
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return err
	}
	crd := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(definition, &crd.Object); err != nil {
		return fmt.Errorf("crd.yaml: %w", err)
	}
	if _, err := client.Resource(definitions).Create(ctx, crd, metav1.CreateOptions{}); err != nil {
		return fmt.Errorf("creating %s: %w", crd.GetName(), err)
	}
	for {
		_, err := client.Resource(Graphs).List(ctx, metav1.ListOptions{})
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", crd.GetName(), err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Start serves graphs until Stop.
func Start(config *rest.Config, cfg Config) (*Operator, error) {
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	o := &Operator{cfg: cfg, typed: typed, graphs: client.Resource(Graphs), cancel: cancel,
		queue: workqueue.NewTypedRateLimitingQueue(
			workqueue.NewTypedItemExponentialFailureRateLimiter[graphName](20*time.Millisecond, time.Second))}
	graphs := dynamicinformer.NewDynamicSharedInformerFactory(client, 0).ForResource(Graphs).Informer()
	parts := informers.NewSharedInformerFactoryWithOptions(typed, 0,
		informers.WithTweakListOptions(func(l *metav1.ListOptions) {
			l.LabelSelector = graphLabel
		})).Apps().V1().Deployments().Informer()
	for informer, name := range map[cache.SharedIndexInformer]func(metav1.Object) string{
		graphs: metav1.Object.GetName,
		parts:  func(o metav1.Object) string { return o.GetLabels()[graphLabel] },
	} {
		if err := o.follow(informer, name); err != nil {
			cancel()
			return nil, err
		}
		o.wait.Go(func() { informer.RunWithContext(ctx) })
	}
	o.wait.Go(func() { o.work(ctx) })
	return o, nil
}

// Stop ends the operator; what it made stays.
func (o *Operator) Stop() {
	o.cancel()
	o.queue.ShutDown()
	o.wait.Wait()
}

// follow queues the graph that each change is about.
func (o *Operator) follow(informer cache.SharedIndexInformer, graph func(metav1.Object) string) error {
	see := func(obj any) {
		if gone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
			obj = gone.Obj
		}
		object := obj.(metav1.Object)
		o.queue.Add(graphName{Namespace: object.GetNamespace(), Name: graph(object)})
	}
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: see, UpdateFunc: func(_, obj any) { see(obj) }, DeleteFunc: see})
	return err
}

// work serves one graph after the other; one that fails is tried again.
func (o *Operator) work(ctx context.Context) {
	for {
		graph, shutdown := o.queue.Get()
		if shutdown {
			return
		}
		if err := o.serve(ctx, graph); err != nil {
			o.queue.AddRateLimited(graph)
		} else {
			o.queue.Forget(graph)
		}
		o.queue.Done(graph)
	}
}

// serve makes what a graph asks for and says how far it is.
func (o *Operator) serve(ctx context.Context, name graphName) error {
	graph, err := o.graphs.Namespace(name.Namespace).Get(ctx, name.Name, metav1.GetOptions{})
	if errors.IsNotFound(err) || err == nil && graph.GetDeletionTimestamp() != nil {
		return nil // the garbage collector deletes what it owned
	}
	if err != nil {
		return err
	}
	all, err := components(graph)
	if err != nil {
		return o.tell(ctx, graph, "failed", "invalid", err.Error())
	}
	var waiting []string
	for _, c := range all {
		program, err := o.program(graph, c, all)
		if err != nil {
			return o.tell(ctx, graph, "failed", "invalid", err.Error())
		}
		ready, err := o.deploy(ctx, graph, c, program)
		if err != nil {
			return err
		}
		if !ready {
			waiting = append(waiting, strings.ToLower(c.name))
		}
	}
	if err := o.expose(ctx, graph); err != nil {
		return err
	}
	if len(waiting) > 0 {
		return o.tell(ctx, graph, "pending", "some_resources_are_not_ready",
			fmt.Sprintf("resources not ready: [%s]", strings.Join(waiting, ", ")))
	}
	return o.tell(ctx, graph, "successful", "all_resources_are_ready", "")
}

// tell writes the graph's state and its condition Ready, if they changed.
func (o *Operator) tell(ctx context.Context, graph *unstructured.Unstructured, state, reason, message string) error {
	ready := "False"
	if state == "successful" {
		ready = "True"
	}
	old, _, _ := unstructured.NestedMap(graph.Object, "status")
	status := maps.Clone(old)
	if status == nil {
		status = map[string]any{}
	}
	at := metav1.Now().UTC().Format(time.RFC3339)
	if before, _, _ := unstructured.NestedSlice(graph.Object, "status", "conditions"); len(before) == 1 {
		b := before[0].(map[string]any)
		if b["status"] == ready && b["reason"] == reason && b["message"] == message && old["state"] == state &&
			old["observedGeneration"] == graph.GetGeneration() {
			return nil
		}
		if b["status"] == ready {
			at = b["lastTransitionTime"].(string)
		}
	}
	status["state"], status["observedGeneration"] = state, graph.GetGeneration()
	status["conditions"] = []any{map[string]any{"type": "Ready", "status": ready, "reason": reason, "message": message,
		"lastTransitionTime": at}}
	graph.Object["status"] = status
	_, err := o.graphs.Namespace(graph.GetNamespace()).UpdateStatus(ctx, graph, metav1.UpdateOptions{})
	if errors.IsNotFound(err) {
		return nil
	}
	return err
}
