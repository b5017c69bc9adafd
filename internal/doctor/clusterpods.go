package doctor

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"
	"time"

	"headway/internal/deploy/kube"
	"headway/internal/plain"
	"headway/internal/secret"
)

func waiting(s *kube.Survey) Finding {
	if f, is := unread(s.Pods, "list pods"); is {
		return f
	}
	var list []string
	why := ""
	for _, p := range s.Pods.List {
		if p.Waits != "" {
			list, why = append(list, p.Name+": "+p.Waits), why+p.Waits
		}
	}
	if len(list) == 0 {
		return ok(fmt.Sprintf("none of %s", plain.HowMany(len(s.Pods.List), "pod", "pods")))
	}
	return failed(atMost(3, list), schedule(why))
}

// schedule is what to do about the scheduler's words.
func schedule(why string) string {
	var do []string
	for _, hint := range [][2]string{
		{"nvidia.com/gpu", "no node has as many GPUs free as the pod asks for: free some, ask for fewer, or add nodes"},
		{"ersistentVolumeClaim", "a volume claim is not bound: kubectl get pvc; it may not exist, or no storage " +
			"class " +
			"serves it"},
		{"untolerated taint", "nodes have a taint: give the pod a toleration"},
		{"node affinity", "the pod asks for nodes with labels that none has: look at its nodeSelector and affinity"},
		{"Insufficient cpu", "processors are short: lower requests.cpu"},
		{"Insufficient memory", "memory is short: lower requests.memory"},
		{"unschedulable", "nodes are cordoned: kubectl uncordon"},
	} {
		if strings.Contains(why, hint[0]) {
			do = append(do, hint[1])
		}
	}
	if len(do) == 0 {
		return "No node takes these pods: kubectl describe pod has the scheduler's reasons."
	}
	text := strings.Join(do, "; ")
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

func images(s *kube.Survey) Finding {
	if f, is := unread(s.Pods, "list pods"); is {
		return f
	}
	var list []string
	for _, p := range s.Pods.List {
		if p.Image {
			list = append(list, p.Fault)
		}
	}
	if len(list) == 0 {
		return ok("every container has its image, or waits for something else")
	}
	return failed(atMost(3, list), "Check name and tag of the image. For 401 or 403 the namespace needs a pull secret "+
		"(kubectl create secret docker-registry nvcr-imagepullsecret, for nvcr.io with the user $oauthtoken and a "+
		"key of "+
		"NGC), named in imagePullSecrets of the pod or of its service account.")
}

func quotas(s *kube.Survey) Finding {
	if f, is := unread(s.Quotas, "list resourcequotas"); is {
		return f
	}
	const do = "New pods are refused: raise the ResourceQuota, ask for less, or end what uses it."
	var full, all, refused []string
	for _, w := range s.Works.List {
		if strings.Contains(w.Refused, "exceeded quota") {
			refused = append(refused, w.Name+": "+w.Refused)
		}
	}
	if len(refused) > 0 {
		return failed(atMost(3, refused), do)
	}
	if len(s.Quotas.List) == 0 {
		return ok("none")
	}
	for _, q := range s.Quotas.List {
		text := fmt.Sprintf("%s: %s of %s %s", q.Name, q.Used, q.Hard, q.Resource)
		all = append(all, text)
		if q.Full {
			full = append(full, text)
		}
	}
	if len(full) > 0 {
		return warn("used up: "+atMost(4, full), do)
	}
	return ok(atMost(4, all))
}

// workers are the pods whose containers fail, but for their images.
func workers(s *kube.Survey) Finding {
	if f, is := unread(s.Pods, "list pods"); is {
		return f
	}
	var list, do []string
	running := 0
	for _, p := range s.Pods.List {
		if p.Worker && p.Ready {
			running++
		}
		if p.Fault == "" || p.Image {
			continue
		}
		list = append(list, p.Fault)
		if p.Memory && !strings.Contains(p.Advice, "memory") {
			p.Advice = "it ran out of memory: " + p.Advice
		}
		do = append(do, p.Name+": "+p.Advice)
	}
	switch {
	case len(list) > 0:
		return failed(atMost(3, list), atMost(3, do)+".")
	case running == 0 && dynamo(s):
		return warn("no worker of a DynamoGraphDeployment is ready in the namespace", "A frontend without a worker "+
			"lists no model: create a deployment, or look at what its workers wait for.")
	}
	return ok(fmt.Sprintf("%s of Dynamo ready, no container failed", plain.HowMany(running, "worker", "workers")))
}

// late are the works whose time limit passed.
func late(s *kube.Survey) Finding {
	if f, is := unread(s.Works, "list deployments and jobs"); is {
		return f
	}
	var list []string
	for _, w := range s.Works.List {
		if w.Late {
			list = append(list, described(w))
		}
	}
	if len(list) == 0 {
		return ok("none has passed")
	}
	return failed(atMost(3, list), "What it waits for is in the checks above. A large model may only need longer: "+
		"raise "+
		"progressDeadlineSeconds or activeDeadlineSeconds, for searches --deployment-timeout, and keep the model's "+
		"files "+
		"on a volume.")
}

// described is a work with its state.
func described(w kube.Work) string {
	text := fmt.Sprintf("%s %s", w.Kind, w.Name)
	if w.State != "" {
		text += " is " + w.State
	}
	if w.Age >= time.Minute {
		text += fmt.Sprintf(" after %v", w.Age.Round(time.Minute))
	}
	if why := cmp.Or(w.Refused, w.Why); why != "" {
		text += " (" + why + ")"
	}
	return text
}

// works are those that failed, or are not ready yet.
func works(s *kube.Survey) Finding {
	if f, is := unread(s.Works, "list deployments and jobs"); is {
		return f
	}
	var bad, begun []string
	for _, w := range s.Works.List {
		switch {
		case w.Failed:
			bad = append(bad, described(w))
		case !w.Done && !w.Late:
			begun = append(begun, described(w))
		}
	}
	switch {
	case len(bad) > 0:
		return failed(atMost(3, bad), "kubectl describe, and the log of its pods, say why; the checks above have "+
			"what is "+
			"known of them.")
	case len(begun) > 0:
		return warn("not ready yet: "+atMost(3, begun), "Wait for it before measuring, or look at what its pods wait "+
			"for.")
	}
	if len(s.Works.List) == 0 {
		return ok("there are no deployments, graphs and jobs")
	}
	return ok(fmt.Sprintf("%s, all that are expected to be ready are", plain.HowMany(len(s.Works.List),
		"deployment, graph or job", "deployments, graphs and jobs")))
}

// resultMarks are what the logs of measurements hold when there is a result.
var resultMarks = regexp.MustCompile(`(?i)results: |LLM Metrics|profile_export_aiperf|raw_data\.npz|` +
	`config_with_planner|final_config|selected`)

// jobResults are the measurements that ended well, and whose log has no result.
func jobResults(s *kube.Survey) Finding {
	if f, is := unread(s.Pods, "list pods"); is {
		return f
	}
	var list []string
	measured := 0
	for _, p := range s.Pods.List {
		if p.Job == "" || !p.Measures || p.Phase != "Succeeded" {
			continue
		}
		measured++
		if !resultMarks.MatchString(p.Log) {
			list = append(list, fmt.Sprintf("job %s ended, and its log ends with %q", p.Job, lastLine(p.Log)))
		}
	}
	switch {
	case len(list) > 0:
		return failed(atMost(3, list), "Look at the whole log (kubectl logs job/NAME): often the service has another "+
			"name "+
			"or namespace (SERVICE.NAMESPACE.svc.cluster.local:PORT), or every request failed. The files lie on the "+
			"job's "+
			"volume: headway doctor FOLDER reads them.")
	case measured == 0:
		return skipped("no measurement has ended here")
	}
	return ok(plain.HowMany(measured, "measurement has its result in the log", "measurements have their results in "+
		"the log"))
}

// lastLine is the end of a log, short and without what looks like a secret.
func lastLine(log string) string {
	lines := strings.Split(strings.TrimSpace(log), "\n")
	r := []rune(secret.Redactor{}.Text(lines[len(lines)-1]))
	return string(r[:min(len(r), 200)])
}
