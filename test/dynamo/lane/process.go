//go:build linux

package lane

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// patience is how long a process may take to end after SIGTERM.
const patience = 10 * time.Second

// process is a program of Dynamo's that runs until it is stopped.
type process struct {
	name, log string
	cmd       *exec.Cmd
	ended     chan struct{} // closed when it has ended
	err       error         // how, once ended is closed
	stopped   bool          // by us
}

// start starts a program that writes to a log of its own. The kernel kills it
// if this program ends without having stopped it.
func start(name, dir string, env []string, command ...string) (*process, error) {
	p := &process{name: name, log: filepath.Join(dir, name+".log"), ended: make(chan struct{})}
	log, err := os.Create(p.log)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	p.cmd = exec.Command(command[0], command[1:]...)
	p.cmd.Env, p.cmd.Dir = env, dir
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// stop ends the process and those that it started, and waits for it. A second
// call does nothing: the number may be another group's by then.
func (p *process) stop() error {
	if p.stopped {
		return nil
	}
	p.stopped = true
	group := -p.cmd.Process.Pid
	signal := func(s syscall.Signal) error {
		if err := syscall.Kill(group, s); err != nil && !errors.Is(err, syscall.ESRCH) {
			return fmt.Errorf("ending %s: %w", p.name, err)
		}
		return nil
	}
	if err := signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
	}
	err := signal(syscall.SIGKILL) // what is left of the group
	<-p.ended
	return err
}

// tail is the end of what the process wrote, without its reports of single
// requests.
func (p *process) tail() string {
	const most = 15
	data, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(string(data)), "\n"), func(line string) bool {
		return strings.Contains(line, " INFO ")
	})
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}
