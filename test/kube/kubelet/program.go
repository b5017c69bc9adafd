package kubelet

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"headway/test/kube/child"
)

// Program is what a container is played by.
type Program struct {
	// Log is written when the container starts, before anything else.
	Log []string
	// Command runs on this host with the container's variables, its output
	// goes to the log, and when it ends the container ends. {port} in it is a
	// free port of this host. Without a command the container only stays.
	Command []string
	// Env are variables of the image; those of the container come on top.
	Env []string
	// Port is the container's port that {port} stands for. The container is
	// ready when something listens there, or after Startup where it is 0.
	Port    int32
	Startup time.Duration
	// NeverReady keeps the container from becoming ready.
	NeverReady bool
	// Exit ends the container by itself; nil leaves it alone.
	Exit *Exit
}

// Exit is how a container ends that dies by itself.
type Exit struct {
	After time.Duration
	Code  int32
	// Reason is that of the container's state: Error or OOMKilled.
	Reason string
}

// end is how a run of a program ended.
type end struct {
	code   int32
	reason string
}

// errStopped says that the program did not end, but was ended.
var errStopped = errors.New("stopped")

// grace is how long a container may take to end.
const grace = 3 * time.Second

// run runs the program once, until it ends or ctx does. ready is called with
// the host's port when the program may be used.
func (p Program) run(ctx context.Context, env []string, dir string, log *lines, started func(running bool),
	ready func(port int)) (end, error) {
	for _, line := range p.Log {
		log.add(line)
	}
	var port int
	var proc *child.Process
	ended := make(<-chan struct{})
	if len(p.Command) > 0 {
		var err error
		if port, err = child.FreePort(); err != nil {
			return end{128, "StartError"}, nil
		}
		args := make([]string, len(p.Command))
		for i, a := range p.Command {
			args[i] = strings.ReplaceAll(a, "{port}", strconv.Itoa(port))
		}
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env, cmd.Dir = env, dir
		out := &lineWriter{to: log}
		cmd.Stdout, cmd.Stderr = out, out
		if proc, err = child.Start(cmd); err != nil {
			log.add(err.Error())
			return end{128, "StartError"}, nil
		}
		started(true)
		defer started(false)
		defer func() { _ = proc.Stop(grace) }()
		ended = proc.Done()
	}
	var dies <-chan time.Time
	if p.Exit != nil {
		dies = time.After(p.Exit.After)
	}
	answers := p.answers(ctx, port)
	for {
		select {
		case <-ctx.Done():
			return end{}, errStopped
		case <-ended:
			return exited(proc), nil
		case <-dies:
			return end{p.Exit.Code, p.Exit.Reason}, nil
		case <-answers:
			answers = nil
			ready(port)
		}
	}
}

func exited(p *child.Process) end {
	code := p.Code()
	if code == 0 {
		return end{0, "Completed"}
	}
	return end{int32(code), "Error"}
}

// answers is closed when the program may be used; never where it may not.
func (p Program) answers(ctx context.Context, port int) <-chan struct{} {
	if p.NeverReady {
		return nil
	}
	c := make(chan struct{})
	go func() {
		wait := p.Startup
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			if p.Port == 0 || listens(port) {
				close(c)
				return
			}
			wait = 20 * time.Millisecond
		}
	}()
	return c
}

func listens(port int) bool {
	c, err := net.DialTimeout("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), time.Second)
	if err != nil {
		return false
	}
	return c.Close() == nil
}

// lineWriter cuts output into lines.
type lineWriter struct {
	to   *lines
	rest []byte
}

func (w *lineWriter) Write(b []byte) (int, error) {
	w.rest = append(w.rest, b...)
	for {
		line, rest, found := bytes.Cut(w.rest, []byte{'\n'})
		if !found {
			return len(b), nil
		}
		w.to.add(string(line))
		w.rest = rest
	}
}
