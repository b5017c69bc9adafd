package kube

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"headway/internal/fault"
)

// deployments is the resource of DynamoGraphDeployments in a version of
// nvidia.com.
func deployments(apiVersion string) (schema.GroupVersionResource, error) {
	v, err := schema.ParseGroupVersion(apiVersion)
	if err != nil || v.Group != "nvidia.com" || v.Version == "" {
		return schema.GroupVersionResource{}, fmt.Errorf("apiVersion %q: a DynamoGraphDeployment is of "+
			"nvidia.com/v1alpha1 or nvidia.com/v1beta1", apiVersion)
	}
	return v.WithResource("dynamographdeployments"), nil
}

// right is one thing that has to be allowed.
type right struct {
	verb, group, resource, sub string
}

func (r right) String() string {
	name := r.resource
	if r.group != "" {
		name += "." + r.group
	}
	if r.sub != "" {
		name += "/" + r.sub
	}
	return r.verb + " " + name
}

// forwardRights are what a port-forward to a service needs.
func forwardRights() []right {
	return []right{{"get", "", "services", ""}, {"list", "", "pods", ""}, {"create", "", "pods", "portforward"}}
}

// MayForward checks that the API server answers and that a port-forward to a
// service of the namespace may be made.
func (c *Cluster) MayForward(ctx context.Context) error {
	if err := c.Reach(ctx); err != nil {
		return err
	}
	return c.allowed(ctx, forwardRights())
}

// benchRights are what running candidates needs.
func benchRights(inside bool) []right {
	var list []right
	for _, verb := range []string{"create", "get", "list", "watch", "delete"} {
		list = append(list, right{verb, "nvidia.com", "dynamographdeployments", ""})
	}
	list = append(list, right{"list", "", "pods", ""}, right{"watch", "", "pods", ""}, right{"get", "", "pods", "log"},
		right{"list", "", "events", ""}, right{"watch", "", "events", ""}, right{"get", "", "services", ""})
	if !inside {
		list = append(list, right{"create", "", "pods", "portforward"})
	}
	return list
}

// allowed asks the API server, before anything is made, whether all of it may
// be done in the namespace (SelfSubjectAccessReview). The error lists every
// right that is missing.
func (c *Cluster) allowed(ctx context.Context, rights []right) error {
	var missing []string
	for _, r := range rights {
		ok, why, err := c.may(ctx, r)
		if err != nil {
			return fmt.Errorf("asking the API server %s what is allowed: %w", c.Server, err)
		}
		if !ok {
			text := r.String()
			if why != "" {
				text += " (" + why + ")"
			}
			missing = append(missing, text)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return fault.New("in namespace %s on %s these rights are missing: %s; give them with a Role and a RoleBinding "+
		"(deploy/profiler has both), "+
		"or choose another %s or %s", c.Namespace, c.Server, strings.Join(missing, ", "), fault.Field("namespace"),
		fault.Field("context"))
}

func (c *Cluster) may(ctx context.Context, r right) (ok bool, why string, err error) {
	review := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview",
		"spec": map[string]any{"resourceAttributes": map[string]any{
			"namespace": c.Namespace, "verb": r.verb, "group": r.group, "resource": r.resource, "subresource": r.sub,
		}},
	}}
	var answer *unstructured.Unstructured
	err = persist(ctx, callLimit, "asking for the right to "+r.String(), func(ctx context.Context) (err error) {
		answer, err = c.dynamic.Resource(accessResource).Create(ctx, review, metav1.CreateOptions{})
		return err
	})
	if err != nil {
		return false, "", err
	}
	var got struct {
		Status struct {
			Allowed bool   `json:"allowed"`
			Reason  string `json:"reason"`
			Error   string `json:"evaluationError"`
		} `json:"status"`
	}
	if err := decode(answer, &got); err != nil {
		return false, "", err
	}
	return got.Status.Allowed, strings.Join(strings.Fields(got.Status.Reason+" "+got.Status.Error), " "), nil
}

// served checks that the cluster knows DynamoGraphDeployments in the version.
func (c *Cluster) served(ctx context.Context, r schema.GroupVersionResource) error {
	err := persist(ctx, callLimit, "looking for DynamoGraphDeployments", func(ctx context.Context) error {
		_, err := c.in(r).List(ctx, metav1.ListOptions{Limit: 1})
		return err
	})
	if apierrors.IsNotFound(err) {
		return fmt.Errorf("the cluster %s does not know DynamoGraphDeployments of %s: install Dynamo's operator "+
			"with its custom resource definitions, or convert the configuration to a version it serves", c.Server,
			r.GroupVersion())
	}
	return err
}
