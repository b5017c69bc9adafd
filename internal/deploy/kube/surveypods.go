package kube

import (
	"context"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"headway/internal/deploy"
	"headway/internal/profile"
)

// The parts that pods of Dynamo's platform play.
const (
	RoleOperator = "operator"
	RoleEtcd     = "etcd"
	RoleNATS     = "nats"
)

// Pod is a pod, and what is wrong with it.
type Pod struct {
	Namespace, Name, Phase, Node string
	// Role is one of the platform's, empty for others; Graph the deployment of Dynamo
	// that it belongs to, and Worker that it runs an engine of it.
	Role, Graph string
	Worker      bool
	Ready       bool
	// GPUs are those that it asks for; Devices says which it is made to see, where its
	// environment does.
	GPUs     int
	Devices  string
	Restarts int64
	// Waits is the scheduler's word that no node takes it.
	Waits string
	// Fault is what went wrong with a container, with Advice; Image and Memory say
	// that it is the image, or a lack of memory.
	Fault, Advice string
	Image, Memory bool
	// Job is the job that it belongs to, and Log the end of its log, of pods that have
	// ended; Measures says that it was a measurement.
	Job, Log string
	Measures bool

	pod     *pod
	doom    *doom
	command string // of all containers, with their images
}

func (c *Cluster) surveyPods(ctx context.Context, s *Survey) {
	listed(ctx, c, &s.Pods, podResource, c.Namespace, podOf)
}

// surveyOthers reads the pods of all namespaces, or of this one.
func (c *Cluster) surveyOthers(ctx context.Context, s *Survey) {
	listed(ctx, c, &s.Others, podResource, "", podOf)
	if s.Everywhere = s.Others.Err == nil; s.Everywhere {
		return
	}
	s.Others = Part[Pod]{}
	listed(ctx, c, &s.Others, podResource, c.Namespace, func(o *unstructured.Unstructured) (Pod, bool) {
		p, read := podOf(o)
		return p, read && p.Role != ""
	})
}

// shape is what is read of a pod beside [pod].
type shape struct {
	Metadata struct {
		Owners []struct {
			Kind string `json:"kind"`
			Name string `json:"name"`
		} `json:"ownerReferences"`
	} `json:"metadata"`
	Spec struct {
		Node       string `json:"nodeName"`
		Containers []struct {
			Image   string   `json:"image"`
			Command []string `json:"command"`
			Args    []string `json:"args"`
			Env     []struct {
				Name  string `json:"name"`
				Value string `json:"value"`
			} `json:"env"`
			Resources struct {
				Limits map[string]any `json:"limits"`
			} `json:"resources"`
		} `json:"containers"`
	} `json:"spec"`
}

func podOf(o *unstructured.Unstructured) (Pod, bool) {
	var p pod
	var s shape
	if decode(o, &p) != nil || decode(o, &s) != nil {
		return Pod{}, false
	}
	out := Pod{Namespace: o.GetNamespace(), Name: p.Metadata.Name, Phase: p.Status.Phase, Node: s.Spec.Node,
		Ready: p.ready(), Graph: p.Metadata.Labels[labelDeployment], pod: &p}
	out.Role = roleOf(o.GetNamespace(), p.Metadata.Name, p.Metadata.Labels)
	out.Worker = p.Metadata.Labels[labelDeployment]+p.Metadata.Labels[labelSelector] != "" && p.worker(out.Graph)
	for _, w := range s.Metadata.Owners {
		if w.Kind == "Job" {
			out.Job = w.Name
		}
	}
	for _, c := range s.Spec.Containers {
		out.GPUs += gpusOf(c.Resources.Limits)
		for _, e := range c.Env {
			if e.Name == "CUDA_VISIBLE_DEVICES" || e.Name == "NVIDIA_VISIBLE_DEVICES" {
				out.Devices = e.Name + "=" + e.Value
			}
		}
		out.command += c.Image + " " + strings.Join(append(c.Command, c.Args...), " ") + "\n"
	}
	out.Measures = measures(out.command)
	for _, c := range p.Status.Containers {
		out.Restarts += c.RestartCount
	}
	out.Waits, _ = p.unschedulable()
	out.blame(p.fault(nil))
	return out, true
}

