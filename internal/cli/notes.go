package cli

import (
	"fmt"
	"io"
	"sync"

	"headway/internal/fault"
	"headway/internal/plain"
	"headway/internal/secret"
	"headway/internal/web"
)

// Notes are the lines on standard error. While a live display owns the
// terminal they are held back, the last one shown as part of it, and printed
// when it is gone.
type Notes struct {
	mu      sync.Mutex
	W       io.Writer
	secrets secret.Redactor // of the command line
	hold    int
	held    []string
	said    map[string]bool // by Once
	page    *web.Live       // has every line, too, but those of Aside; nil has none
}

// Once prints a line that was not printed by it before.
func (n *Notes) Once(format string, args ...any) {
	n.mu.Lock()
	line := fmt.Sprintf(format, n.clean(args)...)
	before := n.said[line]
	if n.said == nil {
		n.said = make(map[string]bool)
	}
	n.said[line] = true
	n.mu.Unlock()
	if !before {
		n.print("%s", line)
	}
}

// clean makes texts of others fit for a line.
func (n *Notes) clean(args []any) []any {
	for i, a := range args {
		if err, ok := a.(error); ok {
			args[i] = fault.Named(err, FlagOf).Error()
		}
		if s, ok := args[i].(string); ok {
			args[i] = n.secrets.Values(s)
		}
	}
	return plain.Args(args)
}

// print writes a line. Texts among the arguments cannot add lines of their own.
func (n *Notes) print(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.page.Say(n.write(format, args))
}

// Aside prints a line that the page of the call shows in another way.
func (n *Notes) Aside(format string, args ...any) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.write(format, args)
}

// write prints a line, or holds it back; the lock is held.
func (n *Notes) write(format string, args []any) (line string) {
	// Secrets go before the line ends that may stand in them.
	line = n.secrets.Values(fmt.Sprintf(format, n.clean(args)...))
	if n.hold > 0 {
		n.held = append(n.held, line)
		return line
	}
	fmt.Fprintln(n.W, line)
	return line
}

// Keep holds lines back until Release.
func (n *Notes) Keep() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hold++
}

// Release prints what was held back.
func (n *Notes) Release() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.hold--; n.hold > 0 {
		return
	}
	for _, line := range n.held {
		fmt.Fprintln(n.W, line)
	}
	n.held = nil
}

// forget drops what is held back.
func (n *Notes) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.held = nil
}

// Last is the newest line that is held back.
func (n *Notes) Last() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if len(n.held) == 0 {
		return ""
	}
	return n.held[len(n.held)-1]
}

// FlagOf is the flag that stands for a field of a configuration.
func FlagOf(field fault.Field) string { return "--" + string(field) }

// Silent is the app without notes.
func (a App) Silent() App {
	a.Notes = &Notes{W: io.Discard}
	return a
}

// NoteOnce prints a line that was not printed by it before.
func (a App) NoteOnce(format string, args ...any) { a.Notes.Once(format, args...) }
