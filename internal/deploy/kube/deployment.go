package kube

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"headway/internal/profile"
)

// deployment is one DynamoGraphDeployment while it lives: what the watches of
// it, of its pods and of the events say, in one place.
type deployment struct {
	cluster  *Cluster
	resource schema.GroupVersionResource
	name     string
	backend  string
	gpus     string // in words, for advice
	grace    time.Duration
	limit    time.Duration // of the API server's absence
	logs     *logs

	// alive ends when the deployment is dead, lost or stopped, with why.
	alive context.Context
	die   context.CancelCauseFunc
	// ready is closed when it was ready first.
	ready chan struct{}
	wg    sync.WaitGroup

	mu       sync.Mutex
	uid      string
	seen     bool // the object, since it was made
	isReady  bool
	trouble  string // the last thing that was wrong, for a timeout
	pods     map[string]*pod
	restarts map[string]map[string]int64 // by pod and container, when ready
	pending  map[string]bool             // pods whose grace runs
	judging  bool
}

// graph is what is read of the object.
type graph struct {
	Metadata struct {
		UID               string `json:"uid"`
		Generation        int64  `json:"generation"`
		DeletionTimestamp string `json:"deletionTimestamp"`
	} `json:"metadata"`
	Status struct {
		State      string      `json:"state"`
		Observed   int64       `json:"observedGeneration"`
		Conditions []condition `json:"conditions"`
	} `json:"status"`
}

