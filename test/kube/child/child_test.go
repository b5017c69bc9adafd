package child

import (
	"bufio"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What the program started goes with it, even what does not listen.
func TestGroup(t *testing.T) {
	cmd := exec.Command("sh", "-c", `trap "" TERM; sleep 60 & echo $!; wait; sleep 60`)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	grandchild, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Stop(100 * time.Millisecond); err != nil {
		t.Error(err)
	}
	if p.Code() != 137 {
		t.Errorf("it ended with %d, want 137", p.Code())
	}
	for _, pid := range []int{p.Pid, grandchild} {
		if err := gone(pid); err != nil {
			t.Errorf("process %d: %v", pid, err)
		}
	}
}

// gone waits until a process was ended and reaped.
func gone(pid int) error {
	var err error
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); <-time.After(5 * time.Millisecond) {
		if err = syscall.Kill(pid, 0); err == syscall.ESRCH {
			return nil
		}
	}
	return err
}

func TestCode(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 7": 7, "kill -15 $$": 143} {
		p, err := Start(exec.Command("sh", "-c", script))
		if err != nil {
			t.Fatal(err)
		}
		<-p.Done()
		if p.Code() != want {
			t.Errorf("%s ends with %d (%v), want %d", script, p.Code(), p.Err(), want)
		}
	}
	if _, err := Start(exec.Command("/nonexistent")); err == nil {
		t.Error("a program that is not there was started")
	}
}

func TestFreePort(t *testing.T) {
	p, err := FreePort()
	if err != nil || p < 20000 || p >= 32000 {
		t.Errorf("port %d (%v)", p, err)
	}
}
