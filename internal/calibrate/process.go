package calibrate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// server is the process that serves, as its parent sees it.
type server struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	stderr bytes.Buffer
	port   int
}

// patience is how long the server may take to end by itself.
const patience = 3 * time.Second

// start starts the process; it is ended by the end of ctx, too.
func start(ctx context.Context, command []string) (*server, error) {
	s := &server{cmd: exec.CommandContext(ctx, command[0], command[1:]...)}
	s.cmd.Stderr = &s.stderr
	s.cmd.WaitDelay = patience
	in, err := s.cmd.StdinPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the server: %w", err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("starting the server: %w", err)
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the server: %w", err)
	}
	s.in, s.out = in, bufio.NewScanner(out)
	if err := s.read(&s.port); err != nil {
		s.stop()
		return nil, s.explain(fmt.Errorf("starting the server: %w", err))
	}
	return s, nil
}

// stop ends the process, waits for it, and returns what it used of processors,
// in seconds. It may be called again.
func (s *server) stop() (cpu float64) {
	_ = s.in.Close()                                                     // which ends it
	end := time.AfterFunc(patience, func() { _ = s.cmd.Process.Kill() }) // it may have ended
	defer end.Stop()
	_ = s.cmd.Wait() // how it ended says nothing once all is measured
	if p := s.cmd.ProcessState; p != nil {
		cpu = (p.UserTime() + p.SystemTime()).Seconds()
	}
	return cpu
}

// explain adds what the process said to an error.
func (s *server) explain(err error) error {
	if said := strings.TrimSpace(s.stderr.String()); said != "" {
		return fmt.Errorf("%w; the server said: %s", err, said)
	}
	return err
}

// read takes the next line of the process.
func (s *server) read(v any) error {
	if !s.out.Scan() {
		if err := s.out.Err(); err != nil {
			return err
		}
		return errors.New("the server has ended")
	}
	return json.Unmarshal(s.out.Bytes(), v)
}

// do gives a command and waits until it is understood.
func (s *server) do(c command) error {
	line, err := json.Marshal(c)
	if err != nil {
		return err
	}
	if _, err := s.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("telling the server: %w", err)
	}
	var a answer
	if err := s.read(&a); err != nil {
		return err
	}
	if a.Error != "" {
		return errors.New(a.Error)
	}
	return nil
}
