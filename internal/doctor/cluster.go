package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"headway/internal/deploy/kube"
	"headway/internal/fault"
	"headway/internal/plain"
)

// cluster is a namespace and what stands in it.
type cluster struct {
	survey *kube.Survey
	name   func(fault.Field) string
}

// surveyLimit is how long looking through a namespace may take.
const surveyLimit = 30 * time.Second

// OfNamespace is a namespace of a cluster. name is what options are called.
func OfNamespace(c *kube.Cluster, name func(fault.Field) string) Subject {
	k := &cluster{name: name}
	looked := []string{"API server"}
	of := func(check string, judge func(*kube.Survey) Finding) Check {
		return Check{Name: check, Needs: looked, Run: func(context.Context) Finding { return judge(k.survey) }}
	}
	return Subject{Title: "namespace " + c.Namespace + " on " + c.Server, Note: "reads, and changes nothing",
		Checks: []Check{
			{Name: "API server", Limit: surveyLimit, Run: func(ctx context.Context) Finding {
				k.survey = c.Survey(ctx)
				return k.reached()
			}},
			of("rights", rights), of("CRDs", kinds), of("operator", operator), of("etcd and NATS", services),
			of("GPU nodes", nodes), of("pods that wait", waiting), of("images", images), of("quotas", quotas),
			of("workers", workers), of("time limits", late), of("deployments", works), of("results of jobs",
				jobResults),
		}}
}

func (k *cluster) reached() Finding {
	if err := k.survey.Unreachable; err != nil {
		return failed(fault.Named(err, k.name).Error(), "Look whether kubectl version answers with the same "+
			"configuration; a VPN, or new credentials, may be missing.")
	}
	if k.survey.Missing {
		return failed("there is no namespace "+k.survey.Namespace+" on "+k.survey.Server, "Look for its name with "+
			"kubectl "+
			"get namespaces, and whether this is the cluster that is meant (--context).")
	}
	return ok(k.survey.Server + " answers")
}

// unread is the finding of a part that could not be read, if it could not.
func unread[T any](p kube.Part[T], right string) (Finding, bool) {
	switch {
	case p.Err == nil:
		return Finding{}, false
	case p.Denied:
		return skipped("this account may not " + right), true
	}
	return warn(p.Err.Error(), "Look whether the API server is overloaded, and try again."), true
}

func rights(s *kube.Survey) Finding {
	if f, is := unread(s.Rights, "ask for its rights"); is {
		return f
	}
	var missing []string
	for _, r := range s.Rights.List {
		if !r.Allowed {
			missing = append(missing, r.Name)
		}
	}
	if len(missing) > 0 {
		return warn("missing: "+strings.Join(missing, ", "), "profile sla --on kube and --port-forward need them: a "+
			"Role and a RoleBinding give them (deploy/profiler has both).")
	}
	return ok(fmt.Sprintf("all %d of a search and of a port-forward", len(s.Rights.List)))
}

// graphs is the resource of Dynamo's deployments.
const graphs = "dynamographdeployments."

func kinds(s *kube.Survey) Finding {
	const do = "Install Dynamo's platform with its custom resource definitions; for a server of another kind none is " +
		"needed."
	if s.Kinds.Unknown {
		return warn("the cluster knows no nvidia.com API", do)
	}
	if f, is := unread(s.Kinds, "read which APIs there are"); is {
		return f
	}
	var versions []string
	for _, k := range s.Kinds.List {
		if v, is := strings.CutPrefix(k, graphs); is {
			versions = append(versions, v)
		}
	}
	if len(versions) == 0 {
		return warn("nvidia.com has no DynamoGraphDeployments", do)
	}
	return ok("DynamoGraphDeployments of " + strings.Join(versions, " and "))
}

// dynamo says whether the cluster has Dynamo's kinds, so that its parts are missed.
func dynamo(s *kube.Survey) bool { return kinds(s).Status == OK }

