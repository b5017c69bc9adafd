package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"sigs.k8s.io/yaml"
)

// environment sets options from HEADWAY_* variables.
type environment struct{ app app }

// Validate finds variables that name no option, all of them at once.
func (e environment) Validate(m *kong.Application) error {
	names := optionNames(m.Node)
	var bad faultList
	var idle []string
	for _, kv := range e.app.environ {
		name, value, _ := strings.Cut(kv, "=")
		option, ours := strings.CutPrefix(name, "HEADWAY_")
		if !ours || value == "" || injected(name, value) {
			continue
		}
		option = strings.ReplaceAll(strings.ToLower(option), "_", "-")
		known := slices.Contains(names, option) || option == calibrationVariable
		switch err := checkBuilt(known, option, value); {
		case err != nil:
			bad.add("environment variable %s: %w", name, err)
		case isIdle(option, value):
			if !takesNone(option) {
				idle = append(idle, name)
			}
		case !known:
			bad.add("environment variable %s: there is no option --%s%s", name, option, nearest(option, names))
		}
	}
	if err := bad.err(); err != nil {
		return err
	}
	e.app.noteIdle(idle)
	return nil
}

// Kubernetes gives every pod variables of the services in its namespace; those
// of one named headway, or headway-something, look like ours.
var (
	serviceVariable = regexp.MustCompile(`^HEADWAY(_.+)?_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$`)
	serviceAddress  = regexp.MustCompile(`^(tcp|udp|sctp)://`)
)

// injected says that a variable describes a service and sets no option.
func injected(name, value string) bool {
	return serviceVariable.MatchString(name) || strings.HasSuffix(name, "_PORT") && serviceAddress.MatchString(value)
}

// Resolve gives an option's value from HEADWAY_<OPTION>, or from the name
// without that prefix which the option's env tag says.
func (e environment) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	if e.app.aside[flag.Name] {
		return nil, nil
	}
	names := append([]string{flag.Name}, flag.Aliases...)
	for _, n := range names {
		name := "HEADWAY_" + strings.ToUpper(strings.ReplaceAll(n, "-", "_"))
		if v := e.app.getenv(name); v != "" && !injected(name, v) {
			return v, nil
		}
	}
	if n := flag.Tag.Get("also"); n != "" {
		if v := e.app.getenv(n); v != "" {
			return v, nil
		}
	}
	return nil, nil
}

// configFile is the --config option: it adds the file's options to those that
// are looked up.
type configFile string

// BeforeResolve reads the file once the command line is known.
func (c configFile) BeforeResolve(a app, ctx *kong.Context, trace *kong.Path) error {
	path := string(ctx.FlagValue(trace.Flag).(configFile))
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("reading the configuration: %w", err)
	}
	values, idle, err := readYAML(b, optionNames(ctx.Model.Node))
	if err != nil {
		return fmt.Errorf("configuration %s: %w", path, err)
	}
	a.noteIdle(idle)
	env := environment{a}
	ctx.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		// kong takes the last resolver that knows a value; the environment
		// is to win over the file.
		if v, err := env.Resolve(nil, nil, flag); v != nil || err != nil || a.aside[flag.Name] {
			return nil, err
		}
		for _, n := range append([]string{flag.Name}, flag.Aliases...) {
			if v, ok := values[n]; ok {
				return v, nil
			}
		}
		return nil, nil
	}))
	return nil
}

// readYAML reads "option: value" pairs. It refuses names that are no option,
// all at once, and returns apart those that have no effect.
func readYAML(b []byte, names []string) (values map[string]any, idle []string, err error) {
	var raw map[string]json.RawMessage
	if err := yaml.UnmarshalStrict(b, &raw); err != nil {
		return nil, nil, err
	}
	values = map[string]any{}
	var bad faultList
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		name := strings.ReplaceAll(key, "_", "-")
		value, err := yamlValue(raw[key])
		text, _ := value.(string)
		known := slices.Contains(names, name)
		switch missing := checkBuilt(known, name, text); {
		case err != nil:
			bad.add("option %q: %w", key, err)
		case missing != nil:
			bad.add("option %q: %w", key, missing)
		case isIdle(name, text):
			if !takesNone(name) {
				idle = append(idle, name)
			}
		case !known:
			bad.add("there is no option %q%s", key, nearest(name, names))
		default:
			values[name] = value
		}
	}
	return values, idle, bad.err()
}

// yamlValue keeps lists and booleans and turns every other value into the
// text that the command line would have; an object stays JSON.
func yamlValue(v json.RawMessage) (any, error) {
	var x any
	if err := json.Unmarshal(v, &x); err != nil {
		return nil, err
	}
	switch x := x.(type) {
	case string:
		return x, nil
	case bool:
		return x, nil
	case nil:
		return nil, fmt.Errorf("has no value")
	case []any:
		list := make([]any, len(x))
		for i, e := range x {
			if s, ok := e.(string); ok {
				list[i] = s
				continue
			}
			text, err := json.Marshal(e)
			if err != nil {
				return nil, err
			}
			list[i] = string(text)
		}
		return list, nil
	}
	return string(v), nil
}

// optionNames are the names and aliases of every option of every command.
func optionNames(n *kong.Node) []string {
	var names []string
	for _, f := range n.Flags {
		names = append(append(names, f.Name), f.Aliases...)
	}
	for _, c := range n.Children {
		names = append(names, optionNames(c)...)
	}
	return names
}

// nearest suggests the known name that is fewest edits away.
func nearest(name string, known []string) string {
	best, distance := "", len(name)/2+1
	for _, k := range known {
		if d := edits(name, k); d < distance {
			best, distance = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean --%s?", best)
}

// edits is the Levenshtein distance.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
