package kube

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"headway/test/kube/child"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A benchmark reaches a service through headway's own port-forward.
func (c *rig) testForward(t *testing.T) {
	s := c.search(t, "")
	c.create(t, s.ns, graph(t, "sglang-v1alpha1.yaml", "it", 1, ""))
	c.successful(t, s.ns, "it")
	t.Run("bench", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		c.run(t, s, 0, "bench", "--port-forward", "svc/it-frontend", "--namespace", s.ns, "--model", "Qwen/Qwen3-32B",
			"--tokenizer", "builtin", "--isl", "100", "--osl", "10", "--concurrencies", "1,4", "--output-dir", dir,
			"--benchmark-name", "it")
		for _, level := range []string{"c1", "c4"} {
			b, err := os.ReadFile(filepath.Join(dir, "it", level, "profile_export_aiperf.json"))
			if err != nil {
				t.Fatal(err)
			}
			var report struct {
				Requests struct{ Avg float64 } `json:"request_count"`
				Errors   struct{ Avg float64 } `json:"error_request_count"`
			}
			if err := json.Unmarshal(b, &report); err != nil {
				t.Fatal(err)
			}
			if report.Requests.Avg == 0 || report.Errors.Avg != 0 {
				t.Errorf("%s: %v requests and %v errors", level, report.Requests.Avg, report.Errors.Avg)
			}
		}
	})
	t.Run("no service", func(t *testing.T) {
		t.Parallel()
		c.run(t, s, 1, "bench", "--port-forward", "svc/nothing", "--namespace", s.ns, "--model", "M",
			"--tokenizer", "builtin",
			"--concurrencies", "1", "--output-dir", t.TempDir())
	})
	t.Run("reconnect", func(t *testing.T) {
		t.Parallel()
		c.testReconnect(t, s)
	})
}

// The way to a service is made anew when its pod is replaced by another: what
// was under way is lost, what comes after goes through.
func (c *rig) testReconnect(t *testing.T, s *search) {
	ns := c.namespace(t)
	c.create(t, ns, graph(t, "sglang-v1alpha1.yaml", "it", 1, ""))
	c.successful(t, ns, "it")
	dir := t.TempDir()
	cmd := exec.Command(c.headway, "run", "--port-forward", "svc/it-frontend", "--namespace", ns, "--model",
		"Qwen/Qwen3-32B",
		"--tokenizer", "builtin", "--isl", "100", "--osl", "10", "--concurrency", "2", "--benchmark-duration", "15",
		"--artifact-dir", dir)
	cmd.Env = s.environ()
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	p, err := child.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop(time.Second) })
	first := c.pods(t, ns, "nvidia.com/dynamo-component-type=frontend")[0]
	wait(t, 20*time.Second, "the first records", func() error {
		written, err := os.Stat(filepath.Join(dir, "records.jsonl.partial"))
		if err == nil && written.Size() == 0 {
			err = errors.New("none yet")
		}
		return err
	})
	if err := c.Typed.CoreV1().Pods(ns).Delete(t.Context(), first.Name, metav1.DeleteOptions{}); err != nil {
		t.Fatal(err)
	}
	<-p.Done()
	if p.Code() != 0 {
		t.Fatalf("ended with %d:\n%s", p.Code(), out.String())
	}
	b, err := os.ReadFile(filepath.Join(dir, "profile_export.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	lost, after := 0, 0 // requests that failed, and that went through after that
	for line := range bytes.Lines(b) {
		var record struct{ Error json.RawMessage }
		if err := json.Unmarshal(line, &record); err != nil {
			t.Fatal(err)
		}
		switch failed := len(record.Error) > 0 && string(record.Error) != "null"; {
		case failed:
			lost++
		case lost > 0:
			after++
		}
	}
	t.Logf("%d requests were lost, %d went through after the first of them", lost, after)
	if lost == 0 || after == 0 {
		t.Errorf("%d requests were lost and %d went through after that; both should be some", lost, after)
	}
}
