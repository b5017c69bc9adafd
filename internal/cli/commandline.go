package cli

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"

	"headway/internal/options"
)

// word is one argument of the command line, with its value where it is an
// option that takes one.
type word struct {
	// text is what stands there, name the long option's name with hyphens;
	// name is empty for commands, values and short options.
	text, name string
	value      string
	// joined says that the value came as --name=value, apart that it is the
	// argument after.
	joined, apart bool
}

var negative = regexp.MustCompile(`^-[0-9.]+$`)

// splitWords tells options from their values, which takes the grammar: a value may
// look like an option. What stands after -- is no option.
func splitWords(root *kong.Node, args []string) (list []word, rest []string) {
	node := root
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			return list, args[i:]
		}
		w := word{text: a}
		var isOption bool
		w.name, isOption = optionName(a)
		_, w.value, w.joined = strings.Cut(a, "=")
		switch {
		case isOption && !w.joined && i+1 < len(args) && mayTake(node, w.name, args[i+1]):
			i++
			w.joined, w.value = true, args[i]
		case isOption && !w.joined:
			w.apart = takesValue(node, w.name)
		case !isOption && len(a) == 2 && a[0] == '-':
			w.apart = takesValue(node, a[1:])
		case !isOption:
			w.joined = false
			node = child(node, a)
		}
		if w.name == bareGPUs && w.apart && (i+1 == len(args) || strings.HasPrefix(args[i+1], "-")) {
			w.apart = false
			w.joined, w.value = true, options.Dashboard
		}
		if w.apart = w.apart && i+1 < len(args); w.apart {
			i++
			w.value = args[i]
		}
		list = append(list, w)
	}
	return list, nil
}

// bareGPUs is an option that aiperf takes with and without sources: without, it asks
// for a display of what is read anyhow.
const bareGPUs = "gpu-telemetry"

// args spells the word for the parser.
func (w word) args() []string {
	text := w.text
	if w.name != "" {
		text = "--" + w.name
	}
	switch {
	case w.name == "" && w.text == "-vv":
		return []string{"--verbose"}
	case w.joined:
		return []string{text + "=" + w.value}
	case w.apart && negative.MatchString(w.value):
		// A negative number looks like an option; it is a value to refuse with
		// all other faults.
		if w.name == "" {
			return []string{text + w.value}
		}
		return []string{text + "=" + w.value}
	case w.apart:
		return []string{text, w.value}
	}
	return []string{text}
}

// optionName is the name of a long option, with underscores as hyphens.
func optionName(arg string) (string, bool) {
	rest, ok := strings.CutPrefix(arg, "--")
	if !ok || rest == "" {
		return "", false
	}
	name, _, _ := strings.Cut(rest, "=")
	return strings.ReplaceAll(name, "_", "-"), true
}

// child is the command below n of that name, or n where there is none.
func child(n *kong.Node, name string) *kong.Node {
	for _, c := range n.Children {
		if c.Name == name || slices.Contains(c.Aliases, name) {
			return c
		}
	}
	return n
}

// Option is the option of a command, or of one above it; a short one by its
// letter.
func Option(n *kong.Node, name string) *kong.Flag {
	for ; n != nil; n = n.Parent {
		for _, f := range n.Flags {
			if f.Name == name || slices.Contains(f.Aliases, name) || f.Short != 0 && string(f.Short) == name {
				return f
			}
		}
	}
	return nil
}

// negated is --no-older as --no-name, where older is another name of an option
// that has a negation: the parser knows that of the first name only.
func negated(n *kong.Node, name string) string {
	positive, is := strings.CutPrefix(name, "no-")
	if !is || Option(n, name) != nil {
		return name
	}
	if f := Option(n, positive); f != nil && f.Tag.Negatable != "" {
		return "no-" + f.Name
	}
	return name
}

// takesValue says whether the next argument belongs to an option of n.
func takesValue(n *kong.Node, name string) bool {
	if takes, known := idleOption(name); known {
		return takes
	}
	if takesNone(name) || ofRecipe(name) {
		return true
	}
	f := Option(n, name)
	return f != nil && !f.IsBool() && !f.IsCounter()
}

// mayTake says whether the next argument is the value that an option of n may
// have and need not.
func mayTake(n *kong.Node, name, next string) bool {
	f := Option(n, name)
	if f == nil || !f.Target.CanAddr() {
		return false
	}
	v, ok := f.Target.Addr().Interface().(mayStandAlone)
	return ok && v.MayFollow(next)
}

// owners are the commands below n that have an option, by their full names.
func owners(n *kong.Node, name string) []string {
	var list []string
	for _, c := range n.Children {
		if slices.ContainsFunc(c.Flags, func(f *kong.Flag) bool {
			return f.Name == name || slices.Contains(f.Aliases, name) || f.Short != 0 && string(f.Short) == name
		}) {
			list = append(list, commandName(c))
		}
		list = append(list, owners(c, name)...)
	}
	return list
}

// given are the options that were set to something else than their default, and all
// that were set, wherever that was.
func given(k *kong.Context) (set, named map[string]bool) {
	set, named = map[string]bool{}, map[string]bool{}
	for _, p := range k.Path {
		if p.Flag == nil {
			continue
		}
		named[p.Flag.Name] = true
		if !isDefault(p.Flag) {
			set[p.Flag.Name] = true
		}
	}
	return set, named
}

func isDefault(f *kong.Flag) bool {
	if x := reflect.New(f.Target.Type()); f.HasDefault {
		if u, ok := x.Interface().(encoding.TextUnmarshaler); ok && u.UnmarshalText([]byte(f.Default)) == nil {
			return reflect.DeepEqual(x.Elem().Interface(), f.Target.Interface())
		}
	}
	return fmt.Sprint(f.Target.Interface()) == f.Default
}

// optionsOfCall are all options of a command as they stand when it is called, by
// name, but for the one that goes on with an earlier call, which asks for nothing
// else. Secrets are in it.
func optionsOfCall(n *kong.Node) func() (json.RawMessage, error) {
	return func() (json.RawMessage, error) {
		all := map[string]any{}
		for _, group := range n.AllFlags(false) {
			for _, f := range group {
				if f.Name != "help" && f.Name != "resume" && f.Target.Kind() != reflect.Func {
					all[f.Name] = f.Target.Interface()
				}
			}
		}
		text, err := json.Marshal(all)
		if err != nil {
			return nil, fmt.Errorf("describing the options: %w", err)
		}
		return text, nil
	}
}
