package deploy

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A headway that was killed leaves an engine that ignores its death; the next
// one ends it.
func TestSweepAfterKill(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "engine", "owner", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	marker := make([]byte, 256)
	n, err := out.Read(marker)
	if err != nil {
		t.Fatal(err)
	}
	mark := strings.TrimSpace(string(marker[:n]))
	// The kernel shows a process's environment a moment after its exec. The first
	// process goes by the signal of the owner's death, the second is to stay.
	for until := time.Now().Add(20 * time.Second); len(members(0, mark)) < 2; <-time.After(time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("the engine does not run")
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Fatal("it was not killed")
	}
	if left, err := Leavings(dir); err != nil || len(left) != 1 || left[0].Ended || len(members(0, mark)) == 0 {
		t.Fatalf("looking alone gives %+v: %v", left, err)
	}
	removers := map[string]Remover{KindProcess: func(_ context.Context, e Entry) (bool,
		error) {
		return removeProcess(e, 0)
	}}
	swept, err := Sweep(t.Context(), dir, removers)
	if err != nil || len(swept) != 1 || swept[0].Err != nil || !swept[0].Ended || swept[0].Entry.Marker != mark {
		t.Fatalf("swept %+v: %v", swept, err)
	}
	if alive, known := swept[0].Owner.Alive(); alive || !known {
		t.Errorf("its owner is alive %t, known %t", alive, known)
	}
	if left := members(0, mark); len(left) != 0 {
		t.Errorf("processes %v are left", left)
	}
}

// playOwner is a headway that starts an engine and is killed.
func playOwner(dir string) int {
	l, err := OpenLedger(dir)
	if err != nil {
		return 9
	}
	e, err := l.Add(Entry{Kind: KindProcess, Marker: "test-" + filepath.Base(filepath.Dir(dir)) + filepath.Base(dir)})
	if err != nil {
		return 9
	}
	// The first process goes by the system's signal, the second is deaf.
	_, err = startChild([]string{"sh", "-c", "(trap '' TERM; echo up; while :; do sleep 1; done) & wait"}, os.Environ(),
		e.Marker, os.Stderr)
	if err != nil {
		return 9
	}
	if _, err := io.WriteString(os.Stdout, e.Marker+"\n"); err != nil {
		return 9
	}
	select {}
}
