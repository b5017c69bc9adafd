package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is headway's own; it stands in every result.
const version = "0.1.0"

// The exit codes.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitMissed      = 3
	exitInvalid     = 4
	exitUndecided   = 5
	exitInterrupted = 130
)

// app is the program's surroundings, so that tests can run it in process.
type app struct {
	args           []string
	stdout, stderr io.Writer
	environ        []string
	// exit ends the process at once, for the second interrupt.
	exit  func(int)
	notes *notes
	// asAiperf is set when the program was started under that name.
	asAiperf bool
	// given are the options that were set to other than their default, and
	// options all of the verb as they stand when it is called; see parse.
	given   map[string]bool
	options func() (json.RawMessage, error)
	// aside are options of which no value is looked up; see everyFault.
	aside map[string]bool
}

func (a app) getenv(name string) string {
	v, _ := a.lookupenv(name)
	return v
}

func (a app) lookupenv(name string) (value string, set bool) {
	for i := len(a.environ) - 1; i >= 0; i-- {
		if v, ok := strings.CutPrefix(a.environ[i], name+"="); ok {
			return v, true
		}
	}
	return "", false
}

func (a app) note(format string, args ...any) { a.notes.print(format, args...) }

// cli is the grammar of the command line.
type cli struct {
	Config configFile `name:"config" short:"f" placeholder:"FILE" help:"YAML file with options (option: value); environment and command line win over it."`

	Bench      benchCmd      `cmd:"" help:"Sweep concurrency levels over an endpoint. Without --endpoint-url, over a simulated one."`
	Run        runCmd        `cmd:"" help:"One measurement, with the options of 'aiperf profile'."`
	Profile    profileCmd    `cmd:"" help:"Profile an engine in depth, and ask a profile."`
	Plot       plotCmd       `cmd:"" help:"Draw pictures of the results in a folder."`
	Sim        simCmd        `cmd:"" help:"The simulated endpoint."`
	Trace      traceCmd      `cmd:"" help:"Describe, draw and convert traces."`
	Router     routerCmd     `cmd:"" help:"Benchmark the routing of requests: what does KV-aware routing gain?"`
	Calibrate  calibrateCmd  `cmd:"" help:"Find out what this machine can carry as a client, and keep it for later runs."`
	Carried    carriedCmd    `cmd:"" name:"calibrate-server" hidden:"" help:"The server that calibrate starts."`
	Completion completionCmd `cmd:"" help:"Print the shell's completion script."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
}

// verb is what a subcommand does. The code is the exit code when err is nil.
type verb interface {
	run(ctx context.Context, a app) (code int, err error)
}

// server is a verb whose usual end is an interrupt.
type server interface{ servesUntilInterrupted() }

// Main runs the program and returns its exit code.
func Main(a app) int {
	a.asAiperf = strings.TrimSuffix(filepath.Base(a.args[0]), ".exe") == "aiperf"
	a.notes = &notes{w: a.stderr}
	code := a.main()
	if a.asAiperf && code > exitUsage {
		return exitFailed
	}
	return code
}

func (a app) main() int {
	v, done, err := (&a).parse()
	if err != nil || done {
		return a.report(exitUsage, err)
	}
	note := "interrupted: nothing more is sent, what was measured is written; a second interrupt stops at once"
	_, serves := v.(server)
	if serves {
		note = "stopping; a second interrupt stops at once"
	}
	ctx, stop := a.interruptible(note)
	defer stop()
	code, err := v.run(ctx, a)
	if ctx.Err() != nil && !serves {
		a.report(exitInterrupted, err)
		return exitInterrupted
	}
	return a.report(code, err)
}

// report prints an error and picks the exit code that goes with it.
func (a app) report(code int, err error) int {
	if err == nil {
		if code == exitUsage {
			return exitDone // --help and the like
		}
		return code
	}
	for _, line := range strings.Split(err.Error(), "\n") {
		a.note("headway: %s", line)
	}
	var usage usageError
	var missing notBuilt
	switch {
	case errors.As(err, &usage), errors.As(err, &missing), code == exitUsage:
		return exitUsage
	case code == exitDone:
		return exitFailed
	}
	return code
}

// parse reads options from the command line, the environment and a YAML file,
// and leaves in the app what a verb may ask of them. done is set when all was
// said already (--help).
func (a *app) parse() (v verb, done bool, err error) {
	args := a.args[1:]
	if a.asAiperf && len(args) > 0 && !strings.HasPrefix(args[0], "-") && args[0] != "profile" && args[0] != "plot" {
		return nil, false, notBuilt{"aiperf " + args[0], "profile and plot are built"}
	}
	if args, err = a.profileOf(args); err != nil {
		return nil, false, err
	}
	if args, err = slaArguments(args); err != nil {
		return nil, false, err
	}
	var c cli
	parser, err := a.parser(&c, &done)
	if err != nil {
		return nil, false, err
	}
	args, dropped, err := normalise(parser.Model.Node, args)
	if err != nil {
		return nil, false, err
	}
	a.noteIdle(dropped)
	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case args[0] == "--version":
		args[0] = "version"
	}
	k, err := parser.Parse(args)
	if done {
		return nil, true, nil
	}
	if err != nil {
		return nil, false, a.everyFault(args, suggest(err, parser.Model.Node))
	}
	v, ok := k.Selected().Target.Addr().Interface().(verb)
	if !ok {
		return nil, false, fmt.Errorf("%s needs a command; see headway %s --help", k.Selected().Name, k.Selected().Name)
	}
	if comp, ok := v.(*completionCmd); ok {
		comp.model = k.Model
	}
	a.given, a.options = given(k), options(k.Selected())
	return v, false, nil
}

// noteIdle says which options steer nothing.
func (a app) noteIdle(names []string) {
	if len(names) > 0 {
		a.note("note: %s: no effect, headway has no such processes or services", strings.Join(names, " "))
	}
}

// suggest says of an unknown option which command has it, or the nearest one
// of the command that was called. kong's own candidates are those that begin
// alike, which for a single letter are many.
func suggest(err error, root *kong.Node) error {
	text, unknown := strings.CutPrefix(err.Error(), "unknown flag ")
	if !unknown {
		return err
	}
	text, _, _ = strings.Cut(text, ",")
	at := root
	var parsing *kong.ParseError
	if errors.As(err, &parsing) && parsing.Context != nil && parsing.Context.Selected() != nil {
		at = parsing.Context.Selected()
	}
	name := strings.TrimLeft(text, "-")
	if !strings.HasPrefix(text, "-") {
		text = map[bool]string{true: "-", false: "--"}[len(name) == 1] + name
	}
	hint := ""
	if has := owners(root, name); len(has) > 0 && at != root {
		hint = fmt.Sprintf("; %s does not have it, it belongs to %s", commandName(at), strings.Join(has, ", "))
	} else if len(name) > 1 {
		hint = nearest(name, optionNames(at))
	}
	if hint == "" {
		hint = fmt.Sprintf("; see %s --help", commandName(at))
	}
	return usageError{fmt.Errorf("unknown flag %s%s", text, hint)}
}

// commandName is what a command is called by, without its aliases.
func commandName(n *kong.Node) string {
	name, _, _ := strings.Cut(n.FullPath(), " (")
	return name
}

func (a app) parser(c *cli, done *bool) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("headway"),
		kong.Description("headway measures, routes and tunes LLM inference.\n\nheadway bench runs without an endpoint: it then measures a simulated one. Every option can also be set by an environment variable HEADWAY_<OPTION> (HEADWAY_ISL=512) or in a YAML file given with --config."),
		kong.Writers(a.stdout, a.stderr),
		kong.Exit(func(int) { *done = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.Resolvers(environment{a}),
		kong.Bind(a),
		kong.Vars{"version": version},
	)
}

// interruptible is a context that the first interrupt ends and the second
// leaves no time for.
func (a app) interruptible(note string) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	finished := make(chan struct{})
	go func() {
		for n := 0; ; n++ {
			select {
			case <-signals:
			case <-finished:
				return
			}
			if n > 0 {
				a.exit(exitInterrupted)
				return
			}
			a.note("%s", note)
			cancel()
		}
	}()
	return ctx, func() { signal.Stop(signals); close(finished); cancel() }
}

type versionCmd struct{}

func (versionCmd) run(_ context.Context, a app) (int, error) {
	fmt.Fprintf(a.stdout, "headway %s\n", version)
	return exitDone, nil
}
