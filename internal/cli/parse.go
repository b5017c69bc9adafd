package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"headway/internal/fault"
	"headway/internal/manual"
)

// Parse reads options from the command line, the environment and a YAML file,
// and leaves in the app what a verb may ask of them. done is set when all was
// said already (--help).
func (a *App) Parse() (v verb, done bool, err error) {
	args := a.Args[1:]
	if a.AsAiperf && len(args) > 0 && !strings.HasPrefix(args[0], "-") && args[0] != "profile" && args[0] != "plot" {
		return nil, false, fault.NotBuilt{What: "aiperf " + args[0], Instead: "profile and plot are built"}
	}
	if args, err = a.Grammar.Rewrite(a.Caller, args); err != nil {
		return nil, false, err
	}
	c, ok := a.readCalled(args)
	if !ok {
		c, err = a.readWhole(args)
	}
	if err != nil || c.done {
		return nil, c.done && err == nil, err
	}
	k := c.context
	v, ok = k.Selected().Target.Addr().Interface().(verb)
	if !ok {
		return nil, false, fault.New("%s needs a command; see headway %s %s", k.Selected().Name, k.Selected().Name,
			fault.Field("help"))
	}
	if g, ok := v.(ofGrammar); ok {
		g.grammar(manual.Of(k.Model))
	}
	a.Given, a.Named = given(k)
	a.Options, a.apart = optionsOfCall(k.Selected()), apart(k.Selected())
	return v, false, nil
}

// reading is what a grammar makes of arguments.
type reading struct {
	parser *kong.Kong
	args   []string // as the grammar has them
	// context is nil where all was said already, or the parser refused the arguments.
	context *kong.Context
	done    bool
	refused error
}

// read parses arguments.
func (a App) read(grammar any, args []string) (r reading, err error) {
	if r.parser, err = a.parserOf(grammar, &r.done); err != nil {
		return r, err
	}
	var dropped []string
	if r.args, dropped, err = Normalise(r.parser.Model.Node, args); err != nil {
		return r, err
	}
	a.noteIdle(dropped)
	switch {
	case len(r.args) == 0:
		r.args = []string{"--help"}
	case r.args[0] == "--version":
		r.args[0] = "version"
	}
	r.context, r.refused = r.parser.Parse(r.args)
	return r, nil
}

// readWhole parses arguments with the whole grammar, which knows of every fault what to
// do about it.
func (a App) readWhole(args []string) (reading, error) {
	r, err := a.read(a.Grammar.New(), args)
	if err == nil && !r.done && r.refused != nil {
		err = a.everyFault(r.args, suggest(r.refused, r.parser.Model.Node))
	}
	return r, err
}

// readCalled parses arguments with the command alone that they call. It is not ok where
// the whole grammar would read, or say, something else; then nothing was said.
func (a App) readCalled(args []string) (r reading, ok bool) {
	grammar := called(a.Grammar.New(), args)
	if grammar == nil {
		return r, false
	}
	a.Notes.Keep()
	defer a.Notes.Release()
	r, err := a.read(grammar, args)
	if ok = err == nil && (r.done || r.refused == nil && a.alone(r.context)); !ok {
		a.Notes.forget()
	}
	return r, ok
}

// alone says that a command needs no other one's options: it was kept whole, tells
// nothing of the grammar, and has no file of options, which may hold those of others.
func (a App) alone(k *kong.Context) bool {
	v := k.Selected().Target.Addr().Interface()
	_, runs := v.(verb)
	_, tells := v.(ofGrammar)
	path, err := a.configPath(k)
	return runs && !tells && path == "" && err == nil
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
		hint = Nearest(name, optionsOf(at).Names())
	}
	if hint == "" {
		hint = fmt.Sprintf("; see %s --help", commandName(at))
	}
	return fault.Usage(fmt.Errorf("unknown flag %s%s", text, hint))
}

// commandName is what a command is called by, without its aliases.
func commandName(n *kong.Node) string {
	name, _, _ := strings.Cut(n.FullPath(), " (")
	return name
}

// Parser is the parser of the grammar; done is set when all was said (--help).
func (a App) Parser(done *bool) (*kong.Kong, error) { return a.parserOf(a.Grammar.New(), done) }

func (a App) parserOf(grammar any, done *bool) (*kong.Kong, error) {
	return kong.New(grammar, append(a.decoders(),
		kong.Name("headway"),
		kong.Description("headway measures, routes and tunes LLM inference.\n\nheadway bench runs without an "+
			"endpoint: it then measures a simulated one. Every option can also be set by an environment variable "+
			"HEADWAY_<OPTION> (HEADWAY_ISL=512) or in a YAML file given with --config."),
		kong.Writers(a.Stdout, a.Stderr),
		kong.Exit(func(int) { *done = true }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 110}),
		kong.ValueFormatter(helpOf),
		kong.Resolvers(environment{a}),
		kong.Bind(a),
		kong.Vars{"version": Version},
	)...)
}

// helpOf is the help of a value, with the default of an option whose name for the value
// stands where kong would show it.
func helpOf(v *kong.Value) string {
	if v.Flag == nil || v.Flag.PlaceHolder == "" {
		return v.Help
	}
	return v.Help + manual.Usual(v.Help, v.Flag.Default)
}
