package options

import "headway/internal/fault"

// KubeAccess says which Kubernetes cluster.
type KubeAccess struct {
	Kubeconfig string `name:"kubeconfig" apart:"" type:"path" placeholder:"FILE" help:"Kubernetes: configuration file. Default: KUBECONFIG, ~/.kube/config, or the service account of the pod."`
	Context    string `name:"context" apart:"" placeholder:"NAME" help:"Kubernetes: context of the configuration. Default: the current one."`
}

// Cleanup says which leftovers of killed searches are removed.
type Cleanup struct {
	Namespace string `name:"namespace" short:"n" placeholder:"NAME" help:"Look for deployments of headway's in this namespace, too, whatever the list on disk says."`
	All       bool   `name:"all" help:"With --namespace: remove also those of other hosts and of searches that still run."`
	DryRun    bool   `name:"dry-run" apart:"" help:"List what would be removed, and remove nothing."`

	KubeAccess
}

// Faults is what is wrong with the options.
func (f *Cleanup) Faults(a Caller) error {
	var bad fault.List
	bad.Idle(a.Given, f.Namespace == "", "all kubeconfig context", fault.Field("namespace"))
	return bad.Usage()
}

// PortForward reaches services of a Kubernetes cluster from outside.
type PortForward struct {
	Forward          []string `name:"port-forward" apart:"" sep:"none" placeholder:"svc/NAME[:PORT]" help:"Measure a service of a Kubernetes cluster through a port-forward of headway's own, instead of an address; repeatable."`
	ForwardNamespace string   `name:"namespace" apart:"" short:"n" placeholder:"NAME" help:"With --port-forward: the service's namespace. Default: the context's."`

	KubeAccess
}

// Faults are those of the options beside so many addresses. What each service is
// called is read where the way to it is made.
func (f *PortForward) Faults(a Caller, urls int, bad *fault.List) {
	bad.Idle(a.Given, len(f.Forward) == 0, "namespace kubeconfig context", fault.Field("port-forward"))
	bad.When(len(f.Forward) > 0 && urls > 0, "%s and an address (%s, %s): give one of them",
		fault.Field("port-forward"), fault.Field("url"), fault.Field("endpoint-url"))
}
