package dgd

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// argument is one argument of an engine.
type argument struct {
	value string
	// origin is its index among what was read; -1 for a new one.
	origin int
}

// commandLine is what starts an engine: its container's command and args, or
// the part of a shell script that does.
type commandLine struct {
	list []argument
	// first is the index in list behind the module's name, and module that
	// name: dynamo.vllm.
	first  int
	module string
	// items is what was read, the first command of them the container's
	// command, the others its args.
	items   []string
	command int
	// shell says that items[script] is a shell's script; words are its words,
	// and further ones go at end.
	shell  bool
	script int
	words  []word
	end    int
	// joined says that args is one text and no list.
	joined bool
}

// readCommandLine reads what a container starts, and finds the Python module
// whose name begins with "dynamo." in it.
func readCommandLine(object map[string]any, container path) (*commandLine, error) {
	command, err := stringsAt(object, container.plus("command"))
	if err != nil {
		return nil, err
	}
	c := &commandLine{items: command, command: len(command)}
	args, _ := lookup(object, container.plus("args"))
	if s, ok := args.(string); ok {
		c.items, c.joined = append(c.items, s), true
	} else {
		list, err := stringsAt(object, container.plus("args"))
		if err != nil {
			return nil, err
		}
		c.items = append(c.items, list...)
	}
	if c.script = scriptIndex(c.items, c.command); c.script >= 0 {
		if err := c.readScript(); err != nil {
			return nil, fmt.Errorf("%s, the script %q: %w", container, clip(c.items[c.script]), err)
		}
		return c, nil
	}
	for i, s := range c.items {
		c.list = append(c.list, splitItem(s, i)...)
	}
	c.findModule()
	return c, nil
}

// scriptIndex is which item is a shell's script: the one behind sh -c, or one
// text that holds a whole command; -1 for none.
func scriptIndex(items []string, command int) int {
	for i, s := range items {
		base := s[strings.LastIndexByte(s, '/')+1:]
		if slices.Contains([]string{"sh", "bash", "dash", "ash", "zsh"}, base) && i == 0 {
			for j := 1; j+1 < len(items) && strings.HasPrefix(items[j], "-"); j++ {
				if !strings.HasPrefix(items[j], "--") && strings.Contains(items[j], "c") {
					return j + 1
				}
			}
		}
	}
	if command == 0 && len(items) == 1 && strings.Contains(items[0], " ") && !strings.HasPrefix(items[0], "-") {
		return 0
	}
	return -1
}

func (c *commandLine) readScript() error {
	c.shell = true
	commands, err := splitScript(c.items[c.script])
	if err != nil {
		return err
	}
	for _, s := range commands {
		if !slices.ContainsFunc(s.words, func(w word) bool { return strings.HasPrefix(w.value, "dynamo.") }) {
			continue
		}
		if c.module != "" {
			return errors.New("it starts more than one module of Dynamo")
		}
		c.words, c.end = s.words, s.end
		for i, w := range s.words {
			c.list = append(c.list, argument{w.value, i})
		}
		c.findModule()
	}
	return nil
}

// findModule looks for the module among the arguments.
func (c *commandLine) findModule() {
	c.first = 0
	for i, a := range c.list {
		if strings.HasPrefix(a.value, "dynamo.") {
			c.module, c.first = a.value, i+1
			return
		}
	}
}

// splitItem gives the arguments of one item: itself, or the flag and its value
// where they were written as one. JSON stays whole.
func splitItem(s string, origin int) []argument {
	whole := []argument{{s, origin}}
	flag, rest, spaced := strings.Cut(s, " ")
	if !strings.HasPrefix(s, "-") || !spaced || strings.Contains(flag, "=") {
		return whole
	}
	if rest = strings.TrimSpace(rest); json.Valid([]byte(rest)) {
		return []argument{{flag, origin}, {rest, -1}}
	}
	commands, err := splitScript(s)
	if err != nil || len(commands) != 1 {
		return whole
	}
	var out []argument
	for i, w := range commands[0].words {
		a := argument{w.value, -1}
		if i == 0 {
			a.origin = origin
		}
		out = append(out, a)
	}
	return out
}

