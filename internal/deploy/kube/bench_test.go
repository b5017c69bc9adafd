package kube

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"headway/internal/deploy"
	"headway/internal/deploy/dgd"
	"headway/internal/model"
	"headway/internal/profile"
	"headway/record"
	"headway/workload"
)

const graphs = "dynamographdeployments"

const kvLine = "INFO kv_cache_utils.py Maximum concurrency for 1,000 tokens per request: 8.00x\n"

// podObject is a pod of a deployment.
func podObject(deployment, component, kind string, status map[string]any) map[string]any {
	return map[string]any{"kind": "Pod", "apiVersion": "v1",
		"metadata": map[string]any{"name": deployment + "-" + strings.ToLower(component) + "-x",
			"labels": map[string]any{
				labelDeployment: deployment, labelComponent: component, labelType: kind, labelSelector: deployment +
					"-" +
					component}},
		"spec": map[string]any{"containers": []any{
			map[string]any{"name": "sidecar"},
			map[string]any{"name": "main", "ports": []any{map[string]any{"name": "http", "containerPort": 8000}}}}},
		"status": status}
}

func containers(s map[string]any) map[string]any {
	s["name"] = "main"
	return map[string]any{"phase": "Running", "containerStatuses": []any{s}}
}

func running(restarts int) map[string]any {
	status := containers(map[string]any{"containerID": fmt.Sprint("c", restarts), "restartCount": restarts,
		"state": map[string]any{"running": map[string]any{"startedAt": "2026-01-01T00:00:00Z"}}})
	status["conditions"] = []any{map[string]any{"type": "Ready", "status": "True"}}
	return status
}

func waiting(reason, message string) map[string]any {
	return containers(map[string]any{"restartCount": 0,
		"state": map[string]any{"waiting": map[string]any{"reason": reason, "message": message}}})
}

// operate makes the fake do what Dynamo's operator does: a frontend, a worker
// in the given state, a service, and the status.
func (f *fakeAPI) operate(worker func(deployment string) map[string]any, ready bool) {
	f.made = func(name string) {
		f.write(name+"-worker-x", "loading\n"+kvLine)
		f.write(name+"-frontend-x", "frontend up\n")
		f.put("pods", podObject(name, "worker", "worker", worker(name)))
		f.put("pods", podObject(name, "Frontend", "frontend", running(0)))
		f.put("services", map[string]any{"kind": "Service", "apiVersion": "v1",
			"metadata": map[string]any{"name": name + "-frontend"},
			"spec": map[string]any{"selector": map[string]any{labelDeployment: name, labelType: "frontend"},
				"ports": []any{map[string]any{"name": "http", "port": 8000, "targetPort": "http"}}}})
		if ready {
			f.setReady(name)
		}
	}
}

func (f *fakeAPI) setReady(name string) {
	f.change(graphs, name, func(o map[string]any) {
		o["status"] = map[string]any{"state": "successful",
			"conditions": []any{map[string]any{"type": "Ready", "status": "True"}}}
	})
}

func testBench(t *testing.T, f *fakeAPI, change func(*Config)) (*Bench, *deploy.Ledger) {
	t.Helper()
	f.forward = fakeEngine(t)
	doc, err := dgd.Default("vllm")
	if err != nil {
		t.Fatal(err)
	}
	if doc, err = doc.WithModel("vllm", dgd.Model{Path: "m"}); err != nil {
		t.Fatal(err)
	}
	ledger, err := deploy.OpenLedger(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left := ledger.Left(); len(left) > 0 {
			t.Errorf("the ledger lists %v", left)
		}
		if err := ledger.Close(); err != nil {
			t.Error(err)
		}
		for _, kind := range []string{graphs, "pods"} {
			if left := f.names(kind); len(left) > 0 {
				t.Errorf("%s are left: %v", kind, left)
			}
		}
	})
	cfg := Config{Cluster: f.cluster(), Document: doc, Backend: "vllm", GPUsPerNode: 8, Dir: t.TempDir(),
		Ledger:            ledger,
		DeploymentTimeout: 20 * time.Second, UnschedulableGrace: 50 * time.Millisecond, RemoveTimeout: 20 * time.Second,
		AwayLimit: 20 * time.Second,
		ReadKV:    func(log io.Reader, dp int) (int, error) { return dgd.KVTokens("vllm", log, dp) }, Note: t.Logf}
	cfg.Endpoint.Client.Models = []string{"m"}
	if change != nil {
		change(&cfg)
	}
	b, err := New(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return b, ledger
}

