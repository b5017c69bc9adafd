package kube

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// object is one as the API server sends it.
func object(t *testing.T, text string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return o
}

// populated is a cluster in which something of everything is wrong.
func populated(t *testing.T) *fakeAPI {
	f := newFakeAPI(t)
	f.graphs = true
	for resource, texts := range map[string][]string{
		"nodes": {
			`{"metadata":{"name":"gpu-1"},"spec":{"taints":[{"key":"gpu","effect":"NoSchedule"}]},
			"status":{"allocatable":{"nvidia.com/gpu":"8","cpu":"64"},"conditions":[{"type":"Ready","status":"True"}]}}`,
			`{"metadata":{"name":"cpu-1"},"spec":{"unschedulable":true},"status":{"allocatable":{"cpu":"4"}}}`,
		},
		"pods": {
			`{"metadata":{"name":"dynamo-platform-etcd-0","labels":{"app.kubernetes.io/name":"etcd"}},
			"status":{"phase":"Running","conditions":[{"type":"Ready","status":"False"}]}}`,
			`{"metadata":{"name":"g-decode-0","labels":{"nvidia.com/dynamo-graph-deployment-name":"g",
			"nvidia.com/dynamo-component-type":"worker"}},"spec":{"nodeName":"gpu-1","containers":[{"name":"main",
			"args":["-m","dynamo.vllm"],"env":[{"name":"CUDA_VISIBLE_DEVICES","value":"0"}],
			"resources":{"limits":{"nvidia.com/gpu":"2"}}}]},"status":{"phase":"Running","containerStatuses":[{"name":"main",
			"restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff"}},
			"lastState":{"terminated":{"reason":"Error","exitCode":1}}}]}}`,
			`{"metadata":{"name":"waits"},"status":{"phase":"Pending","conditions":[{"type":"PodScheduled","status":"False",
			"reason":"Unschedulable","message":"0/2 nodes are available: 2 Insufficient nvidia.com/gpu."}]}}`,
			`{"metadata":{"name":"no-image"},"status":{"phase":"Pending","containerStatuses":[{"name":"main",
			"state":{"waiting":{"reason":"ImagePullBackOff","message":"401 Unauthorized"}}}]}}`,
			`{"metadata":{"name":"bench-1","ownerReferences":[{"kind":"Job","name":"bench"}]},
			"spec":{"containers":[{"name":"main","args":["aiperf","profile"]}]},"status":{"phase":"Succeeded"}}`,
		},
		"resourcequotas": {`{"metadata":{"name":"q"},"status":{"hard":{"requests.nvidia.com/gpu":"2","pods":"10"},
			"used":{"requests.nvidia.com/gpu":"2","pods":"5"}}}`},
		"jobs": {`{"metadata":{"name":"bench"},"status":{"conditions":[{"type":"Complete","status":"True"}]}}`},
		"deployments": {`{"metadata":{"name":"d"},"status":{"conditions":[{"type":"Progressing","status":"False",
			"reason":"ProgressDeadlineExceeded","message":"timed out progressing"}]}}`},
		graphs: {`{"metadata":{"name":"g","creationTimestamp":"2026-01-01T00:00:00Z"},"status":{"state":"pending",
			"conditions":[{"type":"Ready","status":"False","reason":"some_resources_are_not_ready","message":"decode"}]}}`},
		"dynamographdeploymentrequests": {`{"metadata":{"name":"r"},"status":{"state":"Failed","conditions":[]}}`},
	} {
		for _, text := range texts {
			f.put(resource, object(t, text))
		}
	}
	f.logs["g-decode-0/previous"] = "loading\ntorch.OutOfMemoryError: CUDA out of memory. Tried to allocate\n"
	f.logs["bench-1"] = "could not reach the server\n"
	return f
}

func TestSurvey(t *testing.T) {
	s := populated(t).cluster().Survey(t.Context())
	if s.Unreachable != nil || s.Rights.Err != nil || s.Kinds.Err != nil || s.Works.Err != nil || !s.Everywhere {
		t.Fatalf("%+v", s)
	}
	if n := s.Nodes.List[1]; n.Name != "gpu-1" || n.GPUs != 8 || n.Taken != 2 || !n.Ready ||
		n.Taints[0] != "gpu:NoSchedule" {
		t.Errorf("%+v", n)
	}
	if n := s.Nodes.List[0]; n.GPUs != 0 || !n.Closed || n.Ready {
		t.Errorf("%+v", n)
	}
	if len(s.Others.List) != 1 || s.Others.List[0].Role != RoleEtcd || s.Others.List[0].Ready {
		t.Errorf("the platform's pods: %+v", s.Others.List)
	}
	if q := s.Quotas.List; len(q) != 2 || !q[1].Full || q[1].Resource != "requests.nvidia.com/gpu" || q[0].Full {
		t.Errorf("quotas: %+v", q)
	}
	if got := strings.Join(s.Kinds.List, " "); got !=
		"dynamographdeployments.v1alpha1 dynamographdeployments/status.v1alpha1" {
		t.Errorf("kinds: %s", got)
	}
	for _, r := range s.Rights.List {
		if !r.Allowed {
			t.Errorf("%+v", r)
		}
	}
}