// flagName is the name of a flag as it is compared: underscores are hyphens,
// and what stands behind = is cut off. "" for what is no flag.
func flagName(s string) string {
	if !strings.HasPrefix(s, "-") || s == "-" || digits(strings.Trim(s, "-.")) {
		return ""
	}
	name, _, _ := strings.Cut(s, "=")
	return strings.ReplaceAll(name, "_", "-")
}

// index is where the first flag of these names is, from a place on; -1 when
// there is none.
func (c *commandLine) index(from int, names ...string) int {
	for i := max(from, c.first); i < len(c.list); i++ {
		if slices.Contains(names, flagName(c.list[i].value)) {
			return i
		}
	}
	return -1
}

// has reports whether one of the flags is given.
func (c *commandLine) has(names ...string) bool { return c.index(0, names...) >= 0 }

// valueAt is the value of the flag at i, and how many arguments it takes with
// its name.
func (c *commandLine) valueAt(i int) (string, int) {
	if _, v, ok := strings.Cut(c.list[i].value, "="); ok {
		return v, 1
	}
	if i+1 < len(c.list) && flagName(c.list[i+1].value) == "" {
		return c.list[i+1].value, 2
	}
	return "", 1
}

// value is what a flag is set to; of several the last, as Python's argparse
// has it.
func (c *commandLine) value(names ...string) (string, bool) {
	found, ok := "", false
	for i := c.index(0, names...); i >= 0; i = c.index(i+1, names...) {
		found, _ = c.valueAt(i)
		ok = true
	}
	return found, ok
}

// set gives a flag a value under the first of its names: in the place where one
// of them stands, else at the end. The others are taken out.
func (c *commandLine) set(value string, names ...string) {
	i := c.index(0, names...)
	if i < 0 {
		c.list = append(c.list, argument{names[0], -1}, argument{value, -1})
		return
	}
	if flag, _, joined := strings.Cut(c.list[i].value, "="); joined {
		if flagName(flag) != names[0] {
			flag = names[0]
		}
		c.list[i].value = flag + "=" + value
	} else {
		if flagName(flag) != names[0] {
			c.list[i].value = names[0]
		}
		if _, n := c.valueAt(i); n == 2 {
			c.list[i+1].value = value
		} else {
			c.list = slices.Insert(c.list, i+1, argument{value, -1})
		}
	}
	for j := c.index(i+1, names...); j >= 0; j = c.index(i+1, names...) {
		c.cut(j)
	}
}

// cut takes out the flag at i with its value.
func (c *commandLine) cut(i int) {
	_, n := c.valueAt(i)
	c.list = slices.Delete(c.list, i, i+n)
}

// drop takes out flags with their values.
func (c *commandLine) drop(names ...string) {
	for i := c.index(0, names...); i >= 0; i = c.index(i, names...) {
		c.cut(i)
	}
}

// add gives a flag that has no value.
func (c *commandLine) add(name string) {
	if !c.has(name) {
		c.list = append(c.list, argument{name, -1})
	}
}

// unset takes out flags that have no value.
func (c *commandLine) unset(names ...string) {
	for i := c.index(0, names...); i >= 0; i = c.index(i, names...) {
		c.list = slices.Delete(c.list, i, i+1)
	}
}

// rendered is the script with its arguments changed: what was not changed
// stays as it was written. Further arguments go before the first redirection or
// pipe.
func (c *commandLine) rendered() string {
	script := c.items[c.script]
	kept := make(map[int]string)
	added := make(map[int]string) // by where they go
	lastKept := -1
	for i, a := range c.list {
		if a.origin >= 0 {
			kept[a.origin], lastKept = a.value, i
		}
	}
	at := 0
	for i, a := range c.list {
		switch {
		case a.origin >= 0:
			at = c.words[a.origin].to
		case i > lastKept:
			added[c.end] += " " + quote(a.value)
		default:
			added[at] += " " + quote(a.value)
		}
	}
	var b strings.Builder
	done := 0
	for i, w := range c.words {
		gap := script[done:w.from]
		value, here := kept[i]
		switch {
		case here && value == w.value:
			b.WriteString(gap + script[w.from:w.to])
		case here:
			b.WriteString(gap + quote(value))
		case strings.TrimSpace(strings.ReplaceAll(gap, "\\\n", "")) != "":
			b.WriteString(gap) // a redirection stands there
		}
		b.WriteString(added[w.to])
		done = w.to
	}
	return b.String() + script[done:]
}
