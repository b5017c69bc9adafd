package manual

import (
	"fmt"
	"strings"
)

// The parts of the script that depend on no command: its variables, and what it
// offers for the word at the cursor.
const (
	bashBegin = `  local cur="${COMP_WORDS[COMP_CWORD]}" prev="${COMP_WORDS[COMP_CWORD-1]}"
  local at='' word skip='' i IFS=$' \t\n'
  local commands='' options='' takes='' files='' folders='' argument='' choices=''
  # bash takes --option=value for three words.
  if [[ $cur == '=' ]]; then
    cur=''
  elif [[ $prev == '=' ]]; then
    prev="${COMP_WORDS[COMP_CWORD-2]}"
  fi
`
	bashEnd = `  esac
  COMPREPLY=()
  if [[ -n $choices ]]; then
    COMPREPLY=($(compgen -W "$choices" -- "$cur"))
  elif [[ " $files " == *" $prev "* ]]; then
    argument=file
  elif [[ " $folders " == *" $prev "* ]]; then
    argument=folder
  elif [[ " $takes " == *" $prev "* ]]; then
    argument=''
  elif [[ $cur == -* ]]; then
    argument=''
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [[ -n $commands ]]; then
    COMPREPLY=($(compgen -W "$commands" -- "$cur"))
  elif [[ $argument == words:* ]]; then
    COMPREPLY=($(compgen -W "${argument#words:}" -- "$cur"))
  fi
  IFS=$'\n'
  case "$argument" in
    file) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")) ;;
    folder) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")) ;;
  esac
}
`
)

// bash is the script for bash, from version 3.2 on.
func bash(program string, root *Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# bash completion of %s\n", program)
	fmt.Fprintf(&b, "_%s() {\n", program)
	b.WriteString(bashBegin)
	fmt.Fprintf(&b, "  _%s_of ''\n", program)
	b.WriteString("  for ((i = 1; i < COMP_CWORD; i++)); do\n    word=\"${COMP_WORDS[i]}\"\n")
	b.WriteString("    if [[ -n $skip ]]; then\n      [[ $word == '=' ]] || skip=''\n      continue\n    fi\n")
	b.WriteString("    [[ \" $takes \" == *\" $word \"* ]] && skip=1\n")
	fmt.Fprintf(&b, "    case \"$at $word\" in %s) at=\"$at $word\"; _%s_of \"$at\" ;; esac\n  done\n",
		paths(root), program)
	b.WriteString("  case \"$at $prev\" in\n")
	root.walk(func(c *Command) {
		for _, o := range c.Options {
			if o.Kind == Choice {
				fmt.Fprintf(&b, "    %s) choices=%s ;;\n", caseOf(c, o), quoted(strings.Join(o.Choices, " ")))
			}
		}
	})
	b.WriteString(bashEnd)
	fmt.Fprintf(&b, "_%s_of() {\n  case \"$1\" in\n", program)
	root.walk(func(c *Command) { b.WriteString(bashCommand(c)) })
	fmt.Fprintf(&b, "  esac\n}\ncomplete -F _%s %s\n", program, program)
	return b.String()
}

// caseOf is the pattern of an option's names after its command.
func caseOf(c *Command, o Option) string {
	var list []string
	for _, name := range o.all() {
		list = append(list, quoted(c.at()+" "+name))
	}
	return strings.Join(list, "|")
}

// bashCommand sets what may follow a command.
func bashCommand(c *Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "    %s)\n", quoted(c.at()))
	set := func(name string, words []string) {
		fmt.Fprintf(&b, "      %s=%s\n", name, quoted(strings.Join(words, " ")))
	}
	set("commands", c.children())
	set("options", c.offered())
	set("takes", c.named(func(o Option) bool { return o.Value != "" }))
	set("files", c.named(func(o Option) bool { return o.Kind == File }))
	set("folders", c.named(func(o Option) bool { return o.Kind == Folder }))
	set("argument", bashArgument(c))
	b.WriteString("      ;;\n")
	return b.String()
}

func bashArgument(c *Command) []string {
	if len(c.Arguments) == 0 {
		return nil
	}
	switch a := c.Arguments[0]; a.Kind {
	case File:
		return []string{"file"}
	case Folder:
		return []string{"folder"}
	case Choice:
		return []string{"words:" + strings.Join(a.Choices, " ")}
	}
	return nil
}
