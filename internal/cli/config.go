package cli

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"headway/internal/config"
	"headway/internal/fault"
	"headway/internal/options"
)

// environment sets options from HEADWAY_* variables.
type environment struct{ app App }

// Validate finds variables that name no option, all of them at once.
func (e environment) Validate(m *kong.Application) error {
	have := optionsOf(m.Node)
	var bad fault.List
	var idle []string
	for _, kv := range e.app.Environ {
		name, value, _ := strings.Cut(kv, "=")
		option, ours := strings.CutPrefix(name, "HEADWAY_")
		if !ours || value == "" || Injected(name, value) {
			continue
		}
		option = strings.ReplaceAll(strings.ToLower(option), "_", "-")
		known := have.Has(option) || option == options.CalibrationVariable || option == options.TokenizerVariable
		switch err := checkBuilt(known, option, value); {
		case err != nil:
			bad.Add("environment variable %s: %w", name, err)
		case isIdle(option, value):
			if !takesNone(option) {
				idle = append(idle, name)
			}
		case !known:
			bad.Add("environment variable %s: there is no option --%s%s", name, option, Nearest(option, have.Names()))
		}
	}
	if err := bad.Usage(); err != nil {
		return err
	}
	e.app.noteIdle(idle)
	return nil
}

// Kubernetes gives every pod variables of the services in its namespace; those
// of one named headway, or headway-something, look like ours.
var (
	serviceVariable = regexp.MustCompile(`^HEADWAY(_.+)?_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_[0-9]+_(TCP|UDP|` +
		`SCTP)(_(PROTO|PORT|ADDR))?)$`)
	serviceAddress = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

// Injected says that a variable describes a service and sets no option.
func Injected(name, value string) bool {
	return serviceVariable.MatchString(name) || strings.HasSuffix(name, "_PORT") && serviceAddress.MatchString(value)
}

// Resolve gives an option's value from HEADWAY_<OPTION>, or from the name
// without that prefix which the option's env tag says. Two variables that set
// one option to different values are an error: neither is the later.
func (e environment) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if e.app.aside[flag.Name] {
		return nil, nil
	}
	var from, value string
	for _, name := range variables(flag) {
		v := e.app.Getenv(name)
		switch {
		case v == "" || Injected(name, v):
		case from == "":
			from, value = name, v
		case v != value:
			return nil, fmt.Errorf("the environment variables %s and %s set it to different values: unset one",
				from, name)
		}
	}
	if n := flag.Tag.Get("also"); n != "" && from == "" {
		from, value = n, e.app.Getenv(n)
	}
	if value == "" {
		return nil, nil
	}
	if err := tryValue(flag, value); err != nil {
		return nil, fmt.Errorf("environment variable %s: %w", from, err)
	}
	return value, nil
}

// variables are the names under which the environment may set an option.
func variables(flag *kong.Flag) []string {
	names := append([]string{flag.Name}, flag.Aliases...)
	for i, n := range names {
		names[i] = "HEADWAY_" + strings.ToUpper(strings.ReplaceAll(n, "-", "_"))
	}
	return names
}

// ConfigFile is the value of --config.
type ConfigFile string

// configPath is the file that --config or HEADWAY_CONFIG names, "" for none.
func (a App) configPath(ctx *kong.Context) (string, error) {
	for _, f := range ctx.Model.Flags {
		if f.Name != "config" {
			continue
		}
		if path := string(ctx.FlagValue(f).(ConfigFile)); path != "" {
			return path, nil
		}
		path, err := config.ExpandHome(a.Getenv("HEADWAY_CONFIG"), a.Getenv)
		if err != nil {
			err = fmt.Errorf("environment variable HEADWAY_CONFIG: %w", err)
		}
		return path, err
	}
	return "", nil
}

// optionsFile is where options are looked up that --config names.
type optionsFile struct {
	app      App
	path     string
	options  config.Options
	settings []config.Setting
}

// located puts the file's name and the line before what is wrong.
func (f optionsFile) located(err error) error {
	if at := (*config.Fault)(nil); errors.As(err, &at) && at.Line > 0 {
		return fmt.Errorf("%s:%d: %w", f.path, at.Line, at.Err)
	}
	return fmt.Errorf("configuration %s: %w", f.path, err)
}

