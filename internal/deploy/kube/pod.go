package kube

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"headway/internal/profile"
)

// The labels by which Dynamo's operator marks what belongs to a deployment.
const (
	labelDeployment = "nvidia.com/dynamo-graph-deployment-name"
	labelSelector   = "nvidia.com/selector" // <deployment>-<service in lower case>
	labelComponent  = "nvidia.com/dynamo-component"
	labelType       = "nvidia.com/dynamo-component-type"
)

// pod is what is read of a pod.
type pod struct {
	Metadata struct {
		Name              string            `json:"name"`
		UID               string            `json:"uid"`
		DeletionTimestamp string            `json:"deletionTimestamp"`
		Labels            map[string]string `json:"labels"`
		Annotations       map[string]string `json:"annotations"`
	} `json:"metadata"`
	Spec struct {
		Containers []container `json:"containers"`
	} `json:"spec"`
	Status struct {
		Phase      string      `json:"phase"`
		IP         string      `json:"podIP"`
		Reason     string      `json:"reason"`
		Message    string      `json:"message"`
		Conditions []condition `json:"conditions"`
		Init       []status    `json:"initContainerStatuses"`
		Containers []status    `json:"containerStatuses"`
	} `json:"status"`
}

type container struct {
	Name  string `json:"name"`
	Ports []struct {
		Name   string `json:"name"`
		Number int64  `json:"containerPort"`
	} `json:"ports"`
	Env []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"env"`
}

type condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// status is how a container does.
type status struct {
	Name         string `json:"name"`
	ID           string `json:"containerID"`
	RestartCount int64  `json:"restartCount"`
	State        state  `json:"state"`
	Last         state  `json:"lastState"`
}

type state struct {
	Waiting *struct {
		Reason  string `json:"reason"`
		Message string `json:"message"`
	} `json:"waiting"`
	Running *struct {
		StartedAt string `json:"startedAt"`
	} `json:"running"`
	Terminated *ending `json:"terminated"`
}

type ending struct {
	Reason   string `json:"reason"`
	Message  string `json:"message"`
	ExitCode int64  `json:"exitCode"`
}

// belongs says whether the pod is one of a deployment's.
func (p *pod) belongs(deployment string) bool {
	l := p.Metadata.Labels
	return l[labelDeployment] == deployment || l[labelDeployment] == "" &&
		strings.HasPrefix(l[labelSelector], deployment+"-")
}

// component is the service the pod plays, in lower case.
func (p *pod) component(deployment string) string {
	l := p.Metadata.Labels
	name := cmp.Or(l[labelComponent], strings.TrimPrefix(l[labelSelector], deployment+"-"), l[labelType], "pod")
	return strings.ToLower(strings.ReplaceAll(name, "/", "_"))
}

// worker says whether the pod runs an engine.
func (p *pod) worker(deployment string) bool {
	for _, name := range []string{p.Metadata.Labels[labelType], p.component(deployment)} {
		if name == "frontend" || name == "main" || name == "planner" || name == "epp" {
			return false
		}
	}
	return true
}

// main is the container whose log counts: the one annotated, one named main,
// else the first.
func (p *pod) main() string {
	name := p.Metadata.Annotations["kubectl.kubernetes.io/default-container"]
	for _, c := range p.Spec.Containers {
		if c.Name == name || name == "" && c.Name == "main" {
			return c.Name
		}
	}
	if len(p.Spec.Containers) > 0 {
		return p.Spec.Containers[0].Name
	}
	return ""
}

// systemPort is where the pod has its own page of metrics beside what it serves: the
// port of that name, as Dynamo's operator gives workers and routers one, else what the
// main container is told by DYN_SYSTEM_PORT; 0 where there is none.
func (p *pod) systemPort() int64 {
	for _, c := range p.Spec.Containers {
		for _, port := range c.Ports {
			if port.Name == "system" {
				return port.Number
			}
		}
	}
	for _, c := range p.Spec.Containers {
		for _, v := range c.Env {
			if n, err := strconv.ParseUint(v.Value, 10, 16); c.Name == p.main() && v.Name == "DYN_SYSTEM_PORT" &&
				err == nil {
				return int64(n)
			}
		}
	}
	return 0
}

func (p *pod) status(container string) (status, bool) {
	for _, s := range p.Status.Containers {
		if s.Name == container {
			return s, true
		}
	}
	return status{}, false
}

func (p *pod) condition(kind string) condition {
	for _, c := range p.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return condition{}
}

func (p *pod) ready() bool {
	return p.condition("Ready").Status == "True" && p.Metadata.DeletionTimestamp == ""
}

// unschedulable is the scheduler's word that no node takes the pod.
func (p *pod) unschedulable() (why string, is bool) {
	c := p.condition("PodScheduled")
	return c.Message, c.Status == "False" && c.Reason == "Unschedulable"
}

// doom is something a candidate does not recover from.
type doom struct {
	reason          profile.Reason
	message, advice string
	// pod and container have the log; previous that it is of the container
	// before this one.
	pod, container string
	previous       bool
}

// imageReasons and startReasons are what the kubelet waits for when an image
// cannot be had and when a container cannot be started.
const (
	imageReasons = " ErrImagePull ImagePullBackOff InvalidImageName ErrImageNeverPull ImageInspectError " +
		"RegistryUnavailable SignatureValidationFailed "
	startReasons = " CreateContainerConfigError CreateContainerError RunContainerError PreStartHookError " +
		"PostStartHookError "
)

// fault finds what ends a candidate at once. restarts has the count of each
// container, by name, when the deployment was ready; nil before that.
func (p *pod) fault(restarts map[string]int64) *doom {
	for _, s := range append(p.Status.Init, p.Status.Containers...) {
		f := s.fault()
		if before, known := restarts[s.Name]; f == nil && known && s.RestartCount > before {
			f = &doom{reason: profile.ReasonCrash, message: "was started again", previous: true}
			if t := s.Last.Terminated; t != nil {
				f.message += fmt.Sprintf(" after it ended with code %d (%s)", t.ExitCode, t.Reason)
			}
		}
		if f != nil {
			f.pod, f.container = p.Metadata.Name, s.Name
			f.message = fmt.Sprintf("container %s of pod %s %s", s.Name, p.Metadata.Name, f.message)
			return f
		}
	}
	if p.Status.Phase == "Failed" {
		f := &doom{reason: profile.ReasonCrash, pod: p.Metadata.Name, container: p.main(),
			message: strings.TrimSpace(fmt.Sprintf("pod %s failed: %s %s", p.Metadata.Name, p.Status.Reason,
				p.Status.Message))}
		if s, ok := p.status(f.container); ok && s.State.Terminated != nil {
			f.message = fmt.Sprintf("%s container %s ended with code %d (%s)", f.message, s.Name,
				s.State.Terminated.ExitCode, s.State.Terminated.Reason)
		}
		return f
	}
	return nil
}

func (s status) fault() *doom {
	for i, t := range []*ending{s.State.Terminated, s.Last.Terminated} {
		if t != nil && t.Reason == "OOMKilled" {
			return &doom{reason: profile.ReasonMemory,
				message:  fmt.Sprintf("was ended for want of memory (OOMKilled, code %d)", t.ExitCode),
				advice:   "it is the host's memory, limited by the container's resources: raise limits.memory",
				previous: i == 1}
		}
	}
	w := s.State.Waiting
	switch {
	case w == nil:
		return nil
	case w.Reason == "CrashLoopBackOff":
		text := "ends again and again (CrashLoopBackOff"
		if t := s.Last.Terminated; t != nil {
			text += fmt.Sprintf(", last with code %d: %s", t.ExitCode, t.Reason)
		}
		return &doom{reason: profile.ReasonCrash, message: text + ")", previous: true}
	case strings.Contains(imageReasons, " "+w.Reason+" "):
		return &doom{reason: profile.ReasonImage, message: fmt.Sprintf("has no image (%s): %s", w.Reason, w.Message),
			advice: "check the image's name with --dgd-image, and the pull secret"}
	case strings.Contains(startReasons, " "+w.Reason+" "):
		return &doom{reason: profile.ReasonCrash,
			message: fmt.Sprintf("cannot be started (%s): %s", w.Reason, w.Message),
			advice:  "what it names (a secret, a config map, a command) is missing in the namespace or the image"}
	}
	return nil
}
