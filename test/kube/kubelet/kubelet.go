// Package kubelet plays the nodes of a cluster: it registers them with their
// GPUs, takes the pods that the scheduler binds to them through the states of
// a real kubelet, and serves logs and port-forwards over https to the API
// server.
//
// There are no containers. A container is a [Program]: lines of log, and
// perhaps a process of this host, whose port stands for the container's. What
// an image is, and which faults its containers have, says [Config.Image]; the
// package knows nothing of Dynamo.
package kubelet

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"headway/test/kube/plane"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// GPUResource is the name under which nodes offer their GPUs.
const GPUResource = "nvidia.com/gpu"

// Config describes the nodes.
type Config struct {
	// Nodes is how many there are, GPUs how many each has. Product is the
	// label nvidia.com/gpu.product, as a driver's discovery sets it.
	Nodes, GPUs int
	Product     string
	// Dir holds the volumes of pods.
	Dir string
	// Image is what a container of a pod runs. An error is an image that
	// cannot be pulled, and its text is what the pod's state says of it.
	Image func(pod *corev1.Pod, c *corev1.Container) (Program, error)
}

// Kubelet plays all nodes of a cluster.
type Kubelet struct {
	cfg    Config
	plane  *plane.Plane
	client kubernetes.Interface
	server *http.Server

	mu   sync.Mutex
	pods map[types.UID]*worker
	next int // number of the next pod's address

	cancel context.CancelFunc
	wait   sync.WaitGroup
}

// Start registers the nodes and plays them until Stop.
func Start(ctx context.Context, p *plane.Plane, cfg Config) (*Kubelet, error) {
	client, err := kubernetes.NewForConfig(p.Rest(plane.Admin))
	if err != nil {
		return nil, err
	}
	tlsConfig, err := p.Keys.ServerTLS()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the kubelet's port: %w", err)
	}
	k := &Kubelet{cfg: cfg, plane: p, client: client, pods: map[types.UID]*worker{}}
	k.server = &http.Server{Handler: k.handler(), TLSConfig: tlsConfig, ReadHeaderTimeout: 10 * time.Second}
	// The work outlives the call, and ends with Stop.
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	k.cancel = cancel
	k.wait.Go(func() { _ = k.server.ServeTLS(listener, "", "") })
	if err := k.register(ctx, listener.Addr().(*net.TCPAddr).Port); err != nil {
		k.Stop()
		return nil, err
	}
	k.watch(work)
	return k, nil
}

// Stop ends every program that pods run, and the server.
func (k *Kubelet) Stop() {
	k.cancel()
	_ = k.server.Close()
	k.wait.Wait()
}

// register creates the nodes, ready from the first moment.
func (k *Kubelet) register(ctx context.Context, port int) error {
	room := corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("192"), corev1.ResourceMemory: resource.MustParse("2Ti"),
		corev1.ResourceEphemeralStorage: resource.MustParse("10Ti"), corev1.ResourcePods: resource.MustParse("110"),
		GPUResource: *resource.NewQuantity(int64(k.cfg.GPUs), resource.DecimalSI),
	}
	for i := range k.cfg.Nodes {
		name := fmt.Sprintf("gpu-%d", i)
		node := &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{
				corev1.LabelHostname: name, corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64",
				"nvidia.com/gpu.present": "true", "nvidia.com/gpu.product": k.cfg.Product,
				"nvidia.com/gpu.count": fmt.Sprint(k.cfg.GPUs),
			}},
			Status: corev1.NodeStatus{
				Capacity: room, Allocatable: room,
				Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue,
					Reason: "KubeletReady", LastTransitionTime: metav1.Now()}},
				Addresses: []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"},
					{Type: corev1.NodeHostName, Address: name}},
				DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(port)}},
				NodeInfo: corev1.NodeSystemInfo{KubeletVersion: "v0.0.0-headway-test", OperatingSystem: "linux",
					Architecture: "amd64"},
			},
		}
		if _, err := k.client.CoreV1().Nodes().Create(ctx, node, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("registering node %s: %w", name, err)
		}
	}
	return nil
}

// watch follows the pods that are bound to nodes.
func (k *Kubelet) watch(ctx context.Context) {
	factory := informers.NewSharedInformerFactoryWithOptions(k.client, 0,
		informers.WithTweakListOptions(func(o *metav1.ListOptions) {
			o.FieldSelector = "spec.nodeName!="
		}))
	informer := factory.Core().V1().Pods().Informer()
	_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { k.see(ctx, o.(*corev1.Pod)) },
		UpdateFunc: func(_, o any) { k.see(ctx, o.(*corev1.Pod)) },
		DeleteFunc: func(o any) {
			if gone, ok := o.(cache.DeletedFinalStateUnknown); ok {
				o = gone.Obj
			}
			k.forget(o.(*corev1.Pod).UID)
		},
	})
	if err != nil {
		panic(err) // only an informer that was stopped refuses handlers
	}
	k.wait.Go(func() { informer.RunWithContext(ctx) })
}

// see starts a pod that is new and ends one that is to be deleted.
func (k *Kubelet) see(ctx context.Context, pod *corev1.Pod) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w, known := k.pods[pod.UID]
	switch {
	case known && pod.DeletionTimestamp != nil:
		w.cancel()
	case !known && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed:
		k.next++
		w = newWorker(k, pod.DeepCopy(), fmt.Sprintf("10.244.%d.%d", k.next/250, k.next%250+1))
		k.pods[pod.UID] = w
		podCtx, cancel := context.WithCancel(ctx)
		w.cancel = cancel
		if pod.DeletionTimestamp != nil {
			cancel()
		}
		k.wait.Go(func() { w.run(podCtx, ctx) })
	}
}

// forget ends a pod that is gone from the API server.
func (k *Kubelet) forget(uid types.UID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if w := k.pods[uid]; w != nil {
		w.cancel()
		delete(k.pods, uid)
	}
}

// find is a pod that is played, by its name.
func (k *Kubelet) find(namespace, name string) *worker {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, w := range k.pods {
		if w.pod.Namespace == namespace && w.pod.Name == name {
			return w
		}
	}
	return nil
}

// Programs is how many processes of this host pods run at the moment.
func (k *Kubelet) Programs() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	n := 0
	for _, w := range k.pods {
		n += w.programs()
	}
	return n
}
