package kube

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"headway/test/kube/operator"
	"headway/test/kube/plane"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/portforward"
	"k8s.io/client-go/transport/spdy"
	"sigs.k8s.io/yaml"
)

// graph is a DynamoGraphDeployment of a file in testdata, with a worker of so
// many GPUs and perhaps a fault.
func graph(t *testing.T, file, name string, gpus int, fault operator.Fault) *unstructured.Unstructured {
	t.Helper()
	b, err := os.ReadFile("testdata/" + file)
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.ReplaceAll(b, []byte("GPUS"), fmt.Append(nil, gpus))
	g := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(b, &g.Object); err != nil {
		t.Fatal(err)
	}
	g.SetName(name)
	if fault != "" {
		g.SetAnnotations(map[string]string{operator.FaultsAnnotation: fmt.Sprintf("%d=%s", gpus, fault)})
	}
	return g
}

// serving gives a graph another model.
func serving(t *testing.T, g *unstructured.Unstructured, model string) *unstructured.Unstructured {
	t.Helper()
	b, err := g.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if err := g.UnmarshalJSON(bytes.ReplaceAll(b, []byte("Qwen/Qwen3-32B"), []byte(model))); err != nil {
		t.Fatal(err)
	}
	return g
}

// The play is checked before anything is tested with it: a graph becomes pods
// that are scheduled, logs that can be followed and a frontend that answers,
// and leaves nothing.
func (c *rig) testOperator(t *testing.T) {
	for _, file := range []string{"sglang-v1alpha1.yaml", "vllm-v1beta1.yaml", "trtllm-v1alpha1.yaml"} {
		t.Run(file, func(t *testing.T) {
			ns := c.namespace(t)
			c.create(t, ns, graph(t, file, "it", 4, ""))
			start := time.Now()
			c.successful(t, ns, "it")
			t.Logf("ready after %v", time.Since(start))
			pods := c.pods(t, ns, "nvidia.com/dynamo-component-type!=frontend")
			log := c.log(t, ns, pods[0].Name)
			if want := fmt.Sprint(4 * 16384); !strings.Contains(log, want) && !strings.Contains(log, "8.00x") {
				t.Errorf("the log does not say %s tokens:\n%s", want, log)
			}
			front := c.pods(t, ns, "nvidia.com/dynamo-component-type=frontend")
			c.answers(t, ns, front[0].Name)
			c.endpoints(t, ns, "it-frontend")
			c.remove(t, ns, "it")
			if n := c.Kubelet.Programs(); n != 0 {
				t.Errorf("%d programs of pods still run", n)
			}
		})
	}
}

// successful waits until a graph says that it is ready.
func (c *rig) successful(t *testing.T, ns, name string) {
	t.Helper()
	wait(t, 30*time.Second, "the graph to be ready", func() error {
		g, err := c.graphs.Namespace(ns).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		if state, _, _ := unstructured.NestedString(g.Object, "status", "state"); state != "successful" {
			return fmt.Errorf("its status is %v", g.Object["status"])
		}
		return nil
	})
}

// pods are those of a selector; there must be one.
func (c *rig) pods(t *testing.T, ns, selector string) []corev1.Pod {
	t.Helper()
	pods, err := c.Typed.CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{LabelSelector: selector})
	if err != nil || len(pods.Items) == 0 {
		t.Fatalf("%d pods are %s (%v)", len(pods.Items), selector, err)
	}
	return pods.Items
}

