package kubelet

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// worker plays one pod.
type worker struct {
	k      *Kubelet
	pod    *corev1.Pod
	ip     string
	cancel context.CancelFunc

	mu         sync.Mutex
	containers []*container
}

func newWorker(k *Kubelet, pod *corev1.Pod, ip string) *worker {
	w := &worker{k: k, pod: pod, ip: ip}
	for i := range pod.Spec.Containers {
		w.containers = append(w.containers, newContainer(w, &w.pod.Spec.Containers[i]))
	}
	return w
}

// run plays the pod until all its containers have ended or ctx does, and
// deletes it where that was asked for. ctx is the pod's, work the kubelet's.
func (w *worker) run(ctx, work context.Context) {
	var all sync.WaitGroup
	for _, c := range w.containers {
		all.Go(func() { c.run(ctx) })
	}
	all.Wait()
	<-ctx.Done()
	if work.Err() == nil {
		w.remove(work)
	}
}

// remove takes the pod from the API server, which waits for the kubelet to do
// so. A server that is away is asked again.
func (w *worker) remove(ctx context.Context) {
	now := int64(0)
	options := metav1.DeleteOptions{GracePeriodSeconds: &now,
		Preconditions: metav1.NewUIDPreconditions(string(w.pod.UID))}
	w.persist(ctx, func() error {
		return w.k.client.CoreV1().Pods(w.pod.Namespace).Delete(ctx, w.pod.Name, options)
	})
}

// report writes the pod's state as its containers say it.
func (w *worker) report(ctx context.Context) {
	w.persist(ctx, func() error {
		pods := w.k.client.CoreV1().Pods(w.pod.Namespace)
		pod, err := pods.Get(ctx, w.pod.Name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if pod.UID != w.pod.UID {
			return nil
		}
		w.mu.Lock()
		w.fill(&pod.Status)
		w.mu.Unlock()
		_, err = pods.UpdateStatus(ctx, pod, metav1.UpdateOptions{})
		return err
	})
}

// persist tries until it works, the pod is gone, or ctx ends.
func (w *worker) persist(ctx context.Context, try func() error) {
	for wait := 20 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		if err := try(); err == nil || apierrors.IsNotFound(err) || apierrors.IsInvalid(err) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

// event tells what happened to the pod, as a real kubelet does.
func (w *worker) event(ctx context.Context, kind, reason, message string) {
	now := metav1.Now()
	_, _ = w.k.client.CoreV1().Events(w.pod.Namespace).Create(ctx, &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{GenerateName: w.pod.Name + ".", Namespace: w.pod.Namespace},
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: w.pod.Namespace,
			Name: w.pod.Name, UID: w.pod.UID},
		Type: kind, Reason: reason, Message: message, Count: 1, FirstTimestamp: now, LastTimestamp: now,
		Source: corev1.EventSource{Component: "kubelet", Host: w.pod.Spec.NodeName},
	}, metav1.CreateOptions{})
}

// fill is the pod's state.
func (w *worker) fill(s *corev1.PodStatus) {
	s.ContainerStatuses = nil
	ready, running, failed := true, false, false
	for _, c := range w.containers {
		s.ContainerStatuses = append(s.ContainerStatuses, c.status)
		ready = ready && c.status.Ready
		running = running || c.status.State.Terminated == nil
		failed = failed || c.status.State.Terminated != nil && c.status.State.Terminated.ExitCode != 0
	}
	switch {
	case !slices.ContainsFunc(w.containers, func(c *container) bool { return c.began }):
		s.Phase = corev1.PodPending
	case running:
		s.Phase = corev1.PodRunning
	case failed:
		s.Phase = corev1.PodFailed
	default:
		s.Phase = corev1.PodSucceeded
	}
	s.HostIP, s.PodIP = "127.0.0.1", w.ip
	s.HostIPs, s.PodIPs = []corev1.HostIP{{IP: "127.0.0.1"}}, []corev1.PodIP{{IP: w.ip}}
	if s.StartTime == nil {
		now := metav1.Now()
		s.StartTime = &now
	}
	set(s, corev1.PodInitialized, true, "")
	set(s, corev1.ContainersReady, ready, "ContainersNotReady")
	set(s, corev1.PodReady, ready, "ContainersNotReady")
}

// set changes a condition of a pod, and its time only where it changes.
func set(s *corev1.PodStatus, kind corev1.PodConditionType, on bool, reason string) {
	status := corev1.ConditionTrue
	if !on {
		status = corev1.ConditionFalse
	} else {
		reason = ""
	}
	i := slices.IndexFunc(s.Conditions, func(c corev1.PodCondition) bool { return c.Type == kind })
	if i < 0 {
		i = len(s.Conditions)
		s.Conditions = append(s.Conditions, corev1.PodCondition{Type: kind})
	}
	c := &s.Conditions[i]
	if c.Status != status {
		c.LastTransitionTime = metav1.Now()
	}
	c.Status, c.Reason = status, reason
}

// container is one of the pod's, by its name; the first where it is empty.
func (w *worker) container(name string) (*container, error) {
	for _, c := range w.containers {
		if c.spec.Name == name || name == "" {
			return c, nil
		}
	}
	return nil, fmt.Errorf("pod %s has no container %s", w.pod.Name, name)
}

// hostPort is the port of this host that a container's port stands for; 0
// where nothing serves it.
func (w *worker) hostPort(port int32) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.containers {
		if c.port != 0 && c.program.Port == port {
			return c.port
		}
	}
	return 0
}

func (w *worker) programs() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, c := range w.containers {
		if c.process {
			n++
		}
	}
	return n
}
