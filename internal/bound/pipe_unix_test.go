//go:build unix

package bound

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// A pipe without a writer is known to be waited for; one whose writer says
// nothing can be given up.
func TestInterruptPipes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	if Interrupt() {
		t.Fatal("a pipe is waited for before one was opened")
	}
	read := make(chan error)
	opened := make(chan struct{})
	go func() {
		f, err := Open(path)
		close(opened)
		if err == nil {
			_, err = f.Read(make([]byte, 1))
		}
		read <- err
	}()
	for !Interrupt() {
		runtime.Gosched()
	}
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	<-opened
	if Interrupt() {
		t.Error("an open pipe is waited for")
	}
	if err := <-read; !errors.Is(err, os.ErrClosed) {
		t.Errorf("reading ended with %v", err)
	}
}
