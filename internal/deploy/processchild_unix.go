//go:build unix

package deploy

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// markerName is the environment variable by which every descendant of an
// engine is known, those that left its process group included.
const markerName = "ENGINE_OF_HEADWAY"

// child is an engine's process with everything it started.
type child struct {
	pid    int
	marker string
	// exited is closed when the first process has ended; state says how.
	exited chan struct{}
	state  *os.ProcessState
}

// startChild starts the command as the leader of a process group of its own,
// with both outputs into the file.
func startChild(argv, environ []string, marker string, out *os.File) (*child, error) {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(slices.Clone(environ), markerName+"="+marker)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = ownGroup()
	c := &child{marker: marker, exited: make(chan struct{})}
	started := make(chan error)
	go func() {
		// Linux sends the signal of Pdeathsig when the thread that forked ends,
		// not the process: this one is kept until the child is gone.
		runtime.LockOSThread()
		err := cmd.Start()
		if err == nil {
			c.pid = cmd.Process.Pid
		}
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait() // the state says all there is
		c.state = cmd.ProcessState
		close(c.exited)
	}()
	return c, <-started
}

// running says whether the first process runs.
func (c *child) running() bool {
	select {
	case <-c.exited:
		return false
	default:
		return true
	}
}

// ending says how the first process ended.
func (c *child) ending() string {
	if s, ok := c.state.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return fmt.Sprintf("was ended by signal %d (%s)", s.Signal(), s.Signal())
	}
	return fmt.Sprintf("exited with code %d", c.state.ExitCode())
}

// killed says that the kernel, or somebody, sent SIGKILL.
func (c *child) killed() bool {
	s, ok := c.state.Sys().(syscall.WaitStatus)
	return ok && s.Signaled() && s.Signal() == syscall.SIGKILL || c.state.ExitCode() == 128+int(syscall.SIGKILL)
}

// stop ends everything and returns when nothing is left: first by SIGTERM,
// after the grace by SIGKILL.
func (c *child) stop(grace time.Duration) error {
	err := stopProcesses(c.pid, c.marker, grace)
	if err == nil {
		<-c.exited // of a process that is gone: only to be taken up
	}
	return err
}

// killWait is how long the kernel may take to end what was killed; a process
// that waits for a device takes seconds to let go of it.
const killWait = 30 * time.Second

// stopProcesses ends the group of the leader and what carries the marker.
func stopProcesses(leader int, marker string, grace time.Duration) error {
	for _, step := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGTERM, grace}, {syscall.SIGKILL, killWait}} {
		deadline := time.Now().Add(step.wait)
		sent := map[int]bool{}
		for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
			left := members(leader, marker)
			if len(left) == 0 {
				return nil
			}
			for _, pid := range left {
				if !sent[pid] { // those that appear later get theirs, too
					sent[pid] = true
					_ = syscall.Kill(pid, step.signal) // gone before is as good
				}
			}
			if time.Now().After(deadline) {
				break
			}
			<-time.After(pause)
		}
	}
	var left []string
	for _, pid := range members(leader, marker) {
		left = append(left, fmt.Sprint(pid))
	}
	if len(left) == 0 {
		return nil
	}
	return fmt.Errorf("stopping an engine: processes %s are still there %v after SIGKILL", strings.Join(left, ", "),
		killWait)
}

// removeProcess ends what a dead headway process left of an engine. Without
// the marker in its environment a process is not the engine's: its number was
// given again. Where environments cannot be read, a process that lives is left
// alone, since it may be anybody's.
func removeProcess(e Entry, grace time.Duration) (ended bool, err error) {
	switch {
	case e.Marker == "":
		return false, errors.New("the list does not say how its processes are known")
	case !marksAreRead && syscall.Kill(e.PID, 0) == nil:
		return false, fmt.Errorf("a process %d lives, and whether it is the engine's cannot be told on this system: "+
			"end it by hand if it is, else remove the list", e.PID)
	case len(members(0, e.Marker)) == 0:
		return false, nil
	}
	return true, stopProcesses(0, e.Marker, grace)
}
