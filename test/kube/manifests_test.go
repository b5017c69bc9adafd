package kube

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authzv1 "k8s.io/api/authorization/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// What deploy/ holds is applied with kubectl, and its Jobs run: with the rights
// of their accounts, their claims and their ConfigMaps.
func (c *rig) testManifests(t *testing.T) {
	t.Run("profiler", c.testProfilerJob)
	t.Run("benchmark", c.testBenchmarkJob)
}

func (c *rig) testProfilerJob(t *testing.T) {
	t.Parallel()
	const ns = "dynamo-sla-profiler"
	if _, err := c.Typed.CoreV1().Namespaces().Create(t.Context(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: ns}}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	c.volume(t, "profiler", ns, "headway-profiler")
	c.apply(t, ns, "profiler",
		[]string{"--dgd-image=headway.test/runtime:1", "--isl=500", "--osl=20", "--max-num-gpus-per-engine=2",
			"--no-interpolation", "--repeats=1", "--search=thorough", "--decode-interpolation-granularity=2",
			"--tokenizer=builtin",
			"--model=Qwen/Qwen3-0.6B"})
	c.completed(t, ns, "headway-profiler")
	c.empty(t, ns)
	status, err := os.ReadFile(filepath.Join(c.Kubelet.Claim(ns, "headway-profiler"), "profiling_results",
		"profiler_status.yaml"))
	if err != nil || !strings.Contains(string(status), "status: success") {
		t.Errorf("the profiler's status is (%v):\n%s", err, status)
	}
	for right, want := range map[string]bool{
		"create dynamographdeployments nvidia.com": true, "get secrets ": false, "delete pods ": false,
		"create deployments apps": false,
	} {
		part := strings.SplitN(right, " ", 3)
		if got := c.may(t, "system:serviceaccount:"+ns+":headway-profiler", ns, part[0], part[1],
			part[2]); got != want {
			t.Errorf("the profiler's account may %s: %v, want %v", right, got, want)
		}
	}
}

func (c *rig) testBenchmarkJob(t *testing.T) {
	t.Parallel()
	ns := c.namespace(t)
	c.create(t, ns, serving(t, graph(t, "sglang-v1alpha1.yaml", "sglang-disagg", 1, ""), "Qwen/Qwen3-0.6B"))
	c.successful(t, ns, "sglang-disagg")
	c.volume(t, "benchmark", ns, "headway-benchmark")
	c.apply(t, ns, "benchmark",
		[]string{"--isl=100", "--std=0", "--osl=10", "--concurrencies=1,2", "--tokenizer=builtin"})
	c.completed(t, ns, "headway-benchmark")
	found, err := filepath.Glob(filepath.Join(c.Kubelet.Claim(ns, "headway-benchmark"), "results", "*", "c2",
		"profile_export_aiperf.json"))
	if err != nil || len(found) != 1 {
		t.Errorf("the results are %v (%v)", found, err)
	}
	c.remove(t, ns, "sglang-disagg")
}

// volume makes a volume for a claim that names no class.
func (c *rig) volume(t *testing.T, name, ns, claim string) {
	t.Helper()
	_, err := c.Typed.CoreV1().PersistentVolumes().Create(t.Context(), &corev1.PersistentVolume{
		ObjectMeta: metav1.ObjectMeta{Name: name},
		Spec: corev1.PersistentVolumeSpec{
			Capacity:    corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Gi")},
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			ClaimRef:    &corev1.ObjectReference{Namespace: ns, Name: claim},
			PersistentVolumeSource: corev1.PersistentVolumeSource{
				HostPath: &corev1.HostPathVolumeSource{Path: "/nonexistent"}},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

// apply applies a folder of deploy/ as kubectl apply -k does, through an
// overlay that adds arguments: the last of an option counts.
func (c *rig) apply(t *testing.T, ns, folder string, args []string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "deploy"), os.DirFS(filepath.Join("..", "..", "deploy"))); err != nil {
		t.Fatal(err)
	}
	var overlay strings.Builder
	fmt.Fprintf(&overlay, "namespace: %s\nresources: [../deploy/%s]\npatches:\n  - target: {kind: Job}\n   "+
		" patch: |\n", ns, folder)
	for _, a := range args {
		fmt.Fprintf(&overlay, "      - {op: add, path: /spec/template/spec/containers/0/args/-, value: %q}\n", a)
	}
	if err := os.Mkdir(filepath.Join(dir, "overlay"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "overlay", "kustomization.yaml"), []byte(overlay.String()),
		0o600); err != nil {
		t.Fatal(err)
	}
	config, err := c.Plane.Kubeconfig(ns)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(c.bin, "kubectl"), "apply", "-k",
		filepath.Join(dir, "overlay"))
	cmd.Env = []string{"KUBECONFIG=" + config, "HOME=" + dir}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("kubectl apply -k deploy/%s: %v\n%s", folder, err, out)
	}
}

// completed waits until a Job is done, and shows its log where it failed.
func (c *rig) completed(t *testing.T, ns, name string) {
	t.Helper()
	limit, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for {
		job, err := c.Typed.BatchV1().Jobs(ns).Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for _, cond := range job.Status.Conditions {
			if cond.Status != corev1.ConditionTrue {
				continue
			}
			switch cond.Type {
			case batchv1.JobComplete:
				return
			case batchv1.JobFailed:
				t.Fatalf("the Job %s failed: %s\n%s", name, cond.Message,
					c.log(t, ns, c.pods(t, ns, "job-name="+name)[0].Name))
			}
		}
		select {
		case <-limit.Done():
			pod := c.pods(t, ns, "job-name="+name)[0]
			t.Fatalf("the Job %s does not end; its pod is %s and says:\n%s", name, pod.Status.Phase,
				c.log(t, ns, pod.Name))
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// may asks whether a user may do something in a namespace.
func (c *rig) may(t *testing.T, user, ns, verb, what, group string) bool {
	t.Helper()
	review, err := c.Typed.AuthorizationV1().SubjectAccessReviews().Create(t.Context(),
		&authzv1.SubjectAccessReview{Spec: authzv1.SubjectAccessReviewSpec{
			User: user, Groups: []string{"system:authenticated", "system:serviceaccounts",
				"system:serviceaccounts:" + ns},
			ResourceAttributes: &authzv1.ResourceAttributes{Namespace: ns, Verb: verb, Group: group, Resource: what},
		}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return review.Status.Allowed
}
