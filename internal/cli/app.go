package cli

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"

	"headway/internal/bound"
	"headway/internal/fault"
	"headway/internal/interrupt"
	"headway/internal/manual"
	"headway/internal/options"
	"headway/internal/plain"
	"headway/internal/secret"
	"headway/internal/terminal"
	"headway/report"
)

// Version is headway's own; it stands in every result.
const Version = "0.1.0"

// The exit codes; Exits says what they mean.
const (
	Done        = 0
	Failed      = 1
	Usage       = 2
	Missed      = 3
	Invalid     = 4
	Undecided   = 5
	Interrupted = 130
)

// Exits are the exit codes with their meanings, as the manual has them.
func Exits() []manual.Exit {
	return []manual.Exit{
		{Code: Done, Meaning: "Done."},
		{Code: Failed, Meaning: "Failed."},
		{Code: Usage, Meaning: "The command line, or a file that it names, is not as it must be; nothing was sent."},
		{Code: Missed, Meaning: "An objective or a gate was missed, or more requests failed than --fail-above allows."},
		{Code: Invalid, Meaning: "The measurement is not valid: the client was the bottleneck."},
		{Code: Undecided, Meaning: "The measurement does not decide an objective, or a gate with --strict."},
		{Code: Interrupted, Meaning: "Interrupted."},
	}
}

// App is the program's surroundings, so that tests can run it in process.
type App struct {
	options.Caller
	Args           []string
	Stdout, Stderr io.Writer
	// outFile and errFile are those two where they are files: what is shown goes
	// through a fence (see Fenced), only the live display draws on the terminal.
	outFile, errFile *os.File
	// Exit ends the process at once, for the second interrupt.
	Exit  func(int)
	Notes *Notes
	page  *page // on which a browser follows the call; see Open
	// others are told of its measurements; see Open.
	others *others
	// Options are all of the verb as they stand when it is called; see Parse.
	Options func() (json.RawMessage, error)
	// Grammar is what commands there are.
	Grammar Commands
	// apart are options of the verb that two calls need not have in common, by name.
	apart map[string]string
	// aside are options of which no value is looked up; see everyFault.
	aside map[string]bool
}

// Note prints a line on standard error; texts among the arguments add none.
func (a App) Note(format string, args ...any) { a.Notes.print(format, args...) }

// Commands is what commands there are.
type Commands struct {
	// New is a new grammar: a pointer to a struct of commands, for the parser.
	New func() any
	// Rewrite spells arguments as the grammar has them, before they are parsed.
	Rewrite func(c options.Caller, args []string) ([]string, error)
	// Results shows a folder of results to a browser; nil where nothing does.
	Results func(dir string) http.Handler
}

// verb is what a subcommand does. The code is the exit code when err is nil.
type verb interface {
	Run(ctx context.Context, a App) (code int, err error)
}

// server is a verb whose usual end is an interrupt.
type server interface{ ServesUntilInterrupted() }

// atOnce is a verb that an interrupt ends where it stands: it measures nothing,
// and its files appear when they are whole.
type atOnce interface{ EndsAtOnce() }

// Main runs the program and returns its exit code.
func Main(a App) int {
	a.AsAiperf = strings.TrimSuffix(filepath.Base(a.Args[0]), ".exe") == "aiperf"
	bound.Heed()
	a = a.Fenced()
	code := a.main()
	if a.AsAiperf && code > Usage {
		return Failed
	}
	return code
}

// Fenced puts a fence before both outputs: nothing that a server, a file or a
// name says steers the terminal, and no secret of the command line or the
// environment stands in what is said on standard error.
func (a App) Fenced() App {
	a.outFile, _ = a.Stdout.(*os.File)
	a.errFile, _ = a.Stderr.(*os.File)
	a.Stdout, a.Stderr = plain.NewWriter(a.Stdout, a.color()), plain.NewWriter(a.Stderr, false)
	a.Notes = &Notes{W: a.Stderr,
		secrets: secret.InArgs(append(a.Args[1:len(a.Args):len(a.Args)], secretSettings(a.Environ)...))}
	a.page, a.others = &page{}, &others{}
	return a
}

