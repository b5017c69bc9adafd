// Package child runs programs that leave nothing behind: each has a process
// group of its own, which Stop ends as a whole, and the kernel kills the
// program when this process dies. It says nothing of what the programs do.
// Linux only.
package child

import (
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Process is a program that was started.
type Process struct {
	// Pid is its process id, and that of its group.
	Pid int

	name string
	done chan struct{}
	err  error
}

// Start starts cmd. Its SysProcAttr is replaced.
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{name: cmd.Path, done: make(chan struct{})}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	// Should a grandchild keep the output open, Wait would wait for it.
	cmd.WaitDelay = 2 * time.Second
	started := make(chan error)
	go func() {
		// The kernel sends the death signal when the thread ends that started
		// the child, so that thread is kept until the child is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(p.done)
		err := cmd.Start()
		if err == nil {
			p.Pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	return p, nil
}

// Done is closed when the program has ended and its output was read.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err is what the program ended with. It may be called when Done is closed.
func (p *Process) Err() error { return p.err }

// Code is the exit status; 128 and the signal's number where a signal ended
// the program, as a shell says it. It may be called when Done is closed.
func (p *Process) Code() int {
	var exit *exec.ExitError
	switch {
	case p.err == nil:
		return 0
	case !errors.As(p.err, &exit):
		return 255
	}
	if s, ok := exit.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		return 128 + int(s.Signal())
	}
	return exit.ExitCode()
}

// killLimit is how long a machine that is busy may take to end a program that was
// killed.
const killLimit = 2 * time.Minute

// Stop asks the process group to end, kills it after grace, and returns when
// the program is gone.
func (p *Process) Stop(grace time.Duration) error {
	for _, by := range []struct {
		sig   syscall.Signal
		limit time.Duration
	}{{syscall.SIGTERM, grace}, {syscall.SIGKILL, killLimit}} {
		if err := syscall.Kill(-p.Pid, by.sig); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("stopping %s: %w", p.name, err)
		}
		select {
		case <-p.done:
			return nil
		case <-time.After(by.limit):
		}
	}
	return fmt.Errorf("%s (process %d) does not end", p.name, p.Pid)
}
