package place

import (
	"context"
	"errors"
	"fmt"

	"headway/internal/deploy"
	"headway/internal/deploy/kube"
	"headway/internal/fault"
	"headway/internal/options"
)

// Removers are what removes processes, and objects of a cluster.
func Removers() deploy.Removers {
	return deploy.Removers{deploy.KindProcess: deploy.RemoveProcess, deploy.KindObject: kube.RemoveObject}
}

// Cleanup removes what searches that were killed left behind.
type Cleanup struct {
	options.Cleanup
	// State is the folder of the lists of what was started.
	State string
	// Say hears in a line what became of each thing; Name is what options are
	// called there.
	Say  deploy.Say
	Name func(fault.Field) string
}

// Run removes what the lists in the folder have, and what carries labels of
// headway's in the namespace. It returns how many things were found; the error has
// everything that may still be there.
func (c Cleanup) Run(ctx context.Context) (int, error) {
	n, err := deploy.List(c.State, c.Say)
	if err == nil && !c.DryRun {
		n, err = Removers().Sweep(ctx, c.State, c.Say)
	}
	if c.Namespace == "" {
		return n, err
	}
	more, inCluster := c.namespace(ctx)
	return n + more, errors.Join(err, inCluster)
}

// namespace looks through one by its labels.
func (c Cleanup) namespace(ctx context.Context) (found int, err error) {
	cluster, err := kube.Connect(kube.Access{Kubeconfig: c.Kubeconfig, Context: c.Context, Namespace: c.Namespace})
	if err != nil {
		return 0, err
	}
	all, err := cluster.Cleanup(ctx, c.All, c.DryRun)
	faults := []error{err}
	for _, f := range all {
		if f.Err != nil {
			faults = append(faults, fmt.Errorf("%s (%s): %w", f.Name, f.Candidate, f.Err))
			continue
		}
		if f.Removed || f.Left {
			found++
		}
		c.Say("%s", c.became(f))
	}
	return found, errors.Join(faults...)
}

// became says what became of a deployment.
func (c Cleanup) became(f kube.Found) string {
	name := fmt.Sprintf("DynamoGraphDeployment %s/%s (%s)", c.Namespace, f.Name, f.Candidate)
	switch {
	case f.Removed:
		return "removed " + name
	case f.Left:
		return "would be removed: " + name
	}
	return fault.Text(c.Name, "left alone: %s/%s (%s) of process %d on %s, which may still run; %s removes it",
		c.Namespace, f.Name, f.Candidate, f.Owner.PID, f.Owner.Host, fault.Field("all"))
}
