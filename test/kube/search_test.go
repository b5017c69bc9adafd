package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headway/test/kube/child"
	"headway/test/kube/operator"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// search is one call of `headway profile sla --on kube`.
type search struct {
	ns     string
	config string // the DynamoGraphDeployment; made by c.search
	out    string // the folder of results
	state  string // XDG_STATE_HOME
	kube   string // KUBECONFIG
	args   []string
}

// search prepares a call that measures workers of one and two GPUs, with
// faults as the operator's annotation spells them.
func (c *rig) search(t *testing.T, faults string, args ...string) *search {
	t.Helper()
	s := &search{ns: c.namespace(t), out: filepath.Join(t.TempDir(), "out"), state: t.TempDir(), args: args}
	var err error
	if s.kube, err = c.Plane.Kubeconfig(s.ns); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("testdata/disagg-sglang.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b = bytes.Replace(b, []byte("  name: sglang-disagg\n"), fmt.Appendf(nil, "  name: sglang-disagg\n  "+
		"annotations: {%s: %q}\n", operator.FaultsAnnotation, faults), 1)
	s.config = filepath.Join(t.TempDir(), "disagg.yaml")
	if err := os.WriteFile(s.config, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// edit replaces texts of the configuration by others.
func (s *search) edit(t *testing.T, oldnew ...string) {
	t.Helper()
	b, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.config, []byte(strings.NewReplacer(oldnew...).Replace(string(b))), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (s *search) command() []string {
	return append([]string{"profile", "sla", "--on", "kube", "--namespace", s.ns, "--backend", "sglang",
		"--config", s.config,
		"--model", "qwen3-32b", "--gpu", "h200_sxm", "--isl", "500", "--osl", "20", "--ttft", "500", "--itl", "50",
		"--max-num-gpus-per-engine", "2", "--no-interpolation", "--repeats", "1", "--search", "thorough",
		"--decode-interpolation-granularity", "2", "--tokenizer", "builtin", "--output-dir", s.out}, s.args...)
}

// environ is that of headway and kubectl. The client may be late: how late it is
// says how busy the machine of the test is, and would end headway with exit code 4.
func (s *search) environ() []string {
	return []string{"HEADWAY_MAX_LAG=1h", "KUBECONFIG=" + s.kube, "XDG_STATE_HOME=" + s.state, "HOME=" + s.state,
		"PATH=" + os.Getenv("PATH")}
}

// run runs headway with the search's environment and checks its exit code.
func (c *rig) run(t *testing.T, s *search, want int, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), c.headway, args...)
	cmd.Env = s.environ()
	out, err := cmd.CombinedOutput()
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code, err = exit.ExitCode(), nil
	}
	if err != nil || code != want {
		t.Fatalf("headway %s ended with %d, want %d (%v):\n%s", strings.Join(args, " "), code, want, err, out)
	}
	return string(out)
}

// outcome is what a search's folder says of a candidate.
type outcome struct {
	Status  string
	Problem string
	Death   struct{ Reason, Message, Advice, Log string }
	KV      int `json:"max_kv_tokens"`
	Ranks   int `json:"attention_dp"`
	Logs    string
	Trials  []struct{ Concurrency int }
}

func (s *search) outcome(t *testing.T, tag string) outcome {
	t.Helper()
	var o outcome
	b, err := os.ReadFile(filepath.Join(s.out, tag, "outcome.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// measured checks that candidates were measured.
func (s *search) measured(t *testing.T, tags ...string) {
	t.Helper()
	for _, tag := range tags {
		if o := s.outcome(t, tag); o.Status != "measured" || len(o.Trials) == 0 {
			t.Errorf("%s: %+v, want it measured", tag, o)
		}
	}
}

func (c *rig) testSearch(t *testing.T) {
	t.Run("recommendation", c.testRecommendation)
	t.Run("aggregated", c.testAggregated)
	t.Run("experts", c.testExperts)
	t.Run("faults", c.testSearchFaults)
	t.Run("unschedulable", c.testUnschedulable)
	t.Run("deleted", c.testDeleted)
	t.Run("killed", c.testKilled)
	t.Run("interrupted", c.testInterrupted)
	t.Run("rights", c.testRights)
	t.Run("unreachable", c.testUnreachable)
	t.Run("restart", c.testRestart)
}

// A search of each backend recommends a configuration and leaves nothing.
func (c *rig) testRecommendation(t *testing.T) {
	for _, backend := range []string{"sglang", "vllm", "trtllm"} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			s := c.search(t, "")
			command := s.command()
			if backend != "sglang" {
				// The backend's own configuration.
				command = strings.Split(strings.Replace(strings.Join(command, "\n"), "--config\n"+s.config,
					"--dgd-image\nheadway.test/runtime:1", 1), "\n")
				command = append(command, "--backend", backend)
			}
			out := c.run(t, s, 0, command...)
			c.empty(t, s.ns)
			tags := []string{"prefill_1gpus_TP1", "prefill_2gpus_TP2", "decode_1gpus_TP1", "decode_2gpus_TP2"}
			s.measured(t, tags...)
			for _, tag := range tags {
				o := s.outcome(t, tag)
				if want := 16384 * int(tag[strings.Index(tag, "gpus")-1]-'0'); o.KV != want {
					t.Errorf("%s holds %d tokens, want %d", tag, o.KV, want)
				}
				logs, err := filepath.Glob(filepath.Join(o.Logs, "*", "0.log"))
				if err != nil || len(logs) != 2 {
					t.Errorf("%s has the logs %v (%v), want the frontend's and a worker's", tag, logs, err)
				}
			}
			if !strings.Contains(out, "<- picked") {
				t.Errorf("nothing was picked:\n%s", out)
			}
			c.accepted(t, s, filepath.Join(s.out, "config_with_planner.yaml"))
			c.accepted(t, s, filepath.Join(s.out, "recommended_config.yaml"))
		})
	}
}

