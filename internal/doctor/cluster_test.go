package doctor

import (
	"errors"
	"testing"
	"time"

	"headway/internal/deploy/kube"
)

// ofPods is a survey of a cluster with Dynamo, with these pods in the namespace.
func ofPods(pods ...kube.Pod) *kube.Survey {
	return &kube.Survey{Kinds: kube.Part[string]{List: []string{"dynamographdeployments.v1alpha1"}}, Everywhere: true,
		Pods: kube.Part[kube.Pod]{List: pods}}
}

// platform is a survey with these pods of Dynamo's platform.
func platform(pods ...kube.Pod) *kube.Survey {
	s := ofPods()
	s.Others.List = pods
	return s
}

// withGraph is a survey with a graph in a state, and no operator.
func withGraph(state string) *kube.Survey {
	s := ofPods()
	s.Works.List = []kube.Work{{Kind: "job", State: "x"}, {Kind: graph, State: state}}
	return s
}

// ofWorks is a survey with these works.
func ofWorks(works ...kube.Work) *kube.Survey {
	return &kube.Survey{Works: kube.Part[kube.Work]{List: works}}
}

// ofNodes is a survey with these nodes.
func ofNodes(nodes ...kube.Node) *kube.Survey {
	return &kube.Survey{Everywhere: true, Nodes: kube.Part[kube.Node]{List: nodes}}
}

