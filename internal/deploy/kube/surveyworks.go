package kube

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Work is something that makes pods: a DynamoGraphDeployment, a request for one, a
// deployment or a job.
type Work struct {
	Kind, Name string
	// Done says that it is ready, or has ended well; Failed that it will not be, and
	// Late that its time limit passed.
	Done, Failed, Late bool
	// State is what its status says, Why what is missing.
	State, Why string
	// Refused is why no pod could be made, as a quota's bound.
	Refused string
	Age     time.Duration
}

// patience is how long a graph may take to become ready, as searches wait for one.
const patience = 30 * time.Minute

// surveyWorks reads the works. A cluster without Dynamo has no graphs, which is no
// failure of the part.
func (c *Cluster) surveyWorks(ctx context.Context, s *Survey) {
	for _, r := range []schema.GroupVersionResource{
		{Group: "apps", Version: "v1", Resource: "deployments"},
		{Group: "batch", Version: "v1", Resource: "jobs"},
		{Group: "nvidia.com", Version: "v1alpha1", Resource: "dynamographdeployments"},
		{Group: "nvidia.com", Version: "v1alpha1", Resource: "dynamographdeploymentrequests"},
	} {
		items, more, err := c.list(ctx, r, c.Namespace)
		if apierrors.IsNotFound(err) && r.Group == "nvidia.com" {
			r.Version = "v1beta1"
			items, more, err = c.list(ctx, r, c.Namespace)
		}
		if err != nil {
			if !apierrors.IsNotFound(err) {
				s.Works.failed(err)
			}
			continue
		}
		s.Works.More = s.Works.More || more
		for i := range items {
			s.Works.List = append(s.Works.List, workOf(&items[i], r.Resource, time.Now()))
		}
	}
}

// progress is what is read of the status of any of them.
type progress struct {
	Metadata struct {
		Created string `json:"creationTimestamp"`
	} `json:"metadata"`
	Status struct {
		State      string      `json:"state"` // v1alpha1, and graphs
		Phase      string      `json:"phase"` // requests of v1beta1
		Conditions []condition `json:"conditions"`
	} `json:"status"`
}

func workOf(o *unstructured.Unstructured, resource string, now time.Time) Work {
	w := Work{Kind: strings.TrimSuffix(resource, "s"), Name: o.GetName()}
	var p progress
	if err := decode(o, &p); err != nil {
		w.Why = err.Error()
		return w
	}
	if at, err := time.Parse(time.RFC3339, p.Metadata.Created); err == nil {
		w.Age = now.Sub(at)
	}
	w.State = cmp.Or(p.Status.State, p.Status.Phase)
	for _, c := range p.Status.Conditions {
		w.take(c)
	}
	switch strings.ToLower(w.State) {
	case "failed":
		w.Failed = true
	case "successful", "ready", "deployed":
		w.Done = w.Why == ""
	}
	w.Late = w.Late || resource == "dynamographdeployments" && !w.Done && !w.Failed && w.Age > patience
	return w
}

// take notes a condition.
func (w *Work) take(c condition) {
	why := strings.TrimSuffix(fmt.Sprintf("%s: %s", c.Reason, c.Message), ": ")
	switch {
	case c.Type == "Available" && c.Status == "True", c.Type == "Complete" && c.Status == "True",
		c.Type == "Ready" && c.Status == "True":
		w.Done = true
	case c.Type == "Progressing" && c.Reason == "ProgressDeadlineExceeded",
		c.Type == "Failed" && c.Status == "True" && c.Reason == "DeadlineExceeded":
		w.Late, w.Why = true, why
	case c.Type == "Failed" && c.Status == "True":
		w.Failed, w.Why = true, why
	case (c.Type == "Ready" || c.Type == "Available") && c.Status != "True":
		w.Why = why
	case c.Type == "ReplicaFailure" && c.Status == "True":
		w.Refused = why
	}
}
