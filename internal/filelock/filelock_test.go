package filelock

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The test binary is also a process that holds a folder until its input ends.
func TestMain(m *testing.M) {
	if dir := os.Getenv("FILELOCK_TEST_DIR"); dir != "" {
		if _, err := LockDir(dir, "the first"); err != nil {
			os.Exit(9)
		}
		os.Stdout.WriteString("locked\n")
		os.Stdin.Read(make([]byte, 1))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A folder has one owner, who is named; that of a killed process is free.
func TestLockOfAnotherProcess(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	other := exec.Command(self)
	other.Env = append(os.Environ(), "FILELOCK_TEST_DIR="+dir)
	in, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "locked\n" {
		t.Fatalf("%q, %v", line, err)
	}
	_, err = LockDir(dir, "the second")
	var busy *BusyError
	if !errors.As(err, &busy) || !errors.Is(err, ErrBusy) || busy.Owner.PID != other.Process.Pid ||
		busy.Owner.Command != "the first" {
		t.Fatalf("the second has %v", err)
	}
	if !strings.Contains(err.Error(), "the first") || !strings.Contains(err.Error(), dir) {
		t.Errorf("the message is %q", err)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait() // it was killed
	if _, err := os.Stat(filepath.Join(dir, Name)); err != nil {
		t.Fatalf("a killed process leaves its file: %v", err)
	}
	d, err := LockDir(dir, "the third")
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Release(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("%v is left (%v)", left, err)
	}
}

func TestLockWithinAProcess(t *testing.T) {
	dir := t.TempDir()
	d, err := LockDir(dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := LockDir(dir, ""); !errors.Is(err, ErrBusy) {
		t.Errorf("twice: %v", err)
	}
	if err := d.Release(); err != nil {
		t.Fatal(err)
	}
	if _, err := LockDir(filepath.Join(dir, "none"), ""); err == nil {
		t.Error("a folder that is not there was locked")
	}
}