func (c *rig) log(t *testing.T, ns, pod string) string {
	t.Helper()
	b, err := c.Typed.CoreV1().Pods(ns).GetLogs(pod, &corev1.PodLogOptions{}).DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// answers asks the frontend for its models through a port-forward.
func (c *rig) answers(t *testing.T, ns, pod string) {
	t.Helper()
	config := c.Plane.Rest(plane.Admin)
	transport, upgrader, err := spdy.RoundTripperFor(config)
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(fmt.Sprintf("%s/api/v1/namespaces/%s/pods/%s/portforward", c.Plane.Server(), ns, pod))
	stop, ready := make(chan struct{}), make(chan struct{})
	f, err := portforward.New(spdy.NewDialer(upgrader, &http.Client{Transport: transport}, http.MethodPost, u),
		[]string{"0:8000"}, stop, ready, io.Discard, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- f.ForwardPorts() }()
	select {
	case err := <-done:
		t.Fatal(err)
	case <-ready:
	}
	ports, err := f.GetPorts()
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/v1/models", ports[0].Local))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil || !strings.Contains(string(body), "Qwen/Qwen3-32B") {
		t.Errorf("the frontend answers %s (%v)", body, err)
	}
	http.DefaultClient.CloseIdleConnections()
	close(stop)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// endpoints waits until a service has a ready endpoint.
func (c *rig) endpoints(t *testing.T, ns, service string) {
	t.Helper()
	wait(t, 20*time.Second, "the service's endpoint", func() error {
		slices, err := c.Typed.DiscoveryV1().EndpointSlices(ns).List(t.Context(),
			metav1.ListOptions{LabelSelector: "kubernetes.io/service-name=" + service})
		if err != nil {
			return err
		}
		for _, s := range slices.Items {
			for _, e := range s.Endpoints {
				if e.Conditions.Ready != nil && *e.Conditions.Ready && *s.Ports[0].Port == 8000 {
					return nil
				}
			}
		}
		return fmt.Errorf("%d slices, none with a ready endpoint", len(slices.Items))
	})
}

// Each fault shows as it does on a real cluster, so that what is written
// against it here finds it there.
func (c *rig) testFaults(t *testing.T) {
	for _, test := range []struct {
		fault operator.Fault
		gpus  int
		show  func(corev1.Pod) string
		want  string
		says  string // headway doctor
	}{
		{fault: operator.CrashLoop, gpus: 1, want: "CrashLoopBackOff after Error 1", show: waiting, says: "workers"},
		{fault: operator.HostMemory, gpus: 1, want: "CrashLoopBackOff after OOMKilled 137", show: waiting,
			says: "raise limits.memory"},
		{fault: operator.GPUMemory, gpus: 1, want: "CrashLoopBackOff after Error 1", show: waiting,
			says: "--mem-fraction-static; visible devices: 1 of the pod"},
		{fault: operator.NoImage, gpus: 1, want: "ImagePullBackOff", show: waiting, says: "nvcr-imagepullsecret"},
		{fault: operator.NeverReady, gpus: 1, want: "Running False", show: running},
		{fault: operator.NoKVLine, gpus: 1, want: "Running True", show: running},
		{fault: operator.CrashLater, gpus: 1, want: "CrashLoopBackOff after Error 1", show: waiting},
		{gpus: gpusPerNode + 1, want: "Unschedulable", show: scheduled, says: "as many GPUs free"},
	} {
		t.Run(cmp.Or(string(test.fault), "unschedulable"), func(t *testing.T) {
			t.Parallel()
			ns := c.namespace(t)
			c.create(t, ns, graph(t, "sglang-v1alpha1.yaml", "it", test.gpus, test.fault))
			wait(t, 40*time.Second, test.want, func() error {
				pods, err := c.Typed.CoreV1().Pods(ns).List(t.Context(),
					metav1.ListOptions{LabelSelector: "nvidia.com/dynamo-component-type!=frontend"})
				if err != nil || len(pods.Items) == 0 {
					return fmt.Errorf("%d pods: %v", len(pods.Items), err)
				}
				if got := test.show(pods.Items[0]); got != test.want {
					return fmt.Errorf("the pod shows %q, %+v", got, pods.Items[0].Status)
				}
				return nil
			})
			c.doctor(t, ns, test.says)
			if test.fault == operator.NoKVLine {
				if log := c.log(t, ns, c.pods(t, ns,
					"nvidia.com/dynamo-component-type!=frontend")[0].Name); strings.Contains(log, "#tokens") {
					t.Errorf("the log has a KV line:\n%s", log)
				}
			}
			c.remove(t, ns, "it")
		})
	}
	t.Run("quota", func(t *testing.T) {
		t.Parallel()
		ns := c.namespace(t)
		c.quota(t, ns, 2)
		c.create(t, ns, graph(t, "sglang-v1alpha1.yaml", "it", 4, ""))
		wait(t, 30*time.Second, "the event of the quota", func() error {
			events, err := c.Typed.CoreV1().Events(ns).List(t.Context(),
				metav1.ListOptions{FieldSelector: "reason=FailedCreate"})
			if err != nil {
				return err
			}
			for _, e := range events.Items {
				if strings.Contains(e.Message, "exceeded quota") {
					return nil
				}
			}
			return fmt.Errorf("%d events, none of a quota", len(events.Items))
		})
		c.doctor(t, ns, "exceeded quota")
		c.remove(t, ns, "it")
	})
}

// doctor waits until headway doctor fails for a namespace, and says something; "" is
// no text to wait for.
func (c *rig) doctor(t *testing.T, ns, says string) {
	t.Helper()
	if says == "" {
		return
	}
	config, err := c.Plane.Kubeconfig(ns)
	if err != nil {
		t.Fatal(err)
	}
	wait(t, 30*time.Second, "headway doctor", func() error {
		cmd := exec.CommandContext(t.Context(), c.headway, "doctor", "--namespace", ns, "--quiet", "--format",
			"markdown")
		cmd.Env = []string{"KUBECONFIG=" + config, "HOME=" + t.TempDir()}
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), says) {
			return fmt.Errorf("it does not say %q, %v:\n%s", says, err, out)
		}
		return nil
	})
}

// quota allows a namespace so many GPUs, and returns when that is in force.
func (c *rig) quota(t *testing.T, ns string, gpus int64) {
	t.Helper()
	name := corev1.ResourceName("requests.nvidia.com/gpu")
	quotas := c.Typed.CoreV1().ResourceQuotas(ns)
	_, err := quotas.Create(t.Context(), &corev1.ResourceQuota{ObjectMeta: metav1.ObjectMeta{Name: "gpus"},
		Spec: corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{name: *resource.NewQuantity(gpus,
			resource.DecimalSI)}}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	wait(t, 20*time.Second, "the quota", func() error {
		q, err := quotas.Get(t.Context(), "gpus", metav1.GetOptions{})
		if err == nil && q.Status.Hard == nil {
			return fmt.Errorf("its status is %v", q.Status)
		}
		return err
	})
}

func waiting(p corev1.Pod) string {
	if len(p.Status.ContainerStatuses) == 0 || p.Status.ContainerStatuses[0].State.Waiting == nil {
		return ""
	}
	s := p.Status.ContainerStatuses[0]
	show := s.State.Waiting.Reason
	if end := s.LastTerminationState.Terminated; end != nil {
		show += fmt.Sprintf(" after %s %d", end.Reason, end.ExitCode)
	}
	return show
}

func running(p corev1.Pod) string {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady {
			return fmt.Sprintf("%s %s", p.Status.Phase, c.Status)
		}
	}
	return string(p.Status.Phase)
}

func scheduled(p corev1.Pod) string {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			return c.Reason
		}
	}
	return ""
}
