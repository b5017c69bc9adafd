package kubelet

import (
	"context"
	"sync"
	"time"
)

// lines is the log of one run of a container.
type lines struct {
	mu      sync.Mutex
	all     []line
	closed  bool
	changed chan struct{} // closed and replaced when something changes
}

type line struct {
	at   time.Time
	text string
}

func newLines() *lines { return &lines{changed: make(chan struct{})} }

func (l *lines) add(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, line{time.Now(), text})
	l.tell()
}

// close says that no more lines come.
func (l *lines) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.tell()
}

func (l *lines) tell() {
	close(l.changed)
	l.changed = make(chan struct{})
}

// from is the lines from number i on, and whether the log is closed.
func (l *lines) from(i int) (more []line, closed bool, changed <-chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.all[min(i, len(l.all)):], l.closed, l.changed
}

// read gives each line to write, from the last tail ones on (all where tail is
// negative), and goes on while it follows a log that is not closed.
func (l *lines) read(ctx context.Context, tail int, follow bool, write func(line) error) error {
	first, _, _ := l.from(0)
	next := 0
	if tail >= 0 {
		next = max(0, len(first)-tail)
	}
	for {
		more, closed, changed := l.from(next)
		for _, ln := range more {
			if err := write(ln); err != nil {
				return err
			}
		}
		next += len(more)
		if !follow || closed {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