func TestSurveyedPods(t *testing.T) {
	pods := map[string]Pod{}
	for _, p := range populated(t).cluster().Survey(t.Context()).Pods.List {
		pods[p.Name] = p
	}
	w := pods["g-decode-0"]
	if !w.Worker || w.Graph != "g" || w.GPUs != 2 || !w.Memory || !strings.Contains(w.Fault, "CUDA out of memory") ||
		!strings.Contains(w.Advice, "--max-num-batched-tokens, --max-model-len") ||
		!strings.Contains(w.Advice, "visible devices: 2 of the pod, CUDA_VISIBLE_DEVICES=0") {
		t.Errorf("%+v", w)
	}
	if p := pods["waits"]; !strings.Contains(p.Waits, "Insufficient nvidia.com/gpu") {
		t.Errorf("%+v", p)
	}
	if p := pods["no-image"]; !p.Image || !strings.Contains(p.Fault, "401 Unauthorized") {
		t.Errorf("%+v", p)
	}
	if p := pods["bench-1"]; p.Job != "bench" || !p.Measures || !strings.Contains(p.Log, "could not reach") {
		t.Errorf("%+v", p)
	}
}

func TestSurveyedWorks(t *testing.T) {
	works := map[string]Work{}
	for _, w := range populated(t).cluster().Survey(t.Context()).Works.List {
		works[w.Kind+" "+w.Name] = w
	}
	if w := works["deployment d"]; !w.Late || w.Done || !strings.Contains(w.Why, "timed out progressing") {
		t.Errorf("%+v", w)
	}
	if w := works["dynamographdeployment g"]; !w.Late || w.Done || !strings.Contains(w.Why, "decode") {
		t.Errorf("%+v", w)
	}
	if w := works["dynamographdeploymentrequest r"]; !w.Failed || w.Late {
		t.Errorf("%+v", w)
	}
	if w := works["job bench"]; !w.Done || w.Failed {
		t.Errorf("%+v", w)
	}
}

// What one account may not see says nothing of the rest.
func TestSurveyWithoutRights(t *testing.T) {
	f := populated(t)
	f.graphs = false
	f.denied = map[string]bool{"list nodes": true, "list pods": true, "create pods/portforward": true}
	s := f.cluster().Survey(t.Context())
	if !s.Nodes.Denied || s.Everywhere || len(s.Pods.List) != 5 || len(s.Others.List) != 1 || !s.Kinds.Unknown {
		t.Errorf("nodes %+v, everywhere %v, %d pods, others %+v, kinds %+v", s.Nodes, s.Everywhere, len(s.Pods.List),
			s.Others, s.Kinds)
	}
	missing := 0
	for _, r := range s.Rights.List {
		if !r.Allowed {
			missing++
		}
	}
	if missing != 2 {
		t.Errorf("%d rights are missing: %+v", missing, s.Rights.List)
	}
	c := f.cluster()
	c.Namespace = "nowhere"
	if s := c.Survey(t.Context()); !s.Missing {
		t.Error("a namespace that does not exist is not missed")
	}
	f.server.Close()
	if s := f.cluster().Survey(t.Context()); s.Unreachable == nil {
		t.Error("a server that is gone was reached")
	}
}

func TestWorkEnds(t *testing.T) {
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]Work{
		`{"status":{"conditions":[{"type":"Failed","status":"True","reason":"DeadlineExceeded"}]}}`: {Late: true},
		`{"status":{"conditions":[{"type":"Failed","status":"True","reason":"x"}]}}`:                {Failed: true},
		`{"status":{"conditions":[{"type":"Available","status":"True"}]}}`:                          {Done: true},
		`{"status":{"conditions":[{"type":"ReplicaFailure","status":"True","reason":"R",` +
			`"message":"quota"},{"type":"Available","status":"False","reason":"x"}]}}`: {Refused: "R: quota"},
		`{"status":{"phase":"Deployed"}}`: {Done: true},
		`{"status":{"phase":"Failed"}}`:   {Failed: true},
		`{"status":{}}`:                   {},
	} {
		o := &unstructured.Unstructured{Object: object(t, text)}
		if w := workOf(o, "jobs", now); w.Late != want.Late || w.Failed != want.Failed || w.Done != want.Done ||
			w.Refused != want.Refused {
			t.Errorf("%s: %+v", text, w)
		}
	}
}

func TestRoles(t *testing.T) {
	for name, want := range map[string]string{"dynamo-platform-dynamo-operator-controller-manager-1": RoleOperator,
		"x": ""} {
		if got := roleOf("dynamo", name, nil); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if roleOf("dynamo", "n", map[string]string{"app.kubernetes.io/name": "nats"}) != RoleNATS ||
		roleOf("dynamo", "n", map[string]string{"app": "nats"}) != RoleNATS ||
		roleOf("kube-system", "etcd", map[string]string{"app": "etcd"}) != "" {
		t.Error("a role is not found by its labels")
	}
}
