package bound

import (
	"os"
	"sync"
)

// pipes are the inputs that may never come: opening a named pipe waits for its
// writer, and reading one for what that has to say.
var pipes struct {
	sync.Mutex
	waiting int
	open    []*os.File
}

// openPipe opens a pipe so that Interrupt knows of it.
func openPipe(name string) (*os.File, error) {
	pipes.Lock()
	pipes.waiting++
	pipes.Unlock()
	f, err := os.Open(name)
	pipes.Lock()
	defer pipes.Unlock()
	pipes.waiting--
	if err == nil {
		pipes.open = append(pipes.open, f)
	}
	return f, err
}

// Interrupt closes every pipe that is being read, so that reading ends with
// os.ErrClosed. It reports whether one is still being opened: that waits for its
// writer and cannot be ended but with the process.
func Interrupt() (waits bool) {
	pipes.Lock()
	defer pipes.Unlock()
	for _, f := range pipes.open {
		_ = f.Close() // most are closed already
	}
	pipes.open = nil
	return pipes.waiting > 0
}
