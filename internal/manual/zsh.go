package manual

import (
	"fmt"
	"strings"
)

// zsh is the script for zsh, either sourced after compinit or in a folder of
// fpath under the name _PROGRAM.
func zsh(program string, root *Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "#compdef %s\n_%s() {\n", program, program)
	b.WriteString("  local at='' skip='' takes=''\n  local -a specs\n  integer i n=1\n")
	fmt.Fprintf(&b, "  _%s_takes ''\n", program)
	b.WriteString("  for ((i = 2; i < CURRENT; i++)); do\n    if [[ -n $skip ]]; then\n      skip=''\n      " +
		"continue\n    fi\n")
	b.WriteString("    [[ \" $takes \" == *\" $words[i] \"* ]] && skip=1\n")
	fmt.Fprintf(&b, "    case \"$at $words[i]\" in (%s) at=\"$at $words[i]\"; n=i; _%s_takes \"$at\" ;; esac\n  done\n",
		paths(root), program)
	b.WriteString("  # What follows sees the last command as the program.\n")
	b.WriteString("  words=(\"$words[1]\" \"${(@)words[n+1,-1]}\")\n  (( CURRENT -= n - 1 ))\n  case \"$at\" in\n")
	root.walk(func(c *Command) { b.WriteString(zshCommand(c)) })
	fmt.Fprintf(&b, "  esac\n  _arguments : $specs\n}\n_%s_takes() {\n  case \"$1\" in\n", program)
	root.walk(func(c *Command) {
		fmt.Fprintf(&b, "    (%s) takes=%s ;;\n", quoted(c.at()),
			quoted(strings.Join(c.named(func(o Option) bool { return o.Value != "" }), " ")))
	})
	fmt.Fprintf(&b, "  esac\n}\nif [[ \"$funcstack[1]\" == _%s ]]; then\n  _%s \"$@\"\nelse\n  compdef _%s %s\nfi\n",
		program, program, program, program)
	return b.String()
}

// zshCommand sets the specifications of what may follow a command.
func zshCommand(c *Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "    (%s) specs=(\n", quoted(c.at()))
	spec := func(s string) { fmt.Fprintf(&b, "      %s\n", quoted(s)) }
	for _, o := range c.Options {
		for _, name := range o.names() {
			spec(zshOption(name, o))
		}
		for _, alias := range o.Aliases {
			spec("!" + zshOption("--"+alias, o)) // known, and not offered
		}
		if o.No {
			spec("*--no-" + o.Name + "[" + zshText("Off: "+brief(o.Help)) + "]")
		}
	}
	for i, a := range c.Arguments {
		optional := ""
		if a.Optional {
			optional = ":"
		}
		spec(fmt.Sprintf("%d:%s%s:%s", i+1, optional, zshText(a.Name), zshAction(a.Kind, a.Choices)))
	}
	if len(c.Commands) > 0 {
		var list []string
		for _, child := range c.Commands {
			list = append(list, child.Path[len(child.Path)-1]+`\:`+zshWord(brief(child.Help)))
		}
		spec("1:command:((" + strings.Join(list, " ") + "))")
	}
	b.WriteString("    ) ;;\n")
	return b.String()
}

// zshOption is an option as _arguments reads it; it may be given again.
func zshOption(name string, o Option) string {
	switch text := "[" + zshText(brief(o.Help)) + "]"; {
	case o.Value == "":
		return "*" + name + text
	case strings.HasPrefix(name, "--"):
		return "*" + name + "=" + text + ":" + zshText(o.Value) + ":" + zshAction(o.Kind, o.Choices)
	default:
		return "*" + name + text + ":" + zshText(o.Value) + ":" + zshAction(o.Kind, o.Choices)
	}
}

func zshAction(k Kind, choices []string) string {
	switch k {
	case File:
		return "_files"
	case Folder:
		return "_files -/"
	case Choice:
		return "(" + strings.Join(choices, " ") + ")"
	}
	return " "
}

// zshText is text in a specification, where colons and brackets divide.
func zshText(s string) string {
	return strings.NewReplacer(`\`, `\\`, ":", `\:`, "[", `\[`, "]", `\]`).Replace(s)
}

// zshWord is text of a word in a list of a specification.
func zshWord(s string) string {
	var b strings.Builder
	for _, c := range s {
		if strings.ContainsRune(" \\:'\"()[]{}<>$&;|`*?#~!", c) {
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}