// secretSettings are the variables of the environment that may hold secrets of
// ours, as the options that they stand for.
func secretSettings(environ []string) []string {
	var args []string
	for _, e := range environ {
		name, value, _ := strings.Cut(e, "=")
		for _, prefix := range []string{"HEADWAY_", "OPENAI_", "HF_", "HUGGING_FACE_"} {
			if option, ok := strings.CutPrefix(name, prefix); ok {
				args = append(args, "--"+strings.ToLower(strings.ReplaceAll(option, "_", "-"))+"="+value)
			}
		}
	}
	return args
}

func (a App) main() int {
	v, done, err := (&a).Parse()
	if err != nil || done {
		return a.report(Usage, err)
	}
	return a.Do(v)
}

// Do runs a verb until it ends or is interrupted, and returns the exit code. A page of
// the call may stay for a while after it.
func (a App) Do(v verb) int {
	code := a.do(v)
	a.page.end(a, code != Failed && code != Usage && code != Interrupted)
	return code
}

func (a App) do(v verb) int {
	ctx, stop, ending := a.interruptible(v)
	defer stop()
	_, serves := v.(server)
	code, err := v.Run(ctx, a)
	if ending() {
		return Interrupted // what it says is that its files were taken from it
	}
	interrupted := ctx.Err() != nil && !serves
	if interrupted {
		code = Interrupted
		a.report(code, err)
	} else {
		code = a.report(code, err)
	}
	a.others.end(ctx, err) // its warnings come last
	return code
}

// report prints an error and picks the exit code that goes with it.
func (a App) report(code int, err error) int {
	if err == nil {
		if code == Usage {
			return Done // --help and the like
		}
		return code
	}
	if readerLeft(err) {
		return Failed
	}
	for _, line := range strings.Split(fault.Named(err, FlagOf).Error(), "\n") {
		a.Note("headway: %s", line)
	}
	var usage fault.UsageError
	var missing fault.NotBuilt
	switch {
	case errors.As(err, &usage), errors.As(err, &missing), code == Usage:
		return Usage
	case code == Done:
		return Failed
	}
	return code
}

// readerLeft says that all that went wrong is that nobody reads standard output
// any more, as in headway … | head, of which nobody wants to hear.
func readerLeft(err error) bool {
	var at *fs.PathError
	if many, joined := err.(interface{ Unwrap() []error }); joined {
		all := many.Unwrap()
		return len(all) > 0 && !slices.ContainsFunc(all, func(e error) bool { return !readerLeft(e) })
	}
	return errors.As(err, &at) && at.Path == os.Stdout.Name() && errors.Is(err, syscall.EPIPE)
}

// interruptible is a context that the first interrupt ends and a second one
// leaves no time for.
func (a App) interruptible(v verb) (ctx context.Context, stop func(), ending func() bool) {
	var atOnceNow atomic.Bool
	now := func() { atOnceNow.Store(true); report.Discard(); a.Exit(Interrupted) }
	note := "interrupted: nothing more is sent, what was measured is written; another interrupt after a second " +
		"stops at once"
	switch v.(type) {
	case server:
		note = "stopping; another interrupt after a second stops at once"
	case atOnce:
		ctx, stop = interrupt.Context(now, now)
		return ctx, stop, atOnceNow.Load
	}
	ctx, stop = interrupt.Context(func() {
		if bound.Interrupt() {
			now() // an input that has not come yet: nothing was measured
			return
		}
		a.Note("%s", note)
	}, now)
	return ctx, stop, atOnceNow.Load
}

// File is where the live display draws, nil where standard error is no file.
func (a App) File() *os.File { return a.errFile }

// Page is how tables are shown on standard output; name is of what was measured,
// where there is more than one.
func (a App) Page(name string) report.ConsoleOptions {
	return report.ConsoleOptions{Name: name, Width: terminal.Columns(a.outFile, a.Getenv("COLUMNS")), Color: a.color()}
}

func (a App) color() bool {
	return a.outFile != nil && terminal.IsTerminal(a.outFile) && a.Getenv("NO_COLOR") == ""
}