// check keeps the settings that have an effect and returns apart the names of
// those that have none. The error has every fault, those of reading included.
func (f optionsFile) check(settings []config.Setting, read error) (kept []config.Setting, idle []string, err error) {
	var bad fault.List
	faults := config.Twice(settings, f.options)
	if joined, ok := read.(interface{ Unwrap() []error }); ok {
		faults = append(faults, joined.Unwrap()...)
	} else if read != nil {
		faults = append(faults, read)
	}
	for _, err := range faults {
		bad = append(bad, f.located(err))
	}
	for _, s := range settings {
		steers, err := f.judge(s)
		switch {
		case err != nil:
			bad = append(bad, f.located(&config.Fault{Line: s.Line, Err: err}))
		case steers:
			kept = append(kept, s)
		case !takesNone(s.Name):
			idle = append(idle, s.Name)
		}
	}
	return kept, idle, bad.Usage()
}

// judge says whether a setting has an effect.
func (f optionsFile) judge(s config.Setting) (steers bool, err error) {
	known := f.options.Has(s.Name)
	missing := checkBuilt(known, s.Name, s.Text)
	switch {
	case s.Name == "config" || s.Name == "help":
		return false, fmt.Errorf("%s: not an option of a file: a configuration names no other, write its options here",
			s.Key)
	case missing != nil:
		return false, fmt.Errorf("option %q: %w", s.Key, missing)
	case isIdle(s.Name, s.Text):
		return false, nil
	case !known:
		return false, fmt.Errorf("there is no option %q%s", s.Key, Nearest(s.Name, f.options.Names()))
	}
	return true, nil
}

// Validate has nothing to do: check has done it.
func (f optionsFile) Validate(*kong.Application) error { return nil }

// Resolve gives an option's value. kong takes the last resolver that knows one,
// and the environment is to win over the file.
func (f optionsFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if v, err := (environment{f.app}).Resolve(nil, nil, flag); v != nil || err != nil || f.app.aside[flag.Name] {
		return nil, err
	}
	for _, s := range f.settings {
		if s.Name != flag.Name && !slices.Contains(flag.Aliases, s.Name) {
			continue
		}
		v, err := valueFor(flag, s)
		if err == nil {
			err = tryValue(flag, v)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %s: %w", f.path, s.Line, s.Key, err)
		}
		return v, nil
	}
	return nil, nil
}

// valueFor is a setting as the parser takes it: lists go to options that take
// lists, mappings to those that take JSON.
func valueFor(flag *kong.Flag, s config.Setting) (any, error) {
	list := flag.Target.Kind() == reflect.Slice
	switch {
	case s.Mappings && flag.Name != "extra-inputs":
		return nil, errors.New("takes text, not a mapping: put it in quotes, as in \"Name: value\"")
	case s.Kind == config.List && !list:
		return nil, errors.New("takes one value, not a list")
	case s.Kind != config.List:
		return s.Text, nil
	case flag.Target.Type() != reflect.TypeFor[[]string]():
		return strings.Join(s.List, ","), nil
	}
	all := make([]any, len(s.List))
	for i, e := range s.List {
		all[i] = e
	}
	return all, nil
}

// optionsOf are the options of every command, each with all its names.
func optionsOf(n *kong.Node) config.Options {
	var all config.Options
	for _, f := range n.Flags {
		all = append(all, append([]string{f.Name}, f.Aliases...))
	}
	for _, c := range n.Children {
		all = append(all, optionsOf(c)...)
	}
	return all
}

// Nearest suggests the known name that is fewest edits away.
func Nearest(name string, known []string) string {
	best := config.Nearest(name, known)
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean --%s?", best)
}

// ReadConfig reads the file of options, once the command line is known, and
// adds it to where values are looked up.
func (a App) ReadConfig(ctx *kong.Context) error {
	path, err := a.configPath(ctx)
	if path == "" || err != nil {
		return err
	}
	settings, err := config.Read(path)
	f := optionsFile{app: a, path: path, options: optionsOf(ctx.Model.Node)}
	if settings == nil && err != nil {
		return fault.Usage(f.located(err))
	}
	var idle []string
	if f.settings, idle, err = f.check(settings, err); err != nil {
		return err
	}
	a.noteIdle(idle)
	ctx.AddResolver(f)
	return nil
}