func decode4() profile.Candidate {
	return profile.Candidate{Phase: profile.Decode, Mapping: model.Mapping{Kind: model.TP, Size: 4}}
}

func plan(n int) workload.Plan {
	return workload.Plan{Concurrency: 4, Source: func(yield func(workload.Request, error) bool) {
		for i := range n {
			r := workload.Request{Index: i, Session: fmt.Sprint(i), Turns: 1,
				Prompt: workload.Prompt{Tokens: 20, Key: workload.Key(i + 1)}, OutputTokens: 5}
			if !yield(r, nil) {
				return
			}
		}
	}}
}

type counter struct{ ok, all int }

func (c *counter) Take(r *record.Record) error {
	c.all++
	if r.Outcome == record.OK {
		c.ok++
	}
	return nil
}

func healthy(string) map[string]any { return running(0) }

func TestRunsAndGoes(t *testing.T) {
	f := newFakeAPI(t)
	f.operate(healthy, true)
	b, _ := testBench(t, f, nil)
	e, err := b.Open(t.Context(), decode4())
	if err != nil {
		t.Fatal(err)
	}
	facts := e.Facts()
	if facts.KVTokens != 8000 || facts.GPUs != 4 || facts.Load <= 0 || facts.Simulated {
		t.Errorf("facts %+v", facts)
	}
	name := f.names(graphs)[0]
	f.mu.Lock()
	o := deepCopy(f.objects[graphs][name])
	f.mu.Unlock()
	if m := meta(o); m["labels"].(map[string]any)[labelManaged] != managedBy ||
		m["annotations"].(map[string]any)[noteTag] != "decode_4gpus_TP4" {
		t.Errorf("metadata %v", m)
	}
	var sink counter
	if _, err := e.Run(t.Context(), profile.Part{Section: "s", Point: "p", Run: "r", Plan: plan(40)},
		&sink); err != nil || sink.ok != 40 {
		t.Errorf("%d of %d requests were answered: %v", sink.ok, sink.all, err)
	}
	f.breakAll() // the log goes on where it was
	f.write(name+"-worker-x", "more\n")
	path := filepath.Join(facts.Logs, "worker", "0.log")
	eventually(t, func() bool { b, _ := os.ReadFile(path); return string(b) == "loading\n"+kvLine+"more\n" })
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if text, err := os.ReadFile(filepath.Join(facts.Logs, "frontend", "0.log")); err != nil ||
		string(text) != "frontend up\n" {
		t.Errorf("the frontend's log is %q (%v)", text, err)
	}
	if _, err := dgd.Read(must(os.ReadFile(filepath.Join(b.cfg.Dir, "decode_4gpus_TP4", "config.yaml")))); err != nil {
		t.Error(err)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// eventually waits for what another goroutine does.
func eventually(t *testing.T, is func() bool) {
	t.Helper()
	limit := time.After(10 * time.Second)
	for !is() {
		select {
		case <-limit:
			t.Fatal("it did not happen in 10 s")
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func TestFaultsEndAtOnce(t *testing.T) {
	terminated := func(reason string, code int) map[string]any {
		return map[string]any{"terminated": map[string]any{"reason": reason, "exitCode": code}}
	}
	for _, test := range []struct {
		name   string
		status map[string]any
		log    string // of the container before this one
		event  string
		reason profile.Reason
		says   string
	}{
		{"crash loop", containers(map[string]any{"restartCount": 1, "lastState": terminated("Error", 1),
			"state": map[string]any{"waiting": map[string]any{"reason": "CrashLoopBackOff"}}}),
			"ValueError: bad weights\n", "", profile.ReasonCrash, "bad weights"},
		{"crash loop out of GPU memory",
			containers(map[string]any{"restartCount": 1, "lastState": terminated("Error", 1),
				"state": map[string]any{"waiting": map[string]any{"reason": "CrashLoopBackOff"}}}),
			"torch.OutOfMemoryError: CUDA out of memory\n", "", profile.ReasonMemory, "--max-num-batched-tokens"},
		{"OOMKilled", containers(map[string]any{"restartCount": 1, "lastState": terminated("OOMKilled", 137),
			"state": map[string]any{"running": map[string]any{}}}), "last words\n", "", profile.ReasonMemory,
			"limits.memory"},
		{"image", waiting("ImagePullBackOff", `Back-off pulling image "nope:1"`), "", "", profile.ReasonImage,
			"nope:1"},
		{"image at first", waiting("ErrImagePull", "not found"), "", "", profile.ReasonImage, "--dgd-image"},
		{"secret", waiting("CreateContainerConfigError", `secret "hf-token-secret" not found`), "", "",
			profile.ReasonCrash, "hf-token-secret"},
		{"unschedulable",
			map[string]any{"phase": "Pending",
				"conditions": []any{map[string]any{"type": "PodScheduled", "status": "False",
					"reason": "Unschedulable", "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu"}}},
			"",
			"",
			profile.ReasonUnschedulable, "Insufficient nvidia.com/gpu"},
		{"evicted", map[string]any{"phase": "Failed", "reason": "Evicted", "message": "The node was low on memory"}, "",
			"", profile.ReasonCrash, "Evicted"},
		{"quota", waiting("ContainerCreating", ""), "", "pods \"x\" is forbidden: exceeded quota: gpus, requested: 4",
			profile.ReasonQuota, "ResourceQuota"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFakeAPI(t)
			f.operate(func(d string) map[string]any {
				if test.log != "" {
					f.write(d+"-worker-x/previous", test.log)
				}
				return test.status
			}, false)
			b, _ := testBench(t, f, nil)
			if test.event != "" {
				made := f.made
				f.made = func(name string) {
					made(name)
					f.put("events", map[string]any{"kind": "Event", "apiVersion": "v1",
						"metadata": map[string]any{"name": "e1"}, "type": "Warning",
						"reason": "FailedCreate", "message": test.event,
						"involvedObject": map[string]any{"kind": "ReplicaSet", "name": name + "-worker-1"}})
				}
			}
			begun := time.Now()
			_, err := b.Open(t.Context(), decode4())
			var dead *profile.DeadError
			if !errors.As(err, &dead) || dead.Reason != test.reason || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want %q with %q", err, test.reason, test.says)
			}
			if took := time.Since(begun); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
			if test.log != "" && dead != nil && !strings.Contains(dead.Log, strings.TrimSpace(test.log)) {
				t.Errorf("the log is %q", dead.Log)
			}
		})
	}
}

func TestNeverReady(t *testing.T) {
	f := newFakeAPI(t)
	f.operate(healthy, false)
	b, _ := testBench(t, f, func(c *Config) { c.DeploymentTimeout = 200 * time.Millisecond })
	made := f.made
	f.made = func(name string) {
		made(name)
		f.change(graphs, name, func(o map[string]any) {
			o["status"] = map[string]any{"state": "pending",
				"conditions": []any{map[string]any{"type": "Ready", "status": "False", "reason": "pods_not_ready",
					"message": "resources not ready: [worker]"}}}
		})
	}
	_, err := b.Open(t.Context(), decode4())
	var dead *profile.DeadError
	if !errors.As(err, &dead) || dead.Reason != profile.ReasonTimeout ||
		!strings.Contains(err.Error(), "resources not ready: [worker]") || !strings.Contains(dead.Log, "loading") {
		t.Errorf("got %v, log %q", err, dead.Log)
	}
}

func TestDeletedByAnotherHand(t *testing.T) {
	f := newFakeAPI(t)
	f.operate(healthy, true)
	b, _ := testBench(t, f, nil)
	e, err := b.Open(t.Context(), decode4())
	if err != nil {
		t.Fatal(err)
	}
	var sink counter
	go func() {
		name := f.names(graphs)[0]
		f.delete(graphs, name)
		for _, p := range f.names("pods") {
			f.delete("pods", p)
		}
	}()
	_, err = e.Run(t.Context(), profile.Part{Section: "s", Point: "p", Run: "r", Plan: plan(50000)}, &sink)
	var dead *profile.DeadError
	if !errors.As(err, &dead) || dead.Reason != profile.ReasonLost {
		t.Errorf("got %v", err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRestartedWhileMeasured(t *testing.T) {
	f := newFakeAPI(t)
	f.operate(healthy, true)
	b, _ := testBench(t, f, nil)
	e, err := b.Open(t.Context(), decode4())
	if err != nil {
		t.Fatal(err)
	}
	name := f.names(graphs)[0]
	f.write(name+"-worker-x/previous", "Fatal: NCCL\n")
	go f.change("pods", name+"-worker-x", func(o map[string]any) { o["status"] = running(1) })
	var sink counter
	_, err = e.Run(t.Context(), profile.Part{Section: "s", Point: "p", Run: "r", Plan: plan(50000)}, &sink)
	var dead *profile.DeadError
	if !errors.As(err, &dead) || dead.Reason != profile.ReasonCrash || !strings.Contains(dead.Log, "NCCL") {
		t.Errorf("got %v", err)
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
