package manual

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// About is what a manual page says beside the grammar.
type About struct {
	Program, Version string
	// Prefix is that of the environment's variables that set options: HEADWAY_.
	Prefix string
	// Exits are the exit codes with their meanings, in order.
	Exits []Exit
}

// Exit is an exit code and what it means.
type Exit struct {
	Code    int
	Meaning string
}

// PageName is the name of a command's page: "headway-router-trace".
func PageName(program string, c *Command) string {
	return strings.Join(append([]string{program}, c.Path...), "-")
}

// Find is the command at a path below c; an error names those that are there.
func (c *Command) Find(path []string) (*Command, error) {
	for i, word := range path {
		var next *Command
		for _, child := range c.Commands {
			if child.Path[i] == word {
				next = child
			}
		}
		if next == nil {
			return nil, fmt.Errorf("there is no command %q; after %q there may be: %s",
				strings.Join(path[:i+1], " "), strings.Join(path[:i], " "), strings.Join(c.children(), ", "))
		}
		c = next
	}
	return c, nil
}

// All are a command and those below it.
func (c *Command) All() []*Command {
	var list []*Command
	c.walk(func(c *Command) { list = append(list, c) })
	return list
}

// WritePage writes a command's manual page in the man macros of roff. It has no
// date, so that one version has one text.
func WritePage(w io.Writer, a About, c *Command) error {
	var b strings.Builder
	name := PageName(a.Program, c)
	fmt.Fprintf(&b, ".\\\" Made by %s man\n.TH %s 1 \"\" \"%s %s\" \"%s\"\n", a.Program, strings.ToUpper(name),
		a.Program, a.Version, a.Program)
	first, rest, _ := strings.Cut(c.Help, "\n")
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(name), roff(strings.TrimSuffix(first, ".")))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n%s\n", synopsis(a.Program, c))
	if rest = strings.TrimSpace(rest); rest == "" {
		rest = first
	}
	fmt.Fprintf(&b, ".SH DESCRIPTION\n%s\n", paragraphs(rest))
	pageLists(&b, a, c)
	if c.Detail != "" {
		title, text := "NOTES", c.Detail
		if examples, is := strings.CutPrefix(text, "Examples:"); is {
			title, text = "EXAMPLES", strings.Trim(examples, "\n")
		}
		fmt.Fprintf(&b, ".SH %s\n.EX\n%s\n.EE\n", title, roff(text))
	}
	if len(c.Path) == 0 {
		b.WriteString(environment(a))
	}
	fmt.Fprintf(&b, ".SH SEE ALSO\n%s\n", seeAlso(a.Program, c))
	_, err := io.WriteString(w, b.String())
	return err
}

// pageLists are the commands, arguments and options.
func pageLists(b *strings.Builder, a About, c *Command) {
	if len(c.Commands) > 0 {
		b.WriteString(".SH COMMANDS\n")
		for _, child := range c.Commands {
			fmt.Fprintf(b, ".TP\n\\fB%s\\fR\n%s\n", roff(strings.Join(child.Path, " ")), roff(child.Help))
		}
	}
	if len(c.Arguments) > 0 {
		b.WriteString(".SH ARGUMENTS\n")
		for _, arg := range c.Arguments {
			fmt.Fprintf(b, ".TP\n\\fI%s\\fR\n%s%s\n", roff(strings.ToUpper(arg.Name)), roff(arg.Help),
				among(arg.Choices, arg.Help))
		}
	}
	b.WriteString(".SH OPTIONS\n")
	for _, o := range c.Options {
		var names []string
		for _, n := range o.all() {
			names = append(names, "\\fB"+roff(n)+"\\fR")
		}
		if o.No {
			names = append(names, "\\fB"+roff("--no-"+o.Name)+"\\fR")
		}
		value := ""
		if o.Value != "" {
			value = " \\fI" + roff(o.Value) + "\\fR"
		}
		fmt.Fprintf(b, ".TP\n%s%s\n%s%s%s\n", strings.Join(names, ", "), value, roff(o.Help),
			among(o.Choices, o.Help), roff(Usual(o.Help, o.Default)))
	}
}

// among names the values that there are, where the help does not.
func among(choices []string, help string) string {
	for _, c := range choices {
		if !strings.Contains(help, c) {
			return roff(" One of " + strings.Join(choices, ", ") + ".")
		}
	}
	return ""
}

// Usual is what to add to the help of an option about its default: nothing where there
// is none or the help says one.
func Usual(help, value string) string {
	if value == "" || strings.Contains(strings.ToLower(help), "default") {
		return ""
	}
	return " Default: " + value + "."
}

func synopsis(program string, c *Command) string {
	line := "\\fB" + roff(strings.Join(append([]string{program}, c.Path...), " ")) + "\\fR"
	if len(c.Commands) > 0 {
		return line + " \\fICOMMAND\\fR [\\fIOPTION\\fR]..."
	}
	line += " [\\fIOPTION\\fR]..."
	for _, a := range c.Arguments {
		text := "\\fI" + roff(strings.ToUpper(a.Name)) + "\\fR"
		if a.Optional {
			text = "[" + text + "]"
		}
		line += " " + text
	}
	return line
}

// environment has what belongs to the program as a whole.
func environment(a About) string {
	var b strings.Builder
	fmt.Fprintf(&b, ".SH ENVIRONMENT\n.TP\n\\fB%sOPTION\\fR\nSets an option of that name, in capitals and with "+
		"underscores for hyphens; the command line wins over it.\n", roff(a.Prefix))
	b.WriteString(".TP\n\\fBCOLUMNS\\fR\nHow wide tables may be where standard output is no terminal.\n")
	b.WriteString(".TP\n\\fBNO_COLOR\\fR\nWhere it is set, tables have no colours.\n.SH EXIT STATUS\n")
	for _, e := range a.Exits {
		fmt.Fprintf(&b, ".TP\n\\fB%d\\fR\n%s\n", e.Code, roff(e.Meaning))
	}
	return b.String()
}

// seeAlso names the pages above and below.
func seeAlso(program string, c *Command) string {
	var list []string
	for i := range c.Path {
		list = append(list, strings.Join(append([]string{program}, c.Path[:i]...), "-"))
	}
	for _, child := range c.Commands {
		list = append(list, PageName(program, child))
	}
	for i, name := range list {
		list[i] = "\\fB" + roff(name) + "\\fR(1)"
	}
	return strings.Join(list, ",\n")
}

// roff is text that means nothing to roff.
func roff(s string) string {
	s = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`, `"`,
		`\(dq`).Replace(s)
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		line = strings.TrimRight(line, " ")
		if strings.HasPrefix(line, ".") {
			line = `\&` + line
		}
		lines[i] = line
	}
	return inASCII(strings.Join(lines, "\n"))
}

// inASCII names other characters by their number: what a byte beyond ASCII means
// to roff depends on its options and the locale.
func inASCII(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < utf8.RuneSelf {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, `\[u%04X]`, r)
	}
	return b.String()
}

// paragraphs are those of a text that blank lines divide.
func paragraphs(s string) string { return strings.ReplaceAll(roff(s), "\n\n", "\n.PP\n") }
