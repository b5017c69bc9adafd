package kubelet

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
)

// container plays one container of a pod. Its fields that change are the
// worker's mu's.
type container struct {
	w       *worker
	spec    *corev1.Container
	program Program

	status  corev1.ContainerStatus
	began   bool // it ran at least once
	process bool // a process of this host runs for it
	port    int  // of this host, while the container is ready
	log     *lines
	before  *lines // the log of the run before
}

func newContainer(w *worker, spec *corev1.Container) *container {
	c := &container{w: w, spec: spec, log: newLines()}
	c.status = corev1.ContainerStatus{Name: spec.Name, Image: spec.Image}
	c.status.State.Waiting = &corev1.ContainerStateWaiting{Reason: "ContainerCreating"}
	return c
}

// firstBackOff is the pause before a container's second restart; each further
// one is twice as long. A real kubelet begins at 10 s.
const firstBackOff = 500 * time.Millisecond

// run plays the container until it has ended for good, or ctx has.
func (c *container) run(ctx context.Context) {
	defer func() { c.current().close() }()
	if !c.create(ctx) {
		return
	}
	env, dir, err := c.w.environment(ctx, c)
	if err != nil {
		c.waits(ctx, "CreateContainerConfigError", err.Error())
		return
	}
	backOff := firstBackOff
	for restarts := int32(0); ; restarts++ {
		ended, err := c.once(ctx, env, dir)
		if err != nil {
			return
		}
		policy := c.w.pod.Spec.RestartPolicy
		if policy == corev1.RestartPolicyNever || policy == corev1.RestartPolicyOnFailure && ended.code == 0 {
			return
		}
		if restarts > 0 {
			c.waits(ctx, "CrashLoopBackOff", fmt.Sprintf("back-off %v restarting failed container=%s pod=%s_%s(%s)",
				backOff, c.spec.Name, c.w.pod.Name, c.w.pod.Namespace, c.w.pod.UID))
			c.w.event(ctx, corev1.EventTypeWarning, "BackOff", "Back-off restarting failed container "+c.spec.Name)
			select {
			case <-ctx.Done():
				return
			case <-time.After(backOff):
			}
			backOff = min(2*backOff, time.Minute)
		}
		c.again()
	}
}

// create finds out what the image is. One that cannot be pulled is tried
// again and again, with the states that a kubelet shows.
func (c *container) create(ctx context.Context) bool {
	program, err := c.w.k.cfg.Image(c.w.pod, c.spec)
	if err == nil {
		c.w.mu.Lock()
		c.program = program
		c.w.mu.Unlock()
		return true
	}
	message := fmt.Sprintf("Failed to pull image %q: %v", c.spec.Image, err)
	c.waits(ctx, "ErrImagePull", message)
	c.w.event(ctx, corev1.EventTypeWarning, "Failed", message)
	select {
	case <-ctx.Done():
	case <-time.After(firstBackOff):
		c.waits(ctx, "ImagePullBackOff", fmt.Sprintf("Back-off pulling image %q", c.spec.Image))
	}
	return false
}

// once runs the program until it ends by itself; the error says that it was
// ended.
func (c *container) once(ctx context.Context, env []string, dir string) (end, error) {
	began := metav1.Now()
	c.change(ctx, func(s *corev1.ContainerStatus) {
		c.began = true
		s.ContainerID = "headway-test://" + string(uuid.NewUUID())
		s.State = corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: began}}
	})
	ended, err := c.program.run(ctx, env, dir, c.log,
		func(running bool) {
			c.w.mu.Lock()
			defer c.w.mu.Unlock()
			c.process = running
		},
		func(port int) {
			c.change(ctx, func(s *corev1.ContainerStatus) { c.port, s.Ready = port, true })
		})
	if err != nil {
		return end{}, err
	}
	c.change(ctx, func(s *corev1.ContainerStatus) {
		c.port, s.Ready = 0, false
		s.State = corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: ended.code, Reason: ended.reason, StartedAt: began, FinishedAt: metav1.Now()}}
	})
	return ended, nil
}

// waits puts the container into a waiting state; what it terminated with
// becomes its last state.
func (c *container) waits(ctx context.Context, reason, message string) {
	c.change(ctx, func(s *corev1.ContainerStatus) {
		if s.State.Terminated != nil {
			s.LastTerminationState = s.State
		}
		s.State = corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
	})
}

// again begins a new run with a new log.
func (c *container) again() {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.log.close()
	c.before, c.log = c.log, newLines()
	c.status.RestartCount++
	if c.status.State.Terminated != nil {
		c.status.LastTerminationState = c.status.State
	}
}

// change changes the state and reports it.
func (c *container) change(ctx context.Context, edit func(*corev1.ContainerStatus)) {
	c.w.mu.Lock()
	edit(&c.status)
	started := c.status.State.Running != nil
	c.status.Started = &started
	c.w.mu.Unlock()
	c.w.report(ctx)
}

// current is the log of the run that runs, previous that of the one before.
func (c *container) current() *lines {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	return c.log
}

func (c *container) previous() *lines {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	return c.before
}