// measures says whether a command line is one of a measurement.
func measures(command string) bool {
	for _, name := range []string{"headway", "aiperf", "genai-perf", "benchmarks.utils", "profile_sla", "profiler"} {
		if strings.Contains(command, name) {
			return true
		}
	}
	return false
}

// blame notes what is wrong with a pod; nil is nothing.
func (p *Pod) blame(f *doom) {
	if f == nil {
		return
	}
	p.doom, p.Fault, p.Advice = f, f.message, f.advice
	p.Image, p.Memory = f.reason == profile.ReasonImage, f.reason == profile.ReasonMemory
}

// roleOf is the part that a pod plays for Dynamo, by its labels, or its name. The
// control plane's own etcd is none.
func roleOf(namespace, name string, labels map[string]string) string {
	app := labels["app.kubernetes.io/name"] + " " + labels["app"]
	switch {
	case namespace == "kube-system":
		return ""
	case strings.Contains(app, "dynamo-operator") || strings.Contains(name, "dynamo-operator"):
		return RoleOperator
	case strings.HasPrefix(app, "etcd ") || strings.HasSuffix(app, " etcd"):
		return RoleEtcd
	case strings.HasPrefix(app, "nats ") || strings.HasSuffix(app, " nats"):
		return RoleNATS
	}
	return ""
}

// surveyLogs reads the ends of the logs that say why something went wrong, or what a
// measurement found: of some pods, since each is a call.
func (c *Cluster) surveyLogs(ctx context.Context, s *Survey) {
	ctx, cancel := context.WithTimeout(ctx, oneCall)
	defer cancel()
	from := newLogs(c, "", "")
	read := 0
	for i := range s.Pods.List {
		p := &s.Pods.List[i]
		ended := p.Phase == "Succeeded" && p.Job != "" && p.Measures
		crashed := p.doom != nil && !p.Image || p.Worker && p.Restarts > 0
		if !ended && !crashed || read == mostLogs {
			continue
		}
		read++
		container := p.pod.main()
		if p.doom != nil {
			container = p.doom.container
		}
		log := from.tail(ctx, p.Name, container, crashed && p.Restarts > 0)
		if len(log) == 0 {
			log = from.tail(ctx, p.Name, container, false)
		}
		p.Log = string(log)
		if crashed {
			p.diagnose(log)
		}
	}
}

// diagnose puts together what the status and the log of a pod say: that a GPU's
// memory was short stands only in the log.
func (p *Pod) diagnose(log []byte) {
	line, host := deploy.MemoryLine(log)
	switch {
	case line != "" && !host || p.doom != nil && p.doom.reason == profile.ReasonCrash:
		what := p.Fault
		if what == "" {
			what = "pod " + p.Name + " was started again"
		}
		found := deploy.Death{Backend: p.backend(), What: what, Log: log, Devices: p.devices()}.Diagnose()
		p.Fault, p.Advice, p.Memory = found.Message, found.Advice, found.Reason == profile.ReasonMemory
	case p.doom == nil && p.Restarts > 0:
		p.Fault, p.Advice = "pod "+p.Name+" was started again", "look at kubectl logs --previous "+p.Name
	}
}

// devices are the GPUs of a pod in words, "" without any.
func (p *Pod) devices() string {
	words := p.Devices
	if p.GPUs > 0 {
		words = strings.TrimSuffix(strconv.Itoa(p.GPUs)+" of the pod, "+words, ", ")
	}
	return words
}

// backend is the engine that a pod runs, by its command line; "" where nobody knows.
func (p *Pod) backend() string {
	for _, b := range [][2]string{{"trtllm", "trtllm"}, {"tensorrt", "trtllm"}, {"sglang", "sglang"}, {"vllm",
		"vllm"}} {
		if strings.Contains(p.command, b[0]) {
			return b[1]
		}
	}
	return ""
}
