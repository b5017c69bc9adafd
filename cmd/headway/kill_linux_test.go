package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"headway/record"
)

// killed is a kind of program that is ended from outside.
type killed struct {
	name string
	args func(dir, url, self string) []string
	// outcomes says that it keeps outcomes of candidates instead of Records.
	outcomes bool
	// span is about how long it runs.
	span time.Duration
}

var killedVerbs = []killed{
	{name: "run", span: 3500 * time.Millisecond, args: func(dir, url, _ string) []string {
		return []string{"run", "--url", url, "--streaming", "--concurrency", "4", "--request-count", "200", "--isl",
			"20", "--artifact-dir", dir, "--ui-type", "none"}
	}},
	{name: "bench", span: 5 * time.Second, args: func(dir, url, _ string) []string {
		return []string{"bench", "--benchmark-name", "b", "--endpoint-url", url, "--concurrencies", "2,4",
			"--request-count", "60", "--isl", "20", "--osl", "6",
			"--no-plots", "--output-dir", dir}
	}},
	{name: "router", span: 4 * time.Second, args: func(dir, url, _ string) []string {
		return []string{"router", "prefix-ratio", "--url", "a=" + url, "--url", "b=" + url, "--isl", "40", "--osl", "6",
			"--requests", "100", "--concurrency", "4",
			"--output-dir", dir}
	}},
	{name: "profile endpoint", span: 4 * time.Second, args: func(dir, url, _ string) []string {
		return []string{"profile", "endpoint", "--mode", "prefill", "--url", url, "--num-gpus", "1",
			"--attention-dp-size", "4",
			"--max-context-length", "1200", "--interpolation-granularity", "3", "--max-spread", "0.01", "--work-dir",
			dir}
	}},
	{name: "profile sla", span: 3 * time.Second, outcomes: true, args: func(dir, _, self string) []string {
		return []string{"profile", "sla", "--on", "process", "--model", "qwen3-32b", "--gpus", "2", "--isl", "128",
			"--osl", "8", "--ttft", "500", "--itl", "50",
			"--repeats", "3", "--no-interpolation", "--max-kv-tokens", "1200", "--output-dir", dir,
			"--engine-command", self + " sim serve --port {port} --model {served_name} --speedup-ratio 4"}
	}},
}

var killings = []struct {
	name    string
	signals []syscall.Signal
}{
	{"TERM", []syscall.Signal{syscall.SIGTERM}},
	{"TERM twice", []syscall.Signal{syscall.SIGTERM, syscall.SIGTERM}},
	{"HUP", []syscall.Signal{syscall.SIGHUP}},
	{"KILL", []syscall.Signal{syscall.SIGKILL}},
}

// A program that is ended loses nothing that had finished a second before, and
// leaves nothing running. By default each verb is ended once by each signal, when
// something is on disk; KILL_RUNS says how often they are ended at a random
// instant, KILL_SEED at which.
func TestKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it starts twenty programs")
	}
	self := program(t)
	runs, _ := strconv.Atoi(os.Getenv("KILL_RUNS"))
	if runs == 0 {
		for _, v := range killedVerbs {
			for _, k := range killings {
				t.Run(v.name+"/"+k.name, func(t *testing.T) {
					t.Parallel()
					r := begin(t, v, self)
					r.end(k.signals, r.onceKept())
				})
			}
		}
		return
	}
	seed, _ := strconv.ParseUint(os.Getenv("KILL_SEED"), 10, 64)
	random := rand.New(rand.NewPCG(seed, 2))
	total, least := 0, 0
	for i := range runs {
		v, k := killedVerbs[i%len(killedVerbs)], killings[i/len(killedVerbs)%len(killings)]
		at := time.Duration(random.Float64() * float64(v.span))
		t.Run(fmt.Sprintf("%d %s/%s after %v", i, v.name, k.name, at.Round(time.Millisecond)), func(t *testing.T) {
			r := begin(t, v, self)
			<-time.After(at)
			must, kept := r.end(k.signals, r.finished(time.Now().Add(-time.Second)))
			total, least = total+kept, least+must
		})
	}
	t.Logf("%d runs: %d Records and outcomes had finished a second before and are there, of %d that are", runs, least,
		total)
}

// Nobody who reads the output any more costs no result.
func TestOutputThatNobodyReads(t *testing.T) {
	t.Parallel()
	for _, v := range killedVerbs[:3] {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			read, write, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			read.Close()
			dir := t.TempDir()
			r := &ending{t: t, verb: v, self: program(t), dir: filepath.Join(dir, "out"), mark: "KILL_TEST=" + dir,
				server: newLedgerServer(t)}
			args := slices.Clone(v.args(r.dir, r.server.URL, r.self))
			for i, a := range args {
				if a == "--request-count" || a == "--requests" {
					args[i+1] = "8"
				}
			}
			r.cmd = r.program(args...)
			r.cmd.Stdout, r.cmd.Stderr = write, write
			err = r.cmd.Run()
			write.Close()
			if there, all := r.kept("records.jsonl"), r.server.before(time.Now()); len(all) == 0 ||
				len(there) < len(all) {
				t.Errorf("%d of %d requests are there; the program: %v", len(there), len(all), err)
			}
			r.whole(false)
		})
	}
}