func operator(s *kube.Survey) Finding {
	if f, is := unread(s.Others, "list pods"); is {
		return f
	}
	f, found := part(s, kube.RoleOperator)
	switch {
	case found:
		return f
	case !s.Everywhere:
		return skipped("not in this namespace, and the pods of others may not be listed")
	case !dynamo(s):
		return skipped("the cluster has no Dynamo")
	}
	seen, do := "no pod of Dynamo's operator runs in the cluster", "DynamoGraphDeployments stay as they are without "+
		"it: "+
		"install Dynamo's platform, or start its operator again."
	switch reconciled(s) {
	case OK:
		return ok("no pod has its name, and the graphs of this namespace have a status: it runs under another one")
	case Fail:
		return failed(seen+", and graphs have no status", do)
	}
	return warn(seen, do)
}

// reconciled says whether somebody takes care of the graphs of the namespace: OK where
// one has a status, Fail where none has, Skipped where there are no graphs.
func reconciled(s *kube.Survey) Status {
	found := Skipped
	for _, w := range s.Works.List {
		switch {
		case w.Kind != graph:
		case w.State != "":
			return OK
		default:
			found = Fail
		}
	}
	return found
}

// graph is the kind of Dynamo's deployments, as [kube.Work] has it.
const graph = "dynamographdeployment"

func services(s *kube.Survey) Finding {
	if f, is := unread(s.Others, "list pods"); is {
		return f
	}
	seen := ""
	for _, role := range []string{kube.RoleEtcd, kube.RoleNATS} {
		f, found := part(s, role)
		if found && f.Status != OK {
			return f
		}
		if found {
			seen += f.Seen + "; "
		}
	}
	where := "in this namespace"
	if s.Everywhere {
		where = "in the cluster"
	}
	if seen == "" {
		return skipped("neither runs " + where + "; Dynamo that discovers by Kubernetes and sends over TCP needs " +
			"neither")
	}
	return ok(strings.TrimSuffix(seen, "; "))
}

// part judges the pods that play a part for Dynamo.
func part(s *kube.Survey, role string) (f Finding, found bool) {
	ready, all := 0, 0
	why := ""
	for _, p := range s.Others.List {
		if p.Role != role {
			continue
		}
		if all++; p.Ready {
			ready++
		} else if why == "" {
			why = fmt.Sprintf("%s/%s is %s %s", p.Namespace, p.Name, p.Phase, p.Fault+p.Waits)
		}
	}
	seen := fmt.Sprintf("%s: %d of %s ready", role, ready, plain.HowMany(all, "pod", "pods"))
	switch {
	case ready < all:
		return failed(seen+": "+strings.TrimSpace(why), "Workers cannot register and frontends find none: look at "+
			"kubectl "+
			"describe pod and the log of that pod; a volume that is not bound is often why."), true
	case all > 0:
		return ok(seen), true
	}
	return Finding{}, false
}

func nodes(s *kube.Survey) Finding {
	if f, is := unread(s.Nodes, "list nodes"); is {
		return f
	}
	var list []string
	usable, free := 0, 0
	for _, n := range s.Nodes.List {
		if n.GPUs == 0 {
			continue
		}
		text := fmt.Sprintf("%s has %s", n.Name, plain.HowMany(n.GPUs, "GPU", "GPUs"))
		if s.Everywhere {
			text += fmt.Sprintf(", %d free", n.GPUs-n.Taken)
		}
		switch {
		case !n.Ready:
			text += ", not ready"
		case n.Closed:
			text += ", cordoned"
		default:
			usable++
			free += n.GPUs - n.Taken
		}
		if len(n.Taints) > 0 {
			text += ", tainted " + strings.Join(n.Taints, " and ")
		}
		list = append(list, text)
	}
	return judgeNodes(len(s.Nodes.List), list, usable, free)
}

// judgeNodes judges nodes by those that have GPUs, in words.
func judgeNodes(all int, with []string, usable, free int) Finding {
	switch {
	case len(with) == 0:
		return warn(fmt.Sprintf("none of %s has a GPU to give", plain.HowMany(all, "node", "nodes")),
			"Engines wait for ever: add GPU nodes, or install the device plugin (NVIDIA's GPU operator) on those "+
				"there are.")
	case usable == 0:
		return failed(atMost(4, with), "No node with GPUs takes pods: kubectl describe node says why; kubectl "+
			"uncordon "+
			"opens one.")
	case free <= 0:
		return warn(atMost(4, with), "No GPU is free, and a new engine waits: end what uses them, or add nodes.")
	}
	return ok(atMost(4, with))
}
