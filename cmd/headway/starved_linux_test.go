package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"headway/internal/cli"
	"headway/record"
)

// A client that is stopped while it should send says so, and the times of its
// arrivals are right all the same, since they are the kernel's. A stopped program
// is starved by as much on any machine.
func TestStarvedClient(t *testing.T) {
	t.Parallel()
	const requests = 60
	bin := program(t)
	log := filepath.Join(t.TempDir(), "sim.jsonl")
	url, stop := serve(t, bin, "--log", log, "--ttft", "20", "--itl", "100")
	dir := filepath.Join(t.TempDir(), "run")
	client := exec.Command(bin, "run", "--url", url, "--model", "simulated", "--tokenizer", "builtin", "--streaming",
		"--isl", "20", "--osl", "3", "--request-rate", "20", "--arrival-pattern", "constant", "--request-count",
		fmt.Sprint(requests), "--random-seed", "1",
		"--artifact-dir", dir, "--ui-type", "none", "--transport", "auto")
	var said bytes.Buffer
	client.Stderr = &said
	if err := client.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Process.Kill() })
	waitForLines(t, log, 1) // it sends
	if err := client.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	// By then all planned times have passed, and the replies under way were sent.
	passed := time.NewTimer(requests * time.Second / 20)
	<-passed.C
	resumed := time.Now().UnixNano()
	if err := client.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	_ = client.Wait() // its code is looked at below
	stop()

	l := verdictIn(t, dir)
	path := filepath.Join(dir, "records.jsonl")
	a := readAudit(t, path)
	if l.Verdict != record.AuditInvalid || a.ScheduleVerdict != record.AuditInvalid ||
		client.ProcessState.ExitCode() != cli.Invalid || a.Schedule.Lateness.Max < 0.1 {
		t.Fatalf("verdict %q (schedule %q), exit %d: %+v\n%s", l.Verdict, a.ScheduleVerdict,
			client.ProcessState.ExitCode(), l.Reasons, said.String())
	}
	records, clock := readRecords(t, path)
	looked, early := ownTimes(t, records, clock, readTruth(t, log), resumed)
	if looked < requests/2 || early == 0 {
		t.Fatalf("%d arrivals have a time of their own, %d came before the end of the stop", looked, early)
	}
}

// ownTimes holds the arrivals that have a time of their own against the server's
// writes: none lies before its write, and none of what came well before the
// client was resumed lies after that. It returns how many there were.
func ownTimes(t *testing.T, records []*record.Record, clock record.Clock, truth map[string][]write,
	resumed int64) (looked, early int) {
	t.Helper()
	for _, r := range records {
		writes := truth[r.RequestID]
		text := 0
		for i, a := range r.Arrivals {
			if !a.Kind.Text() || text >= len(writes) {
				continue
			}
			w := writes[text]
			text++
			// Of what was read together the last has its own time.
			if a.UserspaceStamp || i+1 < len(r.Arrivals) && r.Arrivals[i+1].Coalesced {
				continue
			}
			looked++
			at := clock.Wall(a.At).UnixNano()
			if at < w.before {
				t.Errorf("request %d: a stamp lies %v before its write", r.Index, time.Duration(w.before-at))
			}
			// What came while nobody could read it has the time at which it came.
			if w.after < resumed-int64(time.Second) {
				if early++; at > resumed {
					t.Errorf("request %d: a chunk of before the stop has the time %v after it", r.Index,
						time.Duration(at-resumed))
				}
			}
		}
	}
	return looked, early
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
