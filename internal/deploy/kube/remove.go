package kube

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"headway/internal/deploy"
)

// removal deletes a deployment and waits until it and its pods are gone.
type removal struct {
	cluster   *Cluster
	resource  schema.GroupVersionResource
	name, uid string
	// runID is whose object a name without a uid must be: one whose creation was
	// never answered, and may be somebody else's.
	runID string

	asked          bool // the API server has been told to delete it
	mu             sync.Mutex
	object         bool
	pods           map[string]bool
	counted, taken bool // the lists of pods and of the object are in
	done           chan struct{}
}

// run returns when nothing is left; the error says what is.
func (r *removal) run(ctx context.Context) error {
	ours, err := r.delete(ctx)
	if err != nil || !ours {
		return err
	}
	r.pods, r.done = map[string]bool{}, make(chan struct{})
	watching, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer stop()
	// There is no limit of its own to how long the API server may be away: ctx
	// has one.
	object := &follower{cluster: r.cluster, resource: r.resource, name: r.name, take: r.takeObject,
		listed: func() { r.check(&r.taken) }, limit: time.Hour}
	pods := &follower{cluster: r.cluster, resource: podResource, take: r.takePod,
		listed: func() { r.check(&r.counted) }, limit: time.Hour}
	wg.Go(func() { _ = object.run(watching) })
	wg.Go(func() { _ = pods.run(watching) })
	select {
	case <-r.done:
		return nil
	case <-ctx.Done():
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	left := slices.Sorted(maps.Keys(r.pods))
	if r.object || !r.taken {
		left = append([]string{"the object itself"}, left...)
	}
	return fmt.Errorf("removing %s/%s from %s: not gone in time: %s; `headway profile cleanup --namespace %s` "+
		"tries again",
		r.cluster.Namespace, r.name, r.cluster.Server, strings.Join(left, ", "), r.cluster.Namespace)
}

// delete asks for the removal; ours is false when there is nothing of ours.
func (r *removal) delete(ctx context.Context) (ours bool, err error) {
	what := fmt.Sprintf("removing %s/%s from %s", r.cluster.Namespace, r.name, r.cluster.Server)
	ours = true
	err = persist(ctx, time.Hour, what, func(ctx context.Context) error {
		if r.uid == "" {
			o, err := r.cluster.in(r.resource).Get(ctx, r.name, metav1.GetOptions{})
			if apierrors.IsNotFound(err) || err == nil &&
				(o.GetLabels()[labelManaged] != managedBy || r.runID != "" && o.GetLabels()[labelRun] != r.runID) {
				ours = false
				return nil
			}
			if err != nil {
				return err
			}
			r.uid = string(o.GetUID())
		}
		uid, policy := types.UID(r.uid), metav1.DeletePropagationBackground
		err := r.cluster.in(r.resource).Delete(ctx, r.name,
			metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &uid}, PropagationPolicy: &policy})
		if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
			return nil // gone, or another of the same name: its pods are waited for
		}
		r.asked = r.asked || err == nil
		return err
	})
	return ours, err
}

func (r *removal) takeObject(o *unstructured.Unstructured, gone bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if string(o.GetUID()) == r.uid {
		r.object = !gone
	}
	r.finish()
}

func (r *removal) takePod(o *unstructured.Unstructured, gone bool) {
	var p pod
	if decode(o, &p) != nil || !p.belongs(r.name) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if gone {
		delete(r.pods, p.Metadata.Name)
	} else {
		r.pods[p.Metadata.Name] = true
	}
	r.finish()
}

func (r *removal) check(listed *bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	*listed = true
	r.finish()
}

func (r *removal) finish() {
	if r.counted && r.taken && !r.object && len(r.pods) == 0 {
		select {
		case <-r.done:
		default:
			close(r.done)
		}
	}
}

// RemoveObject is the deploy.Remover of what a Bench makes.
func RemoveObject(ctx context.Context, e deploy.Entry) (ended bool, err error) {
	c, err := Connect(Access{Kubeconfig: e.Kubeconfig, Context: e.Context, Namespace: e.Namespace})
	if err != nil {
		return false, err
	}
	if c.Server != e.Server {
		return false, fmt.Errorf("it was made on %s, and the context %q leads to %s now; remove it by hand", e.Server,
			e.Context, c.Server)
	}
	resource, err := deployments(e.APIVersion)
	if err != nil {
		return false, err
	}
	if err := c.Reach(ctx); err != nil {
		return false, err
	}
	within, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	r := &removal{cluster: c, resource: resource, name: e.Name, uid: e.UID}
	err = r.run(within)
	return r.asked, err
}

// Found is a deployment of headway's that stands in a namespace.
type Found struct {
	Name, Candidate string
	Owner           deploy.Owner
	Made            time.Time
	// Removed says that it has gone; Err why it has not, though it should
	// have. With neither it was left alone: its owner lives, or may live. Left
	// says that it is to be removed, where nothing is yet.
	Removed, Left bool
	Err           error
}

// Cleanup looks for deployments of headway's in the namespace and removes those
// whose process is dead; with all, also those of other hosts and of processes
// that live, which then fail. With dry it only says what it would remove.
func (c *Cluster) Cleanup(ctx context.Context, all, dry bool) ([]Found, error) {
	if err := c.Reach(ctx); err != nil {
		return nil, err
	}
	var list *unstructured.UnstructuredList
	var resource schema.GroupVersionResource
	err := error(nil)
	for _, version := range []string{"nvidia.com/v1beta1", "nvidia.com/v1alpha1"} {
		if resource, err = deployments(version); err != nil {
			return nil, err
		}
		err = persist(ctx, callLimit, "listing the DynamoGraphDeployments in "+c.Namespace,
			func(ctx context.Context) (err error) {
				list, err = c.in(resource).List(ctx, metav1.ListOptions{LabelSelector: labelManaged + "=" + managedBy})
				return err
			})
		if !apierrors.IsNotFound(err) {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	var found []Found
	for i := range list.Items {
		o := &list.Items[i]
		a := o.GetAnnotations()
		pid, _ := strconv.Atoi(a[notePID]) // 0, which is nobody, when it was edited away
		f := Found{Name: o.GetName(), Candidate: a[noteTag], Made: o.GetCreationTimestamp().Time,
			Owner: deploy.Owner{Host: a[noteHost], PID: pid, Start: a[noteStart]}}
		alive, known := f.Owner.Alive()
		if f.Left = all || known && !alive; f.Left && !dry {
			within, cancel := context.WithTimeout(ctx, 5*time.Minute)
			f.Err = (&removal{cluster: c, resource: resource, name: f.Name, uid: string(o.GetUID())}).run(within)
			f.Removed, f.Left = f.Err == nil, false
			cancel()
		}
		found = append(found, f)
		if errors.Is(ctx.Err(), context.Canceled) {
			return found, ctx.Err()
		}
	}
	return found, nil
}

// OwnerFrom is the owner of deployments that environment variables name: the
// DynamoGraphDeploymentRequest this works for (DGDR_NAME, DGDR_NAMESPACE,
// DGDR_UID). nil where they do not, or where it is in another namespace, in
// which Kubernetes knows no owners.
func OwnerFrom(getenv func(string) string, apiVersion, namespace string) *metav1.OwnerReference {
	name, uid := getenv("DGDR_NAME"), getenv("DGDR_UID")
	if name == "" || uid == "" || getenv("DGDR_NAMESPACE") != namespace {
		return nil
	}
	return &metav1.OwnerReference{APIVersion: apiVersion, Kind: "DynamoGraphDeploymentRequest", Name: name,
		UID: types.UID(uid)}
}