// Of an aggregated deployment every candidate is made, those for both phases and
// those that do both halves of a request. No engine here is fast enough for the
// target of ITL, so that few loads are tried.
func (c *rig) testAggregated(t *testing.T) {
	s := c.search(t, "", "--total-gpus", "2", "--ttft", "100", "--itl", "1")
	s.config = "testdata/agg-sglang.yaml"
	out := c.run(t, s, 3, s.command()...)
	c.empty(t, s.ns)
	s.measured(t, "prefill_1gpus_TP1", "decode_2gpus_TP2", "agg_1gpus_TP1", "agg_2gpus_TP2")
	if !strings.Contains(out, "aggregated: ") || !strings.Contains(out, "recommended: ") {
		t.Errorf("nothing is recommended:\n%s", out)
	}
	for _, name := range []string{"agg_config.yaml", "recommended_config.yaml", "config_with_planner.yaml"} {
		c.accepted(t, s, filepath.Join(s.out, name))
	}
}

// accepted checks that the API server would take a file that headway wrote.
func (c *rig) accepted(t *testing.T, s *search, file string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(c.bin, "kubectl"), "--namespace", s.ns, "apply",
		"--dry-run=server", "-f", file)
	cmd.Env = s.environ()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the API server refuses %s: %v\n%s", file, err, out)
	}
}

// A model with experts is deployed with its attention in parallel, on both
// nodes where it is larger than one, and the cache of all ranks is counted.
// Nothing else may run beside this. Replies are so short that two reads tell the
// pace of their tokens, and so slow that a busy client makes two reads of them.
func (c *rig) testExperts(t *testing.T) {
	s := c.search(t, "", "--model", "Qwen/Qwen3-235B-A22B", "--isl", "2000", "--osl", "8", "--min-num-gpus-per-engine",
		"4", "--max-num-gpus-per-engine", "16")
	s.edit(t, "Qwen3-32B", "Qwen3-235B-A22B", "annotations: {", "annotations: {"+operator.SpeedupAnnotation+`: "4", `)
	c.run(t, s, 0, s.command()...)
	c.empty(t, s.ns)
	for _, phase := range []string{"prefill", "decode"} {
		for _, mapping := range []struct {
			name        string
			gpus, ranks int
		}{{"TEP4", 4, 1}, {"DEP8", 8, 8}, {"DEP16", 16, 16}} {
			tag := fmt.Sprintf("%s_%dgpus_%s", phase, mapping.gpus, mapping.name)
			s.measured(t, tag)
			o := s.outcome(t, tag)
			if o.KV != mapping.gpus*16384 || o.Ranks != mapping.ranks {
				t.Errorf("%s has %d ranks and %d tokens, want %d and %d", tag, o.Ranks, o.KV, mapping.ranks,
					mapping.gpus*16384)
			}
			logs, err := filepath.Glob(filepath.Join(o.Logs, "decode", "*.log"))
			if want := max(1, mapping.gpus/gpusPerNode); err != nil || len(logs) != want {
				t.Errorf("%s has the logs %v (%v), want those of %d pods", tag, logs, err, want)
			}
		}
	}
}

// A candidate that fails is reported with its reason and the end of its log,
// at once, and the others are measured.
func (c *rig) testSearchFaults(t *testing.T) {
	for _, test := range []struct {
		faults string
		args   []string
		quota  int64
		tags   []string
		reason string
		says   string
	}{
		{faults: "2=crash-loop", reason: "crashed", says: "the test's worker always fails"},
		{faults: "2=oom-killed", reason: "out-of-memory", says: "OOMKilled"},
		{faults: "2=out-of-memory", reason: "out-of-memory", says: "CUDA out of memory"},
		{faults: "2=no-image", reason: "image", says: "ImagePull"},
		{faults: "2=never-ready", args: []string{"--deployment-timeout", "10"}, reason: "timeout"},
		{faults: "decode/2=no-kv-line", tags: []string{"decode_2gpus_TP2"}, reason: "log",
			says: "KV Cache is allocated"},
		{faults: "decode/2=crash-later", args: []string{"--repeats", "5"}, tags: []string{"decode_2gpus_TP2"},
			reason: "crashed"},
		{quota: 1, reason: "quota", says: "exceeded quota"},
	} {
		t.Run(fmt.Sprint(test.faults, test.reason), func(t *testing.T) {
			t.Parallel()
			s := c.search(t, test.faults, test.args...)
			if test.quota > 0 {
				c.quota(t, s.ns, test.quota)
			}
			start := time.Now()
			out := c.run(t, s, 0, s.command()...)
			t.Logf("%v", time.Since(start))
			c.empty(t, s.ns)
			s.measured(t, "prefill_1gpus_TP1", "decode_1gpus_TP1")
			if test.tags == nil {
				test.tags = []string{"prefill_2gpus_TP2", "decode_2gpus_TP2"}
			}
			for _, tag := range test.tags {
				s.dead(t, tag, test.reason, test.says)
			}
			if !strings.Contains(out, test.reason) {
				t.Errorf("the result does not say %q:\n%s", test.reason, out)
			}
		})
	}
}

