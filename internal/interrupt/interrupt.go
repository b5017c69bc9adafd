// Package interrupt turns the signals that end a program into the end of a
// context, so that it can write down what it has.
//
// Signals of one second are one interrupt: timeout(1) sends its signal to the
// child and to the group, 0.15 ms apart, and a terminal that closes sends more
// than one. A signal after that second is the user's impatience.
package interrupt

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Same is for how long after the first signal another one is the same
// interrupt.
const Same = time.Second

// Context is one that the first interrupt ends: SIGINT, SIGTERM, SIGHUP and
// SIGQUIT, the last two unless they are ignored when the program starts, as
// nohup(1) and shells ask for what runs in the background. SIGABRT still
// prints the stacks. first is called before the context ends, again on an
// interrupt a second later, both on a goroutine of their own. The caller calls
// stop; signals then do again what they do by default.
//
// A closed pipe at standard output or error ends the program no more: writing
// to it is an error like others, which must not cost what was measured.
func Context(first, again func()) (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGQUIT} {
		if !signal.Ignored(s) {
			signal.Notify(signals, s)
		}
	}
	pipes := make(chan os.Signal, 1) // nobody reads it: that it is there is enough
	signal.Notify(pipes, syscall.SIGPIPE)
	done := make(chan struct{})
	go listen(signals, done, func() { first(); cancel() }, again)
	return ctx, func() {
		signal.Stop(signals)
		signal.Stop(pipes)
		close(done)
		cancel()
	}
}

// listen calls first on the first signal and again on the first one that comes
// more than [Same] after it, and returns then or when done is closed.
func listen(signals <-chan os.Signal, done <-chan struct{}, first, again func()) {
	var since time.Time
	for {
		select {
		case <-done:
			return
		case <-signals:
		}
		switch {
		case since.IsZero():
			since = time.Now()
			first()
		case time.Since(since) > Same:
			again()
			return
		}
	}
}
