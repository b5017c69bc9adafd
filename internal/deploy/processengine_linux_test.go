package deploy

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"headway/internal/cluster"
	"headway/internal/engine"
	"headway/internal/model"
	"headway/internal/openai"
	"headway/internal/profile"
	"headway/record"
	"headway/workload"
)

// The test binary is its own engine: with arguments "engine MODE PORT" it
// behaves as one that works, or fails in the way MODE says.
func TestMain(m *testing.M) {
	if len(os.Args) == 4 && os.Args[1] == "engine" {
		leave(playEngine(os.Args[2], os.Args[3]))
		return
	}
	// Some of the tests compute and some wait.
	if err := flag.Set("test.parallel", "6"); err != nil {
		panic(err)
	}
	m.Run()
}

// leave ends the process with a code. It becomes a shell that does so: a test
// binary's own end has the code of tests that were not run.
func leave(code int) {
	err := syscall.Exec("/bin/sh", []string{"sh", "-c", fmt.Sprint("exit ", code)}, os.Environ())
	fmt.Println("becoming a shell:", err)
}

func playEngine(mode, port string) int {
	switch mode {
	case "owner":
		return playOwner(port)
	case "crash":
		fmt.Println("loading weights\nRuntimeError: the weights are broken")
		return 3
	case "oom":
		fmt.Println("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 GiB")
		return 1
	case "hangs-oom":
		fmt.Println("RuntimeError: CUDA error: out of memory")
		select {}
	case "silent":
		select {}
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	case "family":
		// A grandchild that leaves the process group and takes no hint.
		cmd := exec.Command("sh", "-c", "trap '' TERM; while :; do sleep 1; done")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := cmd.Start(); err != nil {
			return 9
		}
	case "dies-later":
		hint := make(chan os.Signal, 1)
		signal.Notify(hint, syscall.SIGUSR1)
		go func() { <-hint; leave(5) }()
	}
	srv, err := cluster.NewServer(cluster.ServerConfig{Model: "m", Engine: engine.Config{MaxNumSeqs: 64}})
	if err != nil {
		fmt.Println(err)
		return 8
	}
	if _, err := srv.Listen("127.0.0.1:" + port); err != nil {
		fmt.Println(err)
		return 7
	}
	fmt.Println("GPU KV cache size: 1,000 tokens for", os.Getenv("CUDA_VISIBLE_DEVICES"))
	stop := make(chan os.Signal, 1)
	if mode != "stubborn" {
		signal.Notify(stop, syscall.SIGTERM)
	}
	<-stop
	return 0
}

// testBench is a bench whose engines are this test binary.
func testBench(t *testing.T, mode string, change func(*ProcessConfig)) (*Process, *Ledger, string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	state := t.TempDir()
	ledger, err := OpenLedger(state)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ledger.Close(); err != nil {
			t.Error(err)
		}
	})
	cmd, err := ParseCommand(fmt.Sprintf("'%s' engine %s {port}", self, mode))
	if err != nil {
		t.Fatal(err)
	}
	cfg := ProcessConfig{Command: cmd, Model: "m", Backend: "vllm", GPUs: []string{"0", "1", "2", "3"}, KVTokens: 1000,
		Dir: t.TempDir(), StartTimeout: 30 * time.Second, Grace: 300 * time.Millisecond, Environ: os.Environ(),
		Ledger:   ledger,
		Endpoint: EndpointConfig{Client: openai.Config{Models: []string{"m"}}}}
	if change != nil {
		change(&cfg)
	}
	p, err := NewProcess(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p, ledger, state
}

func tp(n int) profile.Candidate {
	return profile.Candidate{Phase: profile.Decode, Mapping: model.Mapping{Kind: model.TP, Size: n}}
}

func smallPlan(n int) workload.Plan {
	return workload.Plan{Concurrency: 2, Source: func(yield func(workload.Request, error) bool) {
		for i := range n {
			r := workload.Request{Index: i, Session: fmt.Sprint(i), Turns: 1,
				Prompt: workload.Prompt{Tokens: 20, Key: workload.Key(i + 1)}, OutputTokens: 5}
			if !yield(r, nil) {
				return
			}
		}
	}}
}

// countSink counts, and calls after at the fifth request.
type countSink struct {
	done, all int
	after     func()
}

func (c *countSink) Take(r *record.Record) error {
	c.all++
	if r.Outcome == record.OK {
		if c.done++; c.done == 5 && c.after != nil {
			c.after()
		}
	}
	return nil
}

