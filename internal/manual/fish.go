package manual

import (
	"fmt"
	"strings"
)

// fish is the script for fish, from version 3.0 on.
func fish(program string, root *Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# fish completion of %s\n", program)
	fmt.Fprintf(&b, "function __%s_takes\n  switch \"$argv[1]\"\n", program)
	root.walk(func(c *Command) {
		takes := c.named(func(o Option) bool { return o.Value != "" })
		fmt.Fprintf(&b, "    case %s\n      contains -- \"$argv[2]\" %s\n", fishQuoted(c.at()),
			strings.Join(takes, " "))
	})
	b.WriteString("  end\nend\n")
	fmt.Fprintf(&b, "function __%s_at\n  set -l at ''\n  set -l skip ''\n", program)
	b.WriteString("  for word in (commandline -opc)[2..-1]\n    if test -n \"$skip\"\n      set skip ''\n      " +
		"continue\n    end\n")
	fmt.Fprintf(&b, "    if __%s_takes \"$at\" \"$word\"\n      set skip 1\n      continue\n    end\n", program)
	var known []string
	root.walk(func(c *Command) { known = append(known, fishQuoted(c.at())) })
	fmt.Fprintf(&b, "    if contains -- \"$at $word\" %s\n      set at \"$at $word\"\n    end\n  end\n",
		strings.Join(known[1:], " "))
	b.WriteString("  test \"$at\" = \"$argv[1]\"\nend\n")
	b.WriteString("# Other names of options are known where they stand, and not offered.\n")
	fmt.Fprintf(&b, "function __%s_after\n  __%s_at $argv[1]; and contains -- (commandline -opc)[-1] "+
		"$argv[2..-1]\nend\n", program, program)
	fmt.Fprintf(&b, "complete -c %s -e\ncomplete -c %s -f\n", program, program)
	root.walk(func(c *Command) { b.WriteString(fishCommand(program, c)) })
	return b.String()
}

func fishCommand(program string, c *Command) string {
	var b strings.Builder
	when := fmt.Sprintf("complete -c %s -n %s", program,
		fishQuoted(fmt.Sprintf("__%s_at %s", program, fishQuoted(c.at()))))
	for _, child := range c.Commands {
		fmt.Fprintf(&b, "%s -a %s -d %s\n", when, child.Path[len(child.Path)-1], fishQuoted(brief(child.Help)))
	}
	for _, a := range c.Arguments {
		fmt.Fprintf(&b, "%s%s\n", when, fishValue(a.Kind, a.Choices))
	}
	for _, o := range c.Options {
		line, value := when+" -l "+o.Name, ""
		if o.Short != 0 {
			line += " -s " + string(o.Short)
		}
		if o.Value != "" {
			value = " -r" + fishValue(o.Kind, o.Choices)
		}
		fmt.Fprintf(&b, "%s%s -d %s\n", line, value, fishQuoted(brief(o.Help)))
		for _, alias := range o.Aliases {
			after := fmt.Sprintf("__%s_after %s --%s", program, fishQuoted(c.at()), alias)
			fmt.Fprintf(&b, "complete -c %s -n %s -l %s%s\n", program, fishQuoted(after), alias, value)
		}
		if o.No {
			fmt.Fprintf(&b, "%s -l no-%s -d %s\n", when, o.Name, fishQuoted("Off: "+brief(o.Help)))
		}
	}
	return b.String()
}

// fishValue is what completes a value.
func fishValue(k Kind, choices []string) string {
	switch k {
	case File:
		return " -F"
	case Folder:
		return " -f -a " + fishQuoted("(__fish_complete_directories)")
	case Choice:
		return " -f -a " + fishQuoted(strings.Join(choices, " "))
	}
	return " -f"
}

// fishQuoted is text in single quotes, in which only quotes and backslashes mean
// something.
func fishQuoted(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
