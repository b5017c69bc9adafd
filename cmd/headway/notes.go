package main

import (
	"fmt"
	"io"
	"sync"
)

// notes are the lines on standard error. While a live display owns the
// terminal they are held back, the last one shown as part of it, and printed
// when it is gone.
type notes struct {
	mu   sync.Mutex
	w    io.Writer
	hold int
	held []string
}

func (n *notes) print(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	line := fmt.Sprintf(format, args...)
	if n.hold > 0 {
		n.held = append(n.held, line)
		return
	}
	fmt.Fprintln(n.w, line)
}

// keep holds lines back until release.
func (n *notes) keep() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hold++
}

func (n *notes) release() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hold--; n.hold > 0 {
		return
	}
	for _, line := range n.held {
		fmt.Fprintln(n.w, line)
	}
	n.held = nil
}

// last is the newest line that is held back.
func (n *notes) last() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.held) == 0 {
		return ""
	}
	return n.held[len(n.held)-1]
}