func TestClusterFaults(t *testing.T) {
	for _, c := range []struct {
		name   string
		judge  func(*kube.Survey) Finding
		survey *kube.Survey
		want   Status
		says   string
	}{
		{"all rights", rights, &kube.Survey{Rights: kube.Part[kube.Right]{List: []kube.Right{{Name: "list pods",
			Allowed: true}}}}, OK, "all 1"},
		{"a right is missing", rights, &kube.Survey{Rights: kube.Part[kube.Right]{List: []kube.Right{
			{Name: "create pods/portforward"}}}}, Warn, "missing: create pods/portforward"},
		{"rights unread", rights, &kube.Survey{Rights: kube.Part[kube.Right]{Err: errors.New("timed out")}}, Warn,
			"timed out"},
		{"kinds", kinds, ofPods(), OK, "DynamoGraphDeployments of v1alpha1"},
		{"no API", kinds, &kube.Survey{Kinds: kube.Part[string]{Err: errors.New("x"), Unknown: true}}, Warn, "Install"},
		{"no graphs", kinds, &kube.Survey{Kinds: kube.Part[string]{List: []string{"x.v1"}}}, Warn, "has no Dynamo"},
		{"operator", operator, platform(kube.Pod{Role: kube.RoleOperator, Ready: true}), OK, "1 of 1 pod ready"},
		{"operator not ready", operator, platform(kube.Pod{Namespace: "d", Name: "o", Role: kube.RoleOperator,
			Phase: "Pending", Waits: "no node"}), Fail, "d/o is Pending no node"},
		{"no operator", operator, platform(), Warn, "start its operator"},
		{"no operator for graphs", operator, withGraph(""), Fail, "graphs have no status"},
		{"an operator of another name", operator, withGraph("pending"), OK, "another one"},
		{"operator elsewhere", operator, &kube.Survey{}, Skipped, "may not be listed"},
		{"etcd and NATS", services, platform(kube.Pod{Role: kube.RoleEtcd, Ready: true},
			kube.Pod{Role: kube.RoleNATS, Ready: true}), OK, "nats: 1 of 1"},
		{"etcd not ready", services, platform(kube.Pod{Role: kube.RoleEtcd, Phase: "Running"}), Fail, "cannot " +
			"register"},
		{"NATS not ready", services, platform(kube.Pod{Role: kube.RoleEtcd, Ready: true},
			kube.Pod{Role: kube.RoleNATS}), Fail, "nats: 0 of 1"},
		{"neither", services, platform(), Skipped, "needs neither"},
		{"nodes", nodes, ofNodes(kube.Node{Name: "a", GPUs: 8, Taken: 2, Ready: true}, kube.Node{Name: "b"}), OK,
			"a has 8 GPUs, 6 free"},
		{"no GPUs", nodes, ofNodes(kube.Node{Name: "b"}), Warn, "device plugin"},
		{"cordoned", nodes, ofNodes(kube.Node{Name: "a", GPUs: 8, Ready: true, Closed: true,
			Taints: []string{"x:NoSchedule"}}), Fail, "cordoned, tainted x:NoSchedule"},
		{"all taken", nodes, ofNodes(kube.Node{Name: "a", GPUs: 8, Taken: 8, Ready: true}), Warn, "No GPU is free"},
		{"nodes denied", nodes, &kube.Survey{Nodes: kube.Part[kube.Node]{Err: errors.New("x"), Denied: true}}, Skipped,
			"may not list nodes"},
		{"none waits", waiting, ofPods(kube.Pod{}), OK, "none of 1 pod"},
		{"one waits", waiting, ofPods(kube.Pod{Name: "p", Waits: "0/2 nodes are available: 2 Insufficient " +
			"nvidia.com/gpu, " +
			"1 node(s) had untolerated taint {x: y}."}), Fail, "ask for fewer, or add nodes; nodes have a taint"},
		{"a volume", waiting, ofPods(kube.Pod{Waits: "pod has unbound immediate PersistentVolumeClaims"}), Fail,
			"get pvc"},
		{"another reason", waiting, ofPods(kube.Pod{Waits: "something"}), Fail, "kubectl describe pod"},
		{"images", images, ofPods(kube.Pod{Fault: "crashed"}), OK, ""},
		{"no image", images, ofPods(kube.Pod{Fault: "has no image: 401", Image: true}), Fail, "nvcr-imagepullsecret"},
		{"quotas", quotas, &kube.Survey{}, OK, "none"},
		{"quota used up", quotas, &kube.Survey{Quotas: kube.Part[kube.Quota]{List: []kube.Quota{{Name: "q",
			Resource: "requests.nvidia.com/gpu", Used: "8", Hard: "8", Full: true}}}}, Warn, "q: 8 of 8 " +
			"requests.nvidia"},
		{"quota exceeded", quotas, ofWorks(kube.Work{Name: "g", Refused: "FailedCreate: exceeded quota: gpus"}), Fail,
			"g: FailedCreate: exceeded quota"},
		{"workers", workers, ofPods(kube.Pod{Worker: true, Ready: true}), OK, "1 worker of Dynamo ready"},
		{"worker not started", workers, ofPods(), Warn, "lists no model"},
		{"worker out of memory", workers, ofPods(kube.Pod{Name: "w", Fault: "w: CUDA out of memory", Memory: true,
			Advice: "lower --max-num-batched-tokens, --max-model-len; visible devices: 2"}), Fail, "visible " +
			"devices: 2"},
		{"in time", late, ofWorks(kube.Work{Done: true}), OK, "none has passed"},
		{"too late", late, ofWorks(kube.Work{Kind: "dynamographdeployment", Name: "g", Late: true, State: "pending",
			Age: time.Hour, Why: "decode"}), Fail, "dynamographdeployment g is pending after 1h0m0s (decode)"},
		{"works", works, ofWorks(kube.Work{Done: true}), OK, "1 deployment, graph or job"},
		{"a work failed", works, ofWorks(kube.Work{Kind: "job", Name: "j", Failed: true}), Fail, "job j"},
		{"a work begun", works, ofWorks(kube.Work{Kind: "job", Name: "j"}), Warn, "not ready yet: job j"},
		{"results", jobResults, ofPods(measurement("results: artifacts/x\n")), OK, "1 measurement has"},
		{"no result in the log", jobResults, ofPods(measurement("\nno such host sk-aaaaaaaaaaaaaaaaaaaaaaaa\n")), Fail,
			"no such host"},
		{"no job", jobResults, ofPods(), Skipped, "no measurement"},
	} {
		f := c.judge(c.survey)
		judged(t, c.name, f, c.want, c.says)
		if (f.Status == Fail || f.Status == Warn) && f.Do == "" {
			t.Errorf("%s does not say what to do", c.name)
		}
	}
}

// measurement is the pod of a job that has ended, with its log.
func measurement(log string) kube.Pod {
	return kube.Pod{Job: "j", Measures: true, Phase: "Succeeded", Log: log}
}

// A cluster that cannot be reached is one failure, and the rest is skipped.
func TestClusterUnreachable(t *testing.T) {
	k := &cluster{survey: &kube.Survey{Unreachable: errors.New("connection refused")}, name: flag}
	judged(t, "unreachable", k.reached(), Fail, "connection refused")
	k.survey = &kube.Survey{Missing: true, Namespace: "dynmo"}
	judged(t, "no namespace", k.reached(), Fail, "there is no namespace dynmo")
	k.survey = &kube.Survey{Server: "https://c"}
	judged(t, "reachable", k.reached(), OK, "https://c answers")
}

func TestAtMost(t *testing.T) {
	if got := atMost(2, []string{"a", "b", "c"}); got != "a; b; and 1 more" {
		t.Error(got)
	}
}