func TestProcessRunsAndStops(t *testing.T) {
	t.Parallel()
	p, ledger, _ := testBench(t, "family", nil)
	e, err := p.Open(t.Context(), tp(2))
	if err != nil {
		t.Fatal(err)
	}
	marker := ledger.Left()[0].Marker
	f := e.Facts()
	if f.GPUs != 2 || f.KVTokens != 1000 || f.Load <= 0 || f.Simulated {
		t.Errorf("facts %+v", f)
	}
	if n := len(members(0, marker)); n < 2 {
		t.Errorf("%d processes carry the marker, not the engine and what it started", n)
	}
	var sink countSink
	if ran, err := e.Run(t.Context(), profile.Part{Section: "s", Point: "p", Run: "r", Plan: smallPlan(6)},
		&sink); err != nil || sink.done != 6 || ran.Span <= 0 {
		t.Errorf("span %v, %d of %d requests completed: %v", ran.Span, sink.done, sink.all, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := e.Close(ended); err != nil {
		t.Error(err)
	}
	if left := members(0, marker); len(left) != 0 {
		t.Errorf("processes %v are left", left)
	}
	if len(ledger.Left()) != 0 {
		t.Errorf("the ledger lists %v", ledger.Left())
	}
	log, err := os.ReadFile(filepath.Join(f.Logs, "engine.log"))
	if err != nil || !strings.Contains(string(log), "tokens for 0,1") {
		t.Errorf("the log is %q (%v)", log, err)
	}
}

func TestProcessDeaths(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		mode   string
		reason profile.Reason
		says   []string
		change func(*ProcessConfig)
	}{
		{"crash", profile.ReasonCrash, []string{"exited with code 3", "the weights are broken"}, nil},
		{"oom", profile.ReasonMemory, []string{"CUDA out of memory", "--max-num-batched-tokens", "visible devices: 0"},
			nil},
		{"hangs-oom", profile.ReasonMemory, []string{"still running", "CUDA error"}, nil},
		{"silent", profile.ReasonTimeout, []string{"within 1s"},
			func(c *ProcessConfig) { c.StartTimeout = time.Second }},
		{"fine", profile.ReasonLog, []string{"no line", "--max-kv-tokens", "engine.log"}, func(c *ProcessConfig) {
			c.KVTokens, c.ReadKV = 0, func(io.Reader, int) (int, error) { return 0, errors.New("no line says it") }
		}},
		{"fine", profile.ReasonUnschedulable, []string{"needs 1 GPUs"}, func(c *ProcessConfig) { c.GPUs = c.GPUs[:1] }},
	} {
		t.Run(test.mode, func(t *testing.T) {
			t.Parallel()
			p, ledger, _ := testBench(t, test.mode, test.change)
			c := tp(1)
			if len(p.cfg.GPUs) == 1 {
				c, test.says[0] = tp(2), "needs 2 GPUs"
			}
			_, err := p.Open(t.Context(), c)
			var dead *profile.DeadError
			if !errors.As(err, &dead) || dead.Reason != test.reason {
				t.Fatalf("%v is no death of %q", err, test.reason)
			}
			for _, s := range test.says {
				if !strings.Contains(err.Error()+dead.Log, s) {
					t.Errorf("%q is not in %q, log %q", s, err, dead.Log)
				}
			}
			if len(ledger.Left()) != 0 || len(p.pool.free) != len(p.cfg.GPUs) {
				t.Errorf("left %v, free %v", ledger.Left(), p.pool.free)
			}
		})
	}
}

func TestProcessDiesWhileMeasured(t *testing.T) {
	t.Parallel()
	p, ledger, _ := testBench(t, "dies-later", nil)
	e, err := p.Open(t.Context(), tp(1))
	if err != nil {
		t.Fatal(err)
	}
	sink := countSink{after: func() {
		if err := syscall.Kill(ledger.Left()[0].PID, syscall.SIGUSR1); err != nil {
			t.Error(err)
		}
	}}
	_, err = e.Run(t.Context(), profile.Part{Section: "s", Point: "p", Run: "r", Plan: smallPlan(100000)}, &sink)
	var dead *profile.DeadError
	if !errors.As(err, &dead) || !strings.Contains(err.Error(), "code 5") {
		t.Errorf("%v is no death with code 5", err)
	}
	if sink.done == 0 {
		t.Error("nothing was measured before")
	}
	if err := e.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestProcessOtherModel(t *testing.T) {
	t.Parallel()
	p, _, _ := testBench(t, "fine", func(c *ProcessConfig) { c.Endpoint.Client.Models = []string{"other"} })
	_, err := p.Open(t.Context(), tp(1))
	var dead *profile.DeadError
	if err == nil || errors.As(err, &dead) || !strings.Contains(err.Error(), `["m"]`) {
		t.Errorf("%v does not say that the model has another name, for all candidates", err)
	}
}

func TestProcessCannotStart(t *testing.T) {
	p, ledger, _ := testBench(t, "fine", func(c *ProcessConfig) {
		c.Command = &Command{"x {port}", []string{"/no/such/program", "{port}"}}
	})
	_, err := p.Open(t.Context(), tp(1))
	if err == nil || !strings.Contains(err.Error(), "is it installed") || len(ledger.Left()) != 0 {
		t.Errorf("%v, left %v", err, ledger.Left())
	}
}

func TestProcessStubbornAndSideBySide(t *testing.T) {
	t.Parallel()
	p, ledger, _ := testBench(t, "stubborn", nil)
	opened := make(chan profile.Subject, 3)
	for _, n := range []int{2, 2, 4} { // the third waits for the first two
		go func() {
			e, err := p.Open(t.Context(), tp(n))
			if err != nil {
				t.Error(err)
			}
			opened <- e
		}()
	}
	for range 3 {
		e := <-opened
		if e == nil {
			t.FailNow()
		}
		busy := 0
		for _, entry := range ledger.Left() {
			if entry.PID > 0 {
				busy++
			}
		}
		if busy == 0 || busy > 2 {
			t.Errorf("%d engines run at once on 4 GPUs", busy)
		}
		if err := e.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if len(p.pool.free) != 4 {
		t.Errorf("free GPUs at the end: %v", p.pool.free)
	}
}

func TestProcessConfigFaults(t *testing.T) {
	cmd, err := ParseCommand("x {kv} {mapping} {max_len}")
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewProcess(ProcessConfig{Command: cmd, KVTokens: -1, StartTimeout: -1, Grace: -1})
	for _, s := range []string{"{port}", "gpus", "max-kv-tokens -1", "engine-start-timeout", "engine-stop-grace",
		"{mapping}", "{max_len}"} {
		if err == nil || !strings.Contains(err.Error(), s) {
			t.Errorf("%q is not among the faults: %v", s, err)
		}
	}
}
