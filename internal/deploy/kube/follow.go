package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
)

// follower keeps up with the objects of one resource: a list, then a watch
// from there on, taken up again where it broke off. client-go's informer does
// the same and goes on for ever when the API server is gone; this one ends.
type follower struct {
	cluster  *Cluster
	resource schema.GroupVersionResource
	// name, if set, is the only object of interest.
	name string
	// take is called for each object when it is first seen, when it changes,
	// and, with gone set, when it is no more. Calls do not overlap.
	take func(o *unstructured.Unstructured, gone bool)
	// listed, which may be nil, is called after each list.
	listed func()
	// limit is how long the API server may be away.
	limit time.Duration

	known   map[string]*unstructured.Unstructured
	version string
}

// run follows until ctx ends or the API server has been away too long; the
// error says which.
func (f *follower) run(ctx context.Context) error {
	f.known = map[string]*unstructured.Unstructured{}
	var failing time.Time // since when
	for pause := 100 * time.Millisecond; ; {
		heard, err := f.once(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if heard {
			failing, pause = time.Time{}, 100*time.Millisecond
		}
		if err == nil {
			continue // a watch ends after some minutes, as a rule
		}
		if apierrors.IsResourceExpired(err) || apierrors.IsGone(err) {
			f.version = ""
			if heard {
				continue
			}
		}
		if failing.IsZero() {
			failing = time.Now()
		}
		if time.Since(failing) > f.limit {
			return fmt.Errorf("watching %s in %s on %s: failed for %v: %w", f.resource.Resource, f.cluster.Namespace,
				f.cluster.Server, f.limit, err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
		pause = min(2*pause, 5*time.Second)
	}
}

// once lists, where there is no place to go on from, and watches until that
// ends. heard says that the API server sent something.
func (f *follower) once(ctx context.Context) (heard bool, err error) {
	if f.version == "" {
		if err := f.list(ctx); err != nil {
			return false, err
		}
		heard = true
	}
	opts := f.options()
	seconds := int64(300)
	opts.ResourceVersion, opts.AllowWatchBookmarks, opts.TimeoutSeconds = f.version, true, &seconds
	w, err := f.cluster.in(f.resource).Watch(ctx, opts)
	if err != nil {
		return heard, err
	}
	defer w.Stop()
	began := time.Now()
	for e := range w.ResultChan() {
		if e.Type == watch.Error {
			return heard, apierrors.FromObject(e.Object)
		}
		o, ok := e.Object.(*unstructured.Unstructured)
		if !ok {
			return heard, fmt.Errorf("the watch sent a %T", e.Object)
		}
		heard = true
		if v := o.GetResourceVersion(); v != "" {
			f.version = v
		}
		f.hear(e.Type, o)
	}
	if time.Since(began) < time.Second {
		// One that ends as soon as it begins, again and again, is a failure.
		return heard, errors.New("the watch ended at once")
	}
	return true, nil
}

func (f *follower) options() metav1.ListOptions {
	var o metav1.ListOptions
	if f.name != "" {
		o.FieldSelector = "metadata.name=" + f.name
	}
	return o
}

// list takes stock: what was known and is not there any more has gone.
func (f *follower) list(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, callLimit)
	defer cancel()
	list, err := f.cluster.in(f.resource).List(within, f.options())
	if err != nil {
		return err
	}
	here := map[string]bool{}
	for i := range list.Items {
		here[string(list.Items[i].GetUID())] = true
		f.hear(watch.Added, &list.Items[i])
	}
	for uid, o := range f.known {
		if !here[uid] {
			f.hear(watch.Deleted, o)
		}
	}
	f.version = list.GetResourceVersion()
	if f.listed != nil {
		f.listed()
	}
	return nil
}

func (f *follower) hear(kind watch.EventType, o *unstructured.Unstructured) {
	if f.name != "" && o.GetName() != f.name {
		return
	}
	uid := string(o.GetUID())
	switch kind {
	case watch.Added, watch.Modified:
		f.known[uid] = o
		f.take(o, false)
	case watch.Deleted:
		delete(f.known, uid)
		f.take(o, true)
	}
}
