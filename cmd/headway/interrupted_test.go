package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"headway/internal/cli"
)

// endedVerb is one that an interrupt ends where it stands: what it was writing
// to is taken from it, and it goes on until the process has ended.
type endedVerb struct{ exited chan struct{} }

func (endedVerb) EndsAtOnce() {}

func (v endedVerb) Run(context.Context, cli.App) (int, error) {
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Signal(os.Interrupt)
	}
	if err != nil {
		return cli.Done, err
	}
	<-v.exited
	return cli.Failed, errors.New("file already closed")
}

// An interrupt is told by its exit code, not by what fails because of it.
func TestInterruptAtOnce(t *testing.T) {
	var out, errs bytes.Buffer
	v := endedVerb{make(chan struct{})}
	a := cli.App{Args: []string{"headway"}, Stdout: &out, Stderr: &errs, Exit: func(int) { close(v.exited) }}.Fenced()
	if code := a.Do(v); code != cli.Interrupted || errs.Len() > 0 {
		t.Errorf("code %d, %q", code, errs.String())
	}
}

// A folder that is not there is a mistake, and is not made.
func TestRecoverOfNoFolder(t *testing.T) {
	var out, errs bytes.Buffer
	dir := filepath.Join(t.TempDir(), "none")
	code := Main(cli.App{Args: []string{"headway", "report", "--recover", dir}, Stdout: &out, Stderr: &errs,
		Exit: func(int) {}})
	if _, err := os.Stat(dir); code != cli.Usage || err == nil {
		t.Errorf("code %d, %q, %v", code, errs.String(), err)
	}
}