// dead checks that a candidate is reported dead, and how.
func (s *search) dead(t *testing.T, tag, reason, says string) {
	t.Helper()
	o := s.outcome(t, tag)
	if o.Status != "dead" || o.Death.Reason != reason {
		t.Errorf("%s: %+v, want it dead with the reason %q", tag, o, reason)
	}
	if all := o.Death.Message + o.Death.Advice + o.Death.Log; !strings.Contains(all, says) {
		t.Errorf("%s: %+v does not say %q", tag, o.Death, says)
	}
}

// testUnschedulable fills the nodes until there is one GPU left, so that
// nothing else may run beside it.
func (c *rig) testUnschedulable(t *testing.T) {
	filler := c.namespace(t)
	for i, gpus := range []int{gpusPerNode, gpusPerNode - 1} {
		name := fmt.Sprint("filler-", i)
		c.create(t, filler, graph(t, "sglang-v1alpha1.yaml", name, gpus, operator.NeverReady))
		wait(t, 20*time.Second, "the filler", func() error {
			list, err := c.Typed.CoreV1().Pods(filler).List(t.Context(),
				metav1.ListOptions{LabelSelector: "nvidia.com/selector=" + name + "-decode"})
			if err == nil && (len(list.Items) == 0 || list.Items[0].Spec.NodeName == "") {
				err = fmt.Errorf("%d pods without a node", len(list.Items))
			}
			return err
		})
	}
	s := c.search(t, "", "--unschedulable-grace", "2")
	c.run(t, s, 0, s.command()...)
	c.empty(t, s.ns)
	s.measured(t, "prefill_1gpus_TP1", "decode_1gpus_TP1")
	s.dead(t, "prefill_2gpus_TP2", "unschedulable", "Insufficient nvidia.com/gpu")
	if err := c.graphs.Namespace(filler).DeleteCollection(t.Context(), metav1.DeleteOptions{},
		metav1.ListOptions{}); err != nil {
		t.Fatal(err)
	}
	c.empty(t, filler)
}

// candidate waits until the search has made a candidate's object, with state
// if that is given, and returns the object.
func (c *rig) candidate(t *testing.T, s *search, tag, state string) *unstructured.Unstructured {
	t.Helper()
	var found *unstructured.Unstructured
	wait(t, 60*time.Second, tag, func() error {
		list, err := c.graphs.Namespace(s.ns).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			return err
		}
		for i := range list.Items {
			got, _, _ := unstructured.NestedString(list.Items[i].Object, "status", "state")
			if list.Items[i].GetAnnotations()["headway/candidate"] == tag && (state == "" || state == got) {
				found = &list.Items[i]
				return nil
			}
		}
		return fmt.Errorf("%d objects, not this one", len(list.Items))
	})
	return found
}

// start starts a search that goes on while the test does something to it.
func (c *rig) start(t *testing.T, s *search) (*child.Process, *bytes.Buffer) {
	t.Helper()
	cmd := exec.Command(c.headway, s.command()...)
	cmd.Env = s.environ()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := child.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop(time.Second) })
	return p, &out
}

// ended waits until a search has ended and checks its exit code.
func ended(t *testing.T, p *child.Process, out *bytes.Buffer, want int) {
	t.Helper()
	select {
	case <-p.Done():
	case <-time.After(2 * time.Minute):
		t.Fatal("the search does not end")
	}
	if p.Code() != want {
		t.Fatalf("the search ended with %d, want %d:\n%s", p.Code(), want, out)
	}
}

// A candidate that somebody else deletes is lost, and the search goes on.
func (c *rig) testDeleted(t *testing.T) {
	t.Parallel()
	s := c.search(t, "", "--repeats", "5")
	p, out := c.start(t, s)
	o := c.candidate(t, s, "decode_2gpus_TP2", "successful")
	if err := c.graphs.Namespace(s.ns).Delete(t.Context(), o.GetName(), metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	ended(t, p, out, 0)
	c.empty(t, s.ns)
	s.dead(t, "decode_2gpus_TP2", "lost", "")
	s.measured(t, "prefill_1gpus_TP1", "prefill_2gpus_TP2", "decode_1gpus_TP1")
}
