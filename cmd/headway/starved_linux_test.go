package main

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"headway/record"
)

// A client that gets next to no processor says so, and the times of its
// arrivals are right all the same, since they are the kernel's.
func TestStarvedClient(t *testing.T) {
	if _, err := exec.LookPath("nice"); err != nil {
		t.Skip("no nice: ", err)
	}
	const requests = 30
	bin := program(t)
	log := filepath.Join(t.TempDir(), "sim.jsonl")
	url, stop := serve(t, bin, "--log", log, "--ttft", "300", "--itl", "300")
	dir := filepath.Join(t.TempDir(), "run")
	client := exec.Command("nice", "-n", "10", bin, "run", "--url", url, "--model", "simulated", "--tokenizer", "builtin", "--streaming",
		"--isl", "20", "--osl", "3", "--request-rate", "20", "--arrival-pattern", "constant", "--request-count", "30", "--random-seed", "1",
		"--artifact-dir", dir, "--ui-type", "simple", "--transport", "auto")
	client.Env = append(os.Environ(), "GOMAXPROCS=1")
	said, err := client.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Process.Kill() })
	var errs bytes.Buffer
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		errs.WriteString(lines.Text() + "\n")
		if strings.HasPrefix(lines.Text(), "schedule:") {
			break // it is about to send
		}
	}
	relieve := starve(t)
	waitForLines(t, filepath.Join(dir, "records.jsonl*"), 1+requests)
	relieve()
	for lines.Scan() {
		errs.WriteString(lines.Text() + "\n")
	}
	_ = client.Wait() // its code is 0 or 4, and looked at below
	stop()

	l := verdictIn(t, dir)
	records, clock := readRecords(t, filepath.Join(dir, "records.jsonl"))
	code := client.ProcessState.ExitCode()
	if l.Verdict != record.AuditInvalid && l.Verdict != record.AuditDoubtful || (code == exitInvalid) != (l.Verdict == record.AuditInvalid) || len(l.Reasons) == 0 {
		t.Fatalf("verdict %q, exit %d: %+v\n%s", l.Verdict, code, l.Reasons, errs.String())
	}
	truth := readTruth(t, log)
	var off []time.Duration
	for _, r := range records {
		text := 0
		for i, a := range r.Arrivals {
			if !a.Kind.Text() {
				continue
			}
			// Of what was read together the last has its own time.
			later := i+1 < len(r.Arrivals) && r.Arrivals[i+1].Together
			if writes := truth[r.RequestID]; text < len(writes) && !later && !a.User {
				off = append(off, time.Duration(clock.Wall(a.At).UnixNano()-writes[text].before))
			}
			text++
		}
	}
	if len(off) < requests/2 {
		t.Fatalf("only %d arrivals have a time of their own", len(off))
	}
	slices.Sort(off)
	middle := off[len(off)/2]
	t.Logf("%s: %s; of %d arrivals the stamp lies %v after the write began in the median, %v at most", l.Verdict, l.Reasons[0].Found, len(off), middle, off[len(off)-1])
	if off[0] < 0 || middle > 2*time.Millisecond {
		t.Errorf("stamps lie %v to %v, in the median %v, after the write began", off[0], off[len(off)-1], middle)
	}
}

// starve keeps every processor busy until the function that it returns is
// called.
func starve(t *testing.T) (relieve func()) { return starveBy(t, 3*runtime.GOMAXPROCS(0)) }

// starveBy is starve with so many busy loops.
func starveBy(t *testing.T, n int) (relieve func()) {
	t.Helper()
	var hogs []*exec.Cmd
	for range n {
		hog := exec.Command("sh", "-c", "while :; do :; done")
		if err := hog.Start(); err != nil {
			t.Fatal(err)
		}
		hogs = append(hogs, hog)
	}
	relieve = func() {
		for _, hog := range hogs {
			_ = hog.Process.Kill()
			_ = hog.Wait() // it was killed
		}
		hogs = nil
	}
	t.Cleanup(relieve)
	return relieve
}

// waitForLines waits until a file, whose name matches a pattern, has so many
// lines.
func waitForLines(t *testing.T, pattern string, n int) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for range 3000 {
		var text []byte
		names, err := filepath.Glob(pattern)
		if err == nil && len(names) > 0 {
			text, err = os.ReadFile(names[0])
		}
		if err == nil && bytes.Count(text, []byte("\n")) >= n {
			return
		}
		<-tick.C
	}
	t.Fatalf("%s has not got %d lines in a minute", pattern, n)
}