// ending is one program that will be ended.
type ending struct {
	t      *testing.T
	verb   killed
	self   string
	dir    string // of results
	mark   string // in the environment of it and of what it starts
	server *ledgerServer
	cmd    *exec.Cmd
	stderr bytes.Buffer
}

func begin(t *testing.T, v killed, self string) *ending {
	dir := t.TempDir()
	r := &ending{t: t, verb: v, self: self, dir: filepath.Join(dir, "out"), mark: "KILL_TEST=" + dir,
		server: newLedgerServer(t)}
	r.cmd = r.program(v.args(r.dir, r.server.URL, self)...)
	r.cmd.Stderr = &r.stderr
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *ending) program(args ...string) *exec.Cmd {
	if !slices.Contains(args, "report") {
		args = append(args, "--tokenizer", "builtin")
		if !r.verb.outcomes {
			args = append(args, "--model", "m", "--max-lag", "1h")
		}
	}
	c := exec.Command(r.self, args...)
	c.Env = append(os.Environ(), r.mark, "HF_HUB_OFFLINE=1", "XDG_STATE_HOME="+
		filepath.Join(filepath.Dir(r.dir), "state"))
	return c
}

// end sends the signals, and checks that everything in must is there afterwards.
func (r *ending) end(signals []syscall.Signal, must map[string]bool) (wanted, kept int) {
	for _, s := range signals {
		if err := r.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
			r.t.Fatal(err)
		}
		<-time.After(150 * time.Microsecond) // as timeout(1)
	}
	over := time.AfterFunc(time.Minute, func() { _ = r.cmd.Process.Kill() })
	err := r.cmd.Wait()
	if !over.Stop() {
		r.t.Fatalf("it had not ended a minute after the signal\n%s", r.stderr.String())
	}
	if signals[0] == syscall.SIGKILL && !r.verb.outcomes {
		if out, err := r.program("report", "--recover", "--quiet", r.dir).CombinedOutput(); err != nil &&
			len(must) > 0 {
			r.t.Errorf("recovering: %v\n%s", err, out)
		}
	}
	there := r.kept("records.jsonl")
	for id := range must {
		if !there[id] {
			r.t.Errorf("%s is lost, of %d; the program: %v\n%s", id, len(must), err, r.stderr.String())
			break
		}
	}
	r.whole(signals[0] == syscall.SIGKILL)
	r.alone()
	return len(must), len(there)
}

// onceKept waits until something is on disk, and says what.
func (r *ending) onceKept() map[string]bool {
	r.t.Helper()
	for until := time.Now().Add(time.Minute); ; <-time.After(5 * time.Millisecond) {
		// A run of a profile may be over before anything of it was on disk.
		ids := r.kept("records.jsonl.partial")
		maps.Copy(ids, r.kept("records.jsonl"))
		if len(ids) > 0 {
			return ids
		}
		if time.Now().After(until) {
			r.t.Fatalf("nothing was kept within a minute\n%s", r.stderr.String())
		}
	}
}

// finished is what had finished by an instant.
func (r *ending) finished(by time.Time) map[string]bool {
	if !r.verb.outcomes {
		return r.server.before(by)
	}
	ids := r.kept("")
	for id := range ids {
		if s, err := os.Stat(id); err != nil || s.ModTime().After(by) {
			delete(ids, id)
		}
	}
	return ids
}

// kept are the requests with a Record in files of that name, by X-Request-ID, or
// the outcomes, by path.
func (r *ending) kept(name string) map[string]bool {
	ids := map[string]bool{}
	err := filepath.WalkDir(r.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case r.verb.outcomes && d.Name() == "outcome.json":
			data, err := os.ReadFile(path)
			ids[path] = err == nil && json.Valid(data)
		case !r.verb.outcomes && d.Name() == name:
			return addRecords(ids, path)
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
	return ids
}

func addRecords(ids map[string]bool, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return nil // it has just got its name
	}
	defer f.Close()
	in, err := record.NewReader(f, path)
	if err != nil {
		return nil // its first line is being written
	}
	for {
		rec, err := in.Next()
		if err != nil {
			return nil // its end, for now
		}
		ids[rec.RequestID] = true
	}
}

// whole checks that every summary can be read, and that nothing has half a name
// but what is left by a kill.
func (r *ending) whole(killed bool) {
	err := filepath.WalkDir(filepath.Dir(r.dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if name := d.Name(); !killed && (strings.HasPrefix(name, ".") || strings.Contains(name, ".partial")) {
			r.t.Errorf("%s is left", path)
		}
		if strings.HasSuffix(path, ".json") && !strings.HasPrefix(d.Name(), ".") {
			if data, err := os.ReadFile(path); err != nil || !json.Valid(data) {
				r.t.Errorf("%s is not whole (%v)", path, err)
			}
		}
		return nil
	})
	if err != nil {
		r.t.Error(err)
	}
}

// alone waits until nothing that the program started runs any more.
func (r *ending) alone() {
	var left []string
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); <-time.After(10 * time.Millisecond) {
		if left = r.running(); len(left) == 0 {
			return
		}
	}
	r.t.Errorf("still running: %s", strings.Join(left, ", "))
}

func (r *ending) running() (pids []string) {
	all, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		r.t.Fatal(err)
	}
	for _, path := range all {
		if env, err := os.ReadFile(path); err == nil && bytes.Contains(env, []byte(r.mark+"\x00")) {
			pids = append(pids, filepath.Base(filepath.Dir(path)))
		}
	}
	return pids
}