// event is what is read of an event.
type event struct {
	Involved struct {
		Kind string `json:"kind"`
		Name string `json:"name"`
	} `json:"involvedObject"`
	Type    string `json:"type"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// follow begins the watches; they end with alive.
func (d *deployment) follow() {
	d.begin(&follower{cluster: d.cluster, resource: d.resource, name: d.name, take: d.takeObject, listed: d.listed,
		limit: d.limit})
	d.begin(&follower{cluster: d.cluster, resource: podResource, take: d.takePod, limit: d.limit})
	d.begin(&follower{cluster: d.cluster, resource: eventResource, take: d.takeEvent, limit: d.limit})
}

func (d *deployment) begin(f *follower) {
	d.wg.Go(func() {
		if err := f.run(d.alive); d.alive.Err() == nil {
			d.die(err)
		}
	})
}

// stop ends the watches and the streams of logs, and waits for them.
func (d *deployment) stop(why error) {
	d.die(why)
	d.mu.Lock()
	d.judging = true // what has not begun to judge does not
	d.mu.Unlock()
	d.wg.Wait()
	d.logs.wait()
}

// listed notices that the object is gone, of which no watch may have told.
func (d *deployment) listed() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.seen {
		d.lost()
	}
}

// lost ends the deployment: somebody else deleted it.
func (d *deployment) lost() {
	d.die(&profile.DeadError{Reason: profile.ReasonLost,
		Message: fmt.Sprintf("the DynamoGraphDeployment %s/%s was deleted by another hand", d.cluster.Namespace,
			d.name)})
}

func (d *deployment) takeObject(o *unstructured.Unstructured, gone bool) {
	var g graph
	if err := decode(o, &g); err != nil {
		d.die(err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if g.Metadata.UID != d.uid {
		return // another of the same name, which is as good as none
	}
	d.seen = true
	if gone || g.Metadata.DeletionTimestamp != "" {
		d.lost()
		return
	}
	ready := condition{}
	for _, c := range g.Status.Conditions {
		if c.Type == "Ready" {
			ready = c
		}
	}
	if g.Status.State == "failed" {
		d.judge(doom{reason: profile.ReasonCrash,
			message: fmt.Sprintf("Dynamo's operator says that %s failed: %s %s", d.name, ready.Reason, ready.Message)})
	}
	if ready.Status != "True" && ready.Message != "" {
		d.trouble = fmt.Sprintf("%s: %s", ready.Reason, ready.Message)
	}
	// A status of an earlier generation says nothing of this one.
	stale := g.Status.Observed != 0 && g.Status.Observed < g.Metadata.Generation
	if ready.Status == "True" && g.Status.State == "successful" && !stale && !d.isReady {
		d.isReady = true
		d.restarts = map[string]map[string]int64{}
		for uid, p := range d.pods {
			d.restarts[uid] = counts(p)
		}
		close(d.ready)
	}
}

func counts(p *pod) map[string]int64 {
	all := map[string]int64{}
	for _, s := range p.Status.Containers {
		all[s.Name] = s.RestartCount
	}
	return all
}

func (d *deployment) takePod(o *unstructured.Unstructured, gone bool) {
	var p pod
	if err := decode(o, &p); err != nil {
		d.die(err)
		return
	}
	if !p.belongs(d.name) {
		return
	}
	uid := p.Metadata.UID
	d.mu.Lock()
	defer d.mu.Unlock()
	if gone {
		delete(d.pods, uid)
		d.logs.gone(uid)
		return
	}
	d.pods[uid] = &p
	d.logs.see(d.alive, &p)
	if d.isReady && d.restarts[uid] == nil {
		d.restarts[uid] = counts(&p)
	}
	if f := p.fault(d.restarts[uid]); f != nil {
		d.judge(*f)
	}
	if why, is := p.unschedulable(); is {
		d.trouble = fmt.Sprintf("pod %s: unschedulable: %s", p.Metadata.Name, why)
		if !d.pending[uid] {
			d.pending[uid] = true
			timer := time.AfterFunc(d.grace, func() { d.stillPending(uid) })
			context.AfterFunc(d.alive, func() { timer.Stop() })
		}
	}
}

// stillPending ends a candidate whose pod no node has taken in time.
func (d *deployment) stillPending(uid string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.pending, uid)
	p := d.pods[uid]
	if p == nil || d.alive.Err() != nil {
		return
	}
	if why, is := p.unschedulable(); is {
		d.judge(doom{reason: profile.ReasonUnschedulable,
			message: fmt.Sprintf("no node took pod %s within %v: %s", p.Metadata.Name, d.grace, why),
			advice:  "free GPUs, lower --max-num-gpus-per-engine, or wait longer for nodes with --unschedulable-grace"})
	}
}

func (d *deployment) takeEvent(o *unstructured.Unstructured, gone bool) {
	var e event
	if err := decode(o, &e); err != nil || gone {
		return // an event is only news
	}
	if e.Involved.Name != d.name && !strings.HasPrefix(e.Involved.Name, d.name+"-") || e.Type == "Normal" {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trouble = fmt.Sprintf("%s %s: %s: %s", strings.ToLower(e.Involved.Kind), e.Involved.Name, e.Reason, e.Message)
	if strings.Contains(e.Message, "exceeded quota") {
		d.judge(quotaFault(e.Message))
	}
}

func quotaFault(message string) doom {
	return doom{reason: profile.ReasonQuota, message: message,
		advice: "raise the namespace's ResourceQuota, free what uses it, or lower --max-num-gpus-per-engine"}
}

// judge ends the deployment for a fault, once, with the pod's log fetched
// outside the lock. It is called with the lock held.
func (d *deployment) judge(f doom) {
	if d.judging || d.alive.Err() != nil {
		return
	}
	d.judging = true
	d.wg.Go(func() { d.dead(f) })
}

// dead makes the error of a fault: the pod's last lines tell more than its
// status.
func (d *deployment) dead(f doom) {
	e := &profile.DeadError{Reason: f.reason, Message: f.message, Advice: f.advice}
	if f.pod != "" && f.reason != profile.ReasonImage {
		ctx, cancel := context.WithTimeout(d.alive, 10*time.Second)
		defer cancel()
		e = diagnose(d, f, d.logs.end(ctx, f.pod, f.container, f.previous))
	}
	d.die(e)
}

// wait returns when the deployment is ready, and otherwise says why it will not
// be.
func (d *deployment) wait(ctx context.Context, limit time.Duration) error {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-d.ready:
		return nil
	case <-d.alive.Done():
		return context.Cause(d.alive)
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
	}
	return d.late(limit)
}

// late is the death of a deployment that was not ready in time.
func (d *deployment) late(limit time.Duration) error {
	d.mu.Lock()
	trouble, pods := d.trouble, slices.Collect(maps.Values(d.pods))
	d.mu.Unlock()
	e := &profile.DeadError{Reason: profile.ReasonTimeout,
		Message: fmt.Sprintf("%s was not ready within %v", d.name, limit),
		Advice:  "its logs are in " + d.logs.dir + "; give it longer with --deployment-timeout"}
	if trouble != "" {
		e.Message += " (last seen: " + trouble + ")"
	}
	for _, p := range pods {
		if p.worker(d.name) {
			ctx, cancel := context.WithTimeout(d.alive, 10*time.Second)
			e.Log = lastLines(d.logs.end(ctx, p.Metadata.Name, p.main(), false))
			cancel()
			break
		}
	}
	return e
}

// within is a context that ends with ctx or when the deployment does.
func (d *deployment) within(ctx context.Context) (context.Context, func()) {
	both, cancel := context.WithCancelCause(ctx)
	stop := context.AfterFunc(d.alive, func() { cancel(context.Cause(d.alive)) })
	return both, func() { stop(); cancel(nil) }
}

// reason is why something failed: the deployment's death if there is one. What
// breaks a connection is seen there before the API server tells of it.
func (d *deployment) reason(ctx context.Context, err error) error {
	if ctx.Err() == nil {
		settle, stop := context.WithTimeout(d.alive, 2*time.Second)
		defer stop()
		<-settle.Done()
	}
	var dead *profile.DeadError
	switch {
	case d.alive.Err() != nil:
		return context.Cause(d.alive)
	case errors.As(context.Cause(ctx), &dead):
		return dead
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return err
}
